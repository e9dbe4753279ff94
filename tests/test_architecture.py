"""The rules of the house that no linter knows."""

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
def test_a_file_is_one_idea_that_its_docstring_says(path: Path) -> None:
    """Every module opens with a docstring and fits on a few screens."""
    text = path.read_text(encoding="utf-8")
    assert ast.get_docstring(ast.parse(text))
    assert text.count("\n") <= 350


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
    """What starts often starts fast."""
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
