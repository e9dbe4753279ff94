"""Rules of the architecture that no linter checks."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted((ROOT / "reconciler").rglob("*.py"))

QUICKSTART = str(ROOT / "examples" / "quickstart")
HEAVY = {"deepdiff", "filelock", "httpx", "jsonschema", "jsonschema_rs", "rich", "stamina", "yaml"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_has_a_docstring_and_fits_on_a_few_screens(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert ast.get_docstring(ast.parse(text))
    assert text.count("\n") <= 350


MAX_MODULES = 18
MAX_MODULES_OF = {"cli/commands": 30, "planning": 21}
"""Folders that may hold more: one module per command, and one per rule of a plan."""

GERUNDS = {"encoding", "masking", "matching", "paging", "pending", "settings"}
"""Words of the field that may end in -ing in a file name."""

FOLDERS = sorted({path.parent for path in SOURCES})


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_folder_holds_few_modules(folder: Path) -> None:
    """A reader can take in a folder at a glance; families have folders of their own."""
    modules = [path for path in folder.glob("*.py") if path.name != "__init__.py"]
    name = folder.relative_to(ROOT / "reconciler").as_posix()
    assert len(modules) <= MAX_MODULES_OF.get(name, MAX_MODULES)


def test_modules_are_named_by_nouns() -> None:
    """Names such as `looking` or `holding` do not say what a module holds."""
    words = {word: path for path in SOURCES for word in path.stem.split("_")}
    gerunds = {word for word in words if word.endswith(("ing", "ings"))}
    assert {str(words[word]) for word in gerunds - GERUNDS} == set()


@pytest.mark.parametrize(
    ("arguments", "allowed"),
    [
        (["--version"], set()),
        (["--help"], set()),
        (["validate", "--help"], set()),
        (["-C", QUICKSTART, "validate"], {"yaml", "jsonschema_rs"}),
        (["-C", QUICKSTART, "plan"], {"yaml", "jsonschema_rs", "httpx", "stamina"}),
    ],
    ids=["version", "help", "validate-help", "validate", "plan"],
)
def test_commands_import_only_what_they_use(arguments: list[str], allowed: set[str]) -> None:
    """Each import costs time at every start."""
    script = (
        "import os, sys\n"
        "os.environ['NOVITA_BASE_URL'] = 'simulator'\n"
        "os.environ['RECONCILER_SIMULATOR_KEEPS_SECRETS'] = 'yes'\n"
        "from reconciler.cli.main import run\n"
        f"assert run({arguments!r}) == 0\n"
        f"print(*sorted({HEAVY!r} & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert set(done.stderr.split()) <= allowed
