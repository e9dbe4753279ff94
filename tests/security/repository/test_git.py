"""Git is asked without running what a repository brings along, and what it refuses is told as such."""

import json
import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from reconciler.model import durations
from reconciler.workflow.runtime.git import GitStatus, git_status, run_git
from tests.e2e.sandbox import ROOT, Sandbox, item

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


HOOKS = ("post-index-change", "fsmonitor-watchman", "pre-commit", "post-checkout", "reference-transaction")
CONFIG = """
[core]
fsmonitor = {evil}
hooksPath = {hooks}
pager = {evil}
sshCommand = {evil}
askPass = {evil}
editor = {evil}
[pager]
status = true
ls-tree = true
rev-parse = true
[diff]
external = {evil}
[filter "evil"]
clean = {evil}
smudge = {evil}
process = {evil}
required = true
[alias]
rev-parse = !{evil}
status = !{evil}
"""


@pytest.fixture(autouse=True)
def _own_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Git as on a new machine, whatever this one is set to."""
    for name in [name for name in os.environ if name.startswith(("GIT_", "GITHUB_", "CI_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    (tmp_path / "home").mkdir()


def git(folder: Path, *args: str) -> str:
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    done = subprocess.run(
        ["git", *identity, *args], cwd=folder, check=True, capture_output=True, text=True, timeout=20
    )
    return done.stdout.strip()


def script(folder: Path, name: str, pwned: Path) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'#!/bin/sh\necho "$0 $*" >> {pwned}\n')
    path.chmod(0o755)
    return path


def armed(folder: Path, pwned: Path) -> None:
    """Everything in a repository's own files that git would run."""
    evil = script(folder, "evil.sh", pwned)
    for hook in HOOKS:
        script(folder, f"hooks/{hook}", pwned)
    with (folder / "config").open("a") as config:
        config.write(CONFIG.format(evil=evil, hooks=folder / "hooks"))


@pytest.fixture
def checkout(sandbox: Sandbox) -> Sandbox:
    """A repository of the sandbox's files, the folder above it included, with one commit."""
    sandbox.declare(item("chat"))
    sandbox.apply()
    top = sandbox.root.parent
    git(top, "init", "--quiet")
    git(top, "add", "infra")
    git(top, "commit", "--quiet", "-m", "as it is")
    return sandbox


COMMANDS = (
    ("doctor",),
    ("plan", "--out", "the.plan", "--bind-commit"),
    ("apply", "the.plan"),
)


@pytest.mark.parametrize("where", ["infra", "infra/state"])
@pytest.mark.parametrize("worktree", [True, False])
def test_an_embedded_bare_repository_runs_nothing(
    where: str, worktree: bool, checkout: Sandbox, tmp_path: Path
) -> None:
    """HEAD, objects, refs and a config among the files of a pull request: none of its programs runs."""
    pwned = tmp_path / "pwned"
    folder = tmp_path / where
    bare = tmp_path / "bare"
    git(tmp_path, "init", "--quiet", "--bare", str(bare))
    armed(bare, pwned)
    if worktree:  # which makes git take it for one with files, whose state it looks up
        git(bare, "config", "core.bare", "false")
        git(bare, "config", "core.worktree", str(folder))
    for path in bare.iterdir():
        shutil.move(path, folder / path.name)
    pwned.unlink(missing_ok=True)
    sha = "a" * 40
    checkout.monkeypatch.setenv("GITHUB_SHA", sha)
    for args in COMMANDS:
        ran = checkout.run(*args)
        assert ran.code == 0 or args == ("doctor",), ran.err
    assert not pwned.exists(), pwned.read_text()
    found = {one["name"]: one for one in checkout.run("doctor", "--json").document["checks"]}
    assert "git refuses: fatal: cannot use bare repository" in found["git"]["found"]
    assert "remove the HEAD, objects and refs" in found["git"]["way_out"]
    if where == "infra":
        assert json.loads((checkout.root / "the.plan").read_text())["saved_plan"]["commit"] == sha


def test_a_repository_of_its_own_runs_nothing_either(checkout: Sandbox, tmp_path: Path) -> None:
    """A .git that came with an archive, attributes that name its filter, and files that git must compare."""
    pwned = tmp_path / "pwned"
    (checkout.root / ".gitattributes").write_text("* filter=evil diff=evil\n")
    armed(tmp_path / ".git", pwned)
    os.utime(checkout.root / "endpoints.yaml", (1, 1))
    for args in COMMANDS:
        checkout.run(*args)
    assert not pwned.exists(), pwned.read_text()
    assert git_status(checkout.root / "state/novita.json") is GitStatus.TRACKED


def test_what_differs_from_the_commit_is_found_without_filters(checkout: Sandbox) -> None:
    bound = ("plan", "--out", "the.plan", "--bind-commit", "--json")
    assert checkout.run(*bound).document["problems"] == []
    (checkout.root / "specs.yaml").write_text((checkout.root / "specs.yaml").read_text() + "\n")
    checkout.write("config.yaml", {"novita": {"settle_seconds": 0.1}})
    git(checkout.root, "add", "config.yaml")
    git(checkout.root, "update-index", "--assume-unchanged", "specs.yaml")
    (problem,) = checkout.run(*bound).document["problems"]
    assert problem["code"] == "uncommitted"
    assert "config.yaml" in problem["summary"]
    assert "specs.yaml" in problem["summary"]
    assert "endpoints.yaml" not in problem["summary"]


