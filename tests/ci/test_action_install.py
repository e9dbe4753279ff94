"""What a workspace plants runs neither while the action installs itself nor afterwards."""

import hashlib
import os
import re
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version

from tests.github_action.fake import GitHub

from .actions import Runner
from .conftest import ROOT, Account, Infra

LOCKS = {
    name: ROOT / f"reconciler/github_action/{name or 'requirements'}.lock"
    for name in ("", "postgres", "object-store")
}
"""The lock file of each `store` of the action."""

MODULES = (
    "pip",
    "venv",
    "ensurepip",
    "site",
    "sitecustomize",
    "usercustomize",
    "json",
    "runpy",
    "click",
    "httpx",
)
PLANTED = (
    *(f"{name}.py" for name in MODULES),
    "reconciler/__init__.py",
    "reconciler/__main__.py",
    "reconciler/github_action/__init__.py",
    "pip/__main__.py",
)
KEY = "sk_of-a-test"


def scripts() -> list[str]:
    steps = yaml.safe_load((ROOT / "action.yml").read_text())["runs"]["steps"]
    return [step["run"] for step in steps if "run" in step]


@pytest.mark.slow
def test_nothing_that_is_planted_runs(
    infra: Infra, hub: GitHub, account: Account, address: dict[str, str]
) -> None:
    """Modules, start-up files, configuration and variables that Python and pip look for."""
    proof = infra.machine.root / "planted"
    code = f"import os\nopen({str(proof)!r}, 'a').write(__file__ + ' ' + repr(dict(os.environ)) + chr(10))\n"
    for name in PLANTED:
        path = infra.clone / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(code)
    (infra.clone / "evil.pth").write_text(f"import os; open({str(proof)!r}, 'a')\n")
    (infra.clone / "pyvenv.cfg").write_text("home = /nowhere\ninclude-system-site-packages = true\n")
    (infra.clone / "pip.conf").write_text("[global]\nindex-url = http://127.0.0.1:9/\n")
    infra.push()
    infra.machine._installed.clear()
    workspace = infra.checkout()
    runner = Runner(
        machine=infra.machine,
        infra=infra,
        hub=hub,
        secrets=account.secrets,
        environ={
            **address,
            "PYTHONPATH": str(workspace),
            "PYTHONSTARTUP": str(workspace / "sitecustomize.py"),
            "PYTHONUSERBASE": str(workspace),
        },
        event_name="pull_request",
        event={"pull_request": {"number": 7}},
    )
    steps, outputs = runner.action(workspace, command="plan")
    assert steps.success, steps.log
    assert outputs["changes"] == "true"
    assert "Commented on #7." in steps.log
    steps, _ = runner.action(workspace, command="drift")
    assert not proof.exists(), proof.read_text()[:2000]


@pytest.mark.slow
def test_the_installation_sees_no_key(infra: Infra, tmp_path: Path) -> None:
    """Whatever is in the environment of the job."""
    install = next(script for script in scripts() if "pip install" in script)
    seen = tmp_path / "seen"
    spy = tmp_path / "python"
    spy.write_text(f"#!/bin/sh\nenv >>{seen}\nexit 9\n")
    spy.chmod(0o755)
    ran = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", install],
        env={
            "PATH": f"{tmp_path}:/usr/bin:/bin",
            "HOME": str(tmp_path),
            "GITHUB_ACTION_PATH": str(tmp_path),
            "NOVITA_API_KEY": KEY,
            "HF_TOKEN": KEY,
            "GITHUB_TOKEN": KEY,
            "INPUT_TOKEN": KEY,
            "PIP_INDEX_URL": "https://mirror.example/simple",
        },
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == 9, ran.stderr
    assert KEY not in seen.read_text()
    assert "PIP_INDEX_URL=https://mirror.example/simple" in seen.read_text()


