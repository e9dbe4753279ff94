"""The wheel works by itself, from any folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.slow
def test_a_wheel_in_an_empty_environment_is_the_whole_tool(tmp_path: Path) -> None:
    """Built, installed elsewhere and called from elsewhere, it finds all that it needs."""
    source = tmp_path / "source"
    for name in ("reconciler", "schemas"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md"):
        shutil.copy(ROOT / name, source / name)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "-w", tmp_path / "dist", source], check=True, timeout=150)
    (wheel,) = (tmp_path / "dist").glob("novita_reconciler-*.whl")

    home = tmp_path / "environment"
    venv.create(home, with_pip=False)
    python = home / "bin" / "python"
    subprocess.run([*pip, "--python", python, "install", wheel], check=True, timeout=150)

    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    environ = {"PATH": os.environ["PATH"], "NOVITA_BASE_URL": "simulator"}

    def call(*arguments: str) -> str:
        command = [home / "bin" / "reconciler", *arguments]
        return subprocess.run(
            command, cwd=elsewhere, env=environ, check=True, capture_output=True, text=True, timeout=60
        ).stdout

    assert call("--version").startswith("reconciler ")
    assert '"$schema"' in call("schema", "specs")
    call("init")
    assert "The configuration is valid." in call("validate")
    assert "1 added" in call("apply", "--yes", "--html-into", "apply.html")
    assert "prefers-color-scheme" in (elsewhere / "apply.html").read_text()
    assert "No changes." in call("plan", "--detailed-exitcode")
