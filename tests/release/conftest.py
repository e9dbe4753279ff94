"""The distributions that the tests of a release install."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = (
    *("pyproject.toml", "novita_reconciler.py", "README.md", "LICENSE", "CHANGELOG.md"),
    "docs/reconciler.1",
)


@pytest.fixture(scope="session")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the source distribution, and with the wheel that is built from it."""
    source = tmp_path_factory.mktemp("source")
    for name in ("reconciler", "schemas"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        (source / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, source / name)
    built = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--outdir", built, source]
    subprocess.run(build, check=True, timeout=200, stdout=subprocess.DEVNULL)
    return built
