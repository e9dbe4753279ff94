"""A machine, the tool as published, and an infra repository made of the example."""

import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from reconciler.simulator import Server
from tests.github_action.fake import GitHub, github

from .machine import Machine, environment

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "infra-repo"
PUBLISHED = ("reconciler", "novita_reconciler.py", "schemas", "action.yml", ".pre-commit-hooks.yaml",
             "pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md")  # fmt: skip


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """Made once: its Python has what the tool needs, so that the recipes' own `pip install` is quick."""
    root = tmp_path_factory.mktemp("machine")
    tool = root / "novita-reconciler"
    tool.mkdir()
    for name in PUBLISHED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tool / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, tool / name)
    venv.create(root / "python", with_pip=True, symlinks=True)
    python = root / "python" / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--python", python]
    subprocess.run([*pip, "install", tool, "hatchling"], check=True, timeout=150)
    (root / "home").mkdir()
    made = Machine(root=root, python=python, tool=tool, environ=environment(root / "home", python))
    made.git(tool, "init", "--quiet")
    made.git(tool, "add", "-A")
    made.git(tool, "commit", "--quiet", "-m", "as published")
    return made


@dataclass(kw_only=True)
class Infra:
    """A person's clone of an infra repository, and the repository that all clones share."""

    machine: Machine
    remote: Path
    clone: Path

    def git(self, *arguments: str) -> str:
        return self.machine.git(self.clone, *arguments)

    def edit(self, name: str, old: str, new: str) -> None:
        path = self.clone / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    def push(self, message: str = "a change") -> str:
        """Everything that was edited, on top of what the pipeline committed; the new tip."""
        self.git("add", "-A")
        self.git("commit", "--quiet", "--allow-empty", "-m", message)
        self.git("pull", "--quiet", "--rebase", "origin", "main")
        self.git("push", "--quiet", "origin", "HEAD:main")
        return self.git("rev-parse", "HEAD")

    def at_main(self, path: str) -> str:
        """A file as it is on the main branch now."""
        return self.machine.git(self.remote, "show", f"main:{path}")

    def subjects(self) -> list[str]:
        """The messages on the main branch, newest first."""
        return self.machine.git(self.remote, "log", "--format=%s", "main").splitlines()

    def checkout(self, what: str = "main") -> Path:
        """A fresh, detached checkout, as a pipeline makes one."""
        folder = self.machine.folder("checkout")
        self.machine.git(folder, "clone", "--quiet", str(self.remote), ".")
        self.machine.git(
            folder, "checkout", "--quiet", "--detach", f"origin/{what}" if what == "main" else what
        )
        return folder


@pytest.fixture
def infra(machine: Machine) -> Infra:
    """The example as a repository of its own."""
    remote, clone = machine.folder("remote"), machine.folder("clone")
    machine.git(remote, "init", "--quiet", "--bare", "--initial-branch=main")
    machine.git(clone, "clone", "--quiet", str(remote), ".")
    for source in sorted(EXAMPLE.rglob("*")):
        if source.is_file() and ".reconciler" not in source.parts and "state" not in source.parts:
            path = clone / source.relative_to(EXAMPLE)
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, path)
    made = Infra(machine=machine, remote=remote, clone=clone)
    made.git("checkout", "--quiet", "-b", "main")
    made.git("add", "-A")
    made.git("commit", "--quiet", "-m", "the example")
    assert made.git("ls-files", "--others") == "", "its .gitignore hides a part of it"
    made.git("push", "--quiet", "origin", "HEAD:main")
    return made


@dataclass(frozen=True, kw_only=True)
class Account:
    """A simulated account, and how a job reaches it."""

    sim: Server
    secrets: dict[str, str]

    @property
    def names(self) -> list[str]:
        return sorted(endpoint["name"] for endpoint in self.sim.world.endpoints)

    def scale(self, name: str, **counts: int) -> None:
        """Somebody scales an endpoint in the console."""
        (found,) = [one for one in self.sim.world.endpoints if one["name"] == name]
        self.sim.world.console_update(found["id"], workerConfig={**found["workerConfig"], **counts})

    def writes(self) -> int:
        return sum(one.operation in ("create", "update", "delete") for one in self.sim.requests)


@pytest.fixture
def account() -> Iterator[Account]:
    with Server(seed=1) as sim:
        yield Account(sim=sim, secrets={"NOVITA_API_KEY": "sk_of-a-test", "HF_TOKEN": "hf_of-a-test"})


@pytest.fixture
def address(account: Account) -> dict[str, str]:
    """What leads every job of a test to the simulated account."""
    assert "NOVITA_BASE_URL" not in os.environ
    return {"NOVITA_BASE_URL": account.sim.url}


@pytest.fixture
def hub() -> Iterator[GitHub]:
    with github() as found:
        yield found