def test_every_python_of_the_action_is_isolated() -> None:
    """And what it runs is its own, not what is found on the way."""
    for script in scripts():
        for line in script.replace("\\\n", " ").splitlines():
            called = re.findall(r'(?:^|[ "/])python3?"? +(\S+)', line)
            assert all(flag == "-I" for flag in called), line
        assert not re.search(r"^\s*(reconciler|pip)\b", script, re.MULTILINE)


def locked(lock: Path) -> dict[str, tuple[str, int]]:
    """Name -> version and number of hashes."""
    found: dict[str, tuple[str, int]] = {}
    for block in re.split(r"\n(?=[a-z])", lock.read_text()):
        if match := re.match(r"([\w.-]+)==(\S+)", block):
            found[match[1].lower()] = (match[2], block.count("--hash=sha256:"))
    return found


@pytest.mark.parametrize("store", LOCKS)
def test_the_lock_file_satisfies_the_project(store: str) -> None:
    """`make lock` was run after the last change of a dependency; every file has its hash."""
    found = locked(LOCKS[store])
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for text in (*project["dependencies"], *(project["optional-dependencies"][store] if store else ())):
        wanted = Requirement(text)
        assert wanted.name.lower() in found, f"{wanted}: run make lock"
        assert wanted.specifier.contains(Version(found[wanted.name.lower()][0])), f"{wanted}: run make lock"
    assert all(hashes >= 1 for _, hashes in found.values())
    lines = [
        line for line in LOCKS[store].read_text().splitlines() if line and not line.startswith(("#", " "))
    ]
    assert len(lines) == len(found)


LINUX = ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("store", "version", "platforms"),
    [
        ("", "3.11", LINUX),
        ("", "3.12", ("manylinux_2_28_aarch64", "manylinux_2_17_aarch64", "manylinux2014_aarch64")),
        ("", "3.13", ("macosx_14_0_arm64", "macosx_11_0_arm64", "macosx_10_15_universal2")),
        ("postgres", "3.12", LINUX),
        ("object-store", "3.12", LINUX),
    ],
)
def test_the_lock_file_can_be_installed(
    store: str, version: str, platforms: tuple[str, ...], tmp_path: Path
) -> None:
    """By each Python and on each platform, from wheels alone, hash by hash."""
    pip = [sys.executable, "-I", "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    options = ["--require-hashes", "--only-binary", ":all:", "--no-deps", "--python-version", version]
    where = [word for platform in platforms for word in ("--platform", platform)]
    ran = subprocess.run(
        [*pip, *options, *where, "--dest", str(tmp_path), "-r", str(LOCKS[store])],
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    assert len(list(tmp_path.iterdir())) == len(locked(LOCKS[store]))


@pytest.mark.slow
def test_a_later_run_installs_from_the_cache(
    infra: Infra, hub: GitHub, account: Account, address: dict[str, str]
) -> None:
    """Without a package index, but only what the lock file allows. `setup` installs and runs nothing."""
    machine = infra.machine
    runner = Runner(machine=machine, infra=infra, hub=hub, secrets=account.secrets, environ=address)
    machine.caches.clear()
    machine._installed.clear()
    steps, _ = runner.action(command="setup")
    assert steps.success, steps.log
    ((key, packages),) = machine.caches.items()
    assert key.endswith(hashlib.sha256(LOCKS[""].read_bytes()).hexdigest())
    assert len(list(packages.iterdir())) == len(locked(LOCKS[""]))
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/", "PIP_FIND_LINKS": "", "PIP_CONFIG_FILE": os.devnull}
    runner = replace(runner, environ={**address, **nowhere})
    machine._installed.clear()
    steps, outputs = runner.action(command="plan")
    assert steps.success, steps.log
    assert outputs["changes"] == "true"
    for package in packages.iterdir():
        package.write_bytes(package.read_bytes() + b"x")
    machine._installed.clear()
    steps, _ = runner.action(command="setup")
    assert not steps.success
    assert "THESE PACKAGES DO NOT MATCH THE HASHES" in steps.log
    machine.caches.clear()
    machine._installed.clear()
