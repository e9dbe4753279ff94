"""The other package of PyPI that is imported as `reconciler`, in the same environment."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def install_namesake(folder: Path, init: str | None) -> None:
    """Put the namesake into a folder, as pip does; its `__init__.py` replaces ours if it is not None."""
    facts = folder / "reconciler-0.2.2.dist-info"
    facts.mkdir(parents=True)
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: reconciler\nVersion: 0.2.2\n")
    if init is not None:
        shutil.copy(ROOT / "novita_reconciler.py", folder)
        (folder / "reconciler").mkdir()
        (folder / "reconciler" / "__init__.py").write_text(init)


def call(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": f"{folder}:{ROOT}", "NOVITA_BASE_URL": "simulator"}
    command = [sys.executable, "-c", "from novita_reconciler import main; main()", *arguments]
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    "init",
    ["import a_package_that_is_not_installed\n", '__version__ = "0.2.2"\n'],
    ids=["its import fails", "its import works"],
)
def test_a_start_with_replaced_files_says_how_to_repair_them(tmp_path: Path, init: str) -> None:
    install_namesake(tmp_path, init)

    done = call(tmp_path, "--version")

    assert done.returncode == 1
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert "pipx install novita-reconciler" in done.stderr
    assert "python -m pip install --force-reinstall novita-reconciler" in done.stderr


def test_doctor_warns_of_the_namesake(tmp_path: Path) -> None:
    install_namesake(tmp_path, None)

    shown = call(tmp_path, "doctor").stdout

    assert "the package `reconciler` 0.2.2 of PyPI is installed too" in " ".join(shown.split())


def test_another_failure_of_an_import_is_not_blamed_on_the_namesake(tmp_path: Path) -> None:
    (tmp_path / "click.py").write_text("raise ImportError('click is broken')\n")

    done = call(tmp_path, "plan")

    assert "click is broken" in done.stderr
    assert "pipx" not in done.stderr