@pytest.mark.parametrize(
    "name", ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR"]
)
def test_another_repository_in_the_environment_is_not_asked(
    name: str, checkout: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a hook, which names the repository that it belongs to."""
    sha = git(checkout.root, "rev-parse", "HEAD")
    other = tmp_path / "other"
    git(tmp_path, "init", "--quiet", str(other))
    monkeypatch.setenv(name, str(other / ".git"))
    assert checkout.run("plan", "--out", "the.plan", "--bind-commit").code == 0
    assert json.loads((checkout.root / "the.plan").read_text())["saved_plan"]["commit"] == sha
    assert git_status(checkout.root / "state/novita.json") is GitStatus.TRACKED


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GIT_EXTERNAL_DIFF", "{}"),
        ("GIT_PAGER", "{}"),
        ("GIT_SSH_COMMAND", "{}"),
        ("GIT_TRACE", "{}.trace"),
        ("GIT_TRACE2_EVENT", "{}.trace"),
        ("GIT_CONFIG_PARAMETERS", "'core.fsmonitor={}'"),
        ("GIT_EXEC_PATH", "{}.d"),
    ],
)
def test_a_program_in_the_environment_does_not_run(
    name: str, value: str, checkout: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pwned = tmp_path / "pwned"
    evil = script(tmp_path, "evil.sh", pwned)
    monkeypatch.setenv(name, value.format(evil))
    assert checkout.run("plan", "--out", "the.plan", "--bind-commit").code == 0
    assert not pwned.exists()
    assert not Path(f"{evil}.trace").exists()


@pytest.fixture
def foreign(checkout: Sandbox, tmp_path: Path) -> Sandbox:
    """The repository belongs to somebody else, as in a container that mounts it."""
    if os.getuid() != 0:
        pytest.skip("only root gives files away")
    os.chown(tmp_path, 12345, 12345)
    os.chown(tmp_path / ".git", 12345, 12345)
    return checkout


def test_dubious_ownership_is_told_with_the_way_out(
    foreign: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = foreign.run("plan", "--out", "the.plan", "--bind-commit")
    assert ran.code == 1
    assert f"git refuses: fatal: detected dubious ownership in repository at '{tmp_path}'" in ran.err
    trust = f"git config --global --add safe.directory {tmp_path}"
    assert trust in ran.err
    found = {one["name"]: one for one in foreign.run("doctor", "--json").document["checks"]}["git"]
    assert found["grade"] == "warn"
    assert "dubious ownership" in found["found"]
    assert trust in found["way_out"]
    monkeypatch.setenv("GITHUB_SHA", "b" * 40)
    ran = foreign.run("plan", "--out", "the.plan", "--bind-commit")
    assert ran.code == 0
    assert "cannot determine whether the files are as committed: fatal: detected dubious" in ran.err
    subprocess.run(trust.split(), check=True, timeout=20)
    ran = foreign.run("plan", "--out", "the.plan", "--bind-commit")
    assert (ran.code, ran.err.count("Warning")) == (0, 0)
    assert foreign.run("doctor").out.count("dubious") == 0


@pytest.mark.parametrize("how", ["file", "environment"])
def test_what_the_user_trusts_stays_trusted(
    how: str, foreign: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if how == "file":
        (tmp_path / "trust").write_text(f"[safe]\n\tdirectory = {tmp_path}\n")
        monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "trust"))
    else:
        monkeypatch.setenv("GIT_CONFIG_COUNT", "2")
        monkeypatch.setenv("GIT_CONFIG_KEY_0", "core.fsmonitor")
        monkeypatch.setenv("GIT_CONFIG_VALUE_0", str(script(tmp_path, "evil.sh", tmp_path / "pwned")))
        monkeypatch.setenv("GIT_CONFIG_KEY_1", "safe.directory")
        monkeypatch.setenv("GIT_CONFIG_VALUE_1", str(tmp_path))
    assert foreign.run("plan", "--out", "the.plan", "--bind-commit").code == 0
    assert not (tmp_path / "pwned").exists()


def test_no_repository_is_told_as_such(sandbox: Sandbox) -> None:
    sandbox.declare(item("chat"))
    sandbox.apply()
    assert "there is no git checkout here" in sandbox.run("plan", "--out", "p", "--bind-commit").err
    assert "there is no git repository here" in sandbox.run("doctor").out


def test_a_broken_repository_is_told_with_the_words_of_git(checkout: Sandbox, tmp_path: Path) -> None:
    (tmp_path / ".git/config").write_text("[core\n")
    ran = checkout.run("plan", "--out", "the.plan", "--bind-commit")
    assert ran.code == 1
    assert "git refuses: fatal: bad config line 1" in ran.err


def test_a_git_that_hangs_or_lies_in_the_folder_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = tmp_path / "slow"
    slow.mkdir()
    (slow / "git").write_text("#!/bin/sh\nexec sleep 60\n")
    (slow / "git").chmod((slow / "git").stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(durations, "GIT_TIMEOUT", 0.2)
    assert run_git(tmp_path, "rev-parse", environ={"PATH": f"{slow}:/usr/bin:/bin"}) is None
    monkeypatch.chdir(slow)
    assert run_git(tmp_path, "rev-parse", environ={"PATH": "."}) is None


def test_two_modules_start_programs() -> None:
    """Only the module that runs git and the one that runs secret helpers start a program."""
    starting = ("subprocess", "os.system", "os.popen", "os.exec", "os.spawn", "os.posix_spawn")
    found = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "reconciler").rglob("*.py")
        if any(word in path.read_text() for word in starting)
    }
    assert found == {"reconciler/workflow/runtime/git.py", "reconciler/config/references/helper_process.py"}
