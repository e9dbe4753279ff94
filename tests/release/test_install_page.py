"""The commands of docs/install.md run, with the wheel of this checkout instead of the package on PyPI."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.blocks import blocks, commands

ROOT = Path(__file__).resolve().parents[2]


class Home:
    """An empty home directory with tools of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.bin = path / "bin"
        self.environ = {
            **{
                name: value
                for name, value in os.environ.items()
                if not name.startswith(("PIPX_", "UV_TOOL_"))
            },
            "HOME": str(path),
            "SHELL": "/bin/bash",
            "PATH": os.pathsep.join((str(self.bin), str(Path(sys.executable).parent), os.environ["PATH"])),
            "PIPX_HOME": str(path / "pipx"),
            "PIPX_BIN_DIR": str(self.bin),
            "PIPX_MAN_DIR": str(path / "man"),
            "PIPX_DEFAULT_PYTHON": sys.executable,
            "UV_CACHE_DIR": str(path / "cache"),
            "UV_TOOL_DIR": str(path / "uv"),
            "UV_TOOL_BIN_DIR": str(self.bin),
            "UV_PYTHON": sys.executable,
            "UV_PYTHON_DOWNLOADS": "never",
        }

    def run(self, command: str) -> str:
        done = subprocess.run(
            ["bash", "-euc", command],
            cwd=self.path,
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=200,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.fixture
def wheel(dist: Path) -> str:
    (path,) = dist.glob("novita_reconciler-*.whl")
    return str(path)


def lines(first: str) -> list[str]:
    """Return the commands of the block of the page whose first command begins like this."""
    page = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
    found = [commands(block) for block in blocks(page) if block.language == "sh"]
    (block,) = (one for one in found if one[0].text.startswith(first))
    return [command.text for command in block]


def needs(home: Home, program: str) -> None:
    if not shutil.which(program, path=home.environ["PATH"]):
        pytest.skip(f"{program} is not installed: pip install {program}")


@pytest.mark.slow
def test_pipx_installs_upgrades_and_uninstalls(home: Home, wheel: str) -> None:
    needs(home, "pipx")
    install, upgrade, uninstall = lines("pipx install")

    home.run(install.replace("novita-reconciler", wheel))

    assert home.run("bin/reconciler version").startswith("reconciler ")
    assert home.run("bin/novita-reconciler version") == home.run("bin/reconciler version")
    assert (home.path / "man" / "man1" / "reconciler.1").exists()
    home.run(upgrade)
    assert (home.bin / "reconciler").exists()
    home.run(uninstall)
    assert list(home.bin.iterdir()) == []


@pytest.mark.slow
def test_uv_runs_installs_upgrades_and_uninstalls(home: Home, wheel: str) -> None:
    needs(home, "uv")
    once, install, upgrade, uninstall = lines("uvx")

    assert "\nreconciler " in "\n" + home.run(once.replace("uvx", f"uvx --from {wheel}"))
    assert not home.bin.exists()
    home.run(install.replace("novita-reconciler", wheel))

    assert home.run("bin/reconciler version").startswith("reconciler ")
    home.run(upgrade)
    assert (home.bin / "reconciler").exists()
    home.run(uninstall)
    assert list(home.bin.iterdir()) == []


def test_the_completion_is_installed(home: Home) -> None:
    install, show = lines("reconciler completion")

    home.run(install)

    assert "reconciler" in (home.path / ".bashrc").read_text()
    assert "complete " in home.run(show)
