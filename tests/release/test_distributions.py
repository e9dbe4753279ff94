"""The wheel and the source distribution are the whole tool, from any folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PIP = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")


@pytest.mark.slow
def test_both_distributions_in_an_empty_environment_are_the_whole_tool(dist: Path, tmp_path: Path) -> None:
    """The wheel is built from the source distribution, so that its use shows that both are complete."""
    (wheel,) = dist.glob("novita_reconciler-*.whl")
    home = tmp_path / "environment"
    venv.create(home, with_pip=False)
    python = home / "bin" / "python"
    subprocess.run([*PIP, "--python", python, "install", wheel], check=True, timeout=150)

    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    environ = {"PATH": os.environ["PATH"], "NOVITA_BASE_URL": "simulator"}

    def call(*arguments: str, program: str = "reconciler") -> str:
        command = [home / "bin" / program, *arguments]
        return subprocess.run(
            command, cwd=elsewhere, env=environ, check=True, capture_output=True, text=True, timeout=60
        ).stdout

    assert call("--version").startswith("reconciler ")
    assert call("--version", program="novita-reconciler") == call("--version")
    assert '"$schema"' in call("schema", "specs")
    call("init")
    assert "The configuration is valid." in call("validate")
    assert "1 added" in call("apply", "--yes", "--html-into", "apply.html")
    assert "prefers-color-scheme" in (elsewhere / "apply.html").read_text()
    assert "No changes." in call("plan", "--detailed-exitcode")
    assert ".TH RECONCILER 1" in (home / "share" / "man" / "man1" / "reconciler.1").read_text()


@pytest.mark.slow
def test_every_link_of_the_page_on_pypi_leads_somewhere(dist: Path) -> None:
    """PyPI has no files of the repository: a link is absolute, or leads to a heading of the page."""
    (wheel,) = dist.glob("novita_reconciler-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
        page = archive.read(name).decode()
    prefix = "https://github.com/acme/novita-reconciler/blob/main/"

    links = re.findall(r"\]\(([^)]+)\)", page)

    assert [link for link in links if not link.startswith(("https://", "#"))] == []
    ours = {link.removeprefix(prefix).partition("#")[0] for link in links if link.startswith(prefix)}
    assert ours
    assert {path for path in ours if not (ROOT / path).exists()} == set()
