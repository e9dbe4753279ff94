"""Rules of the architecture that no linter checks."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from reconciler.model import durations

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted((ROOT / "reconciler").rglob("*.py"))

QUICKSTART = str(ROOT / "examples" / "quickstart")
HEAVY = {"deepdiff", "filelock", "httpx", "jsonschema", "jsonschema_rs", "rich", "stamina", "yaml"} | {
    "obstore",
    "psycopg",
    "psycopg_binary",
}


MAX_LINES = 350
MAX_LINES_OF = {"durations.py": 500}
"""A table, in which each value is looked up by its name."""


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_has_a_docstring_and_fits_on_a_few_screens(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert ast.get_docstring(ast.parse(text))
    assert text.count("\n") <= MAX_LINES_OF.get(path.name, MAX_LINES)


MAX_MODULES = 18
MAX_MODULES_OF = {
    "cli": 21,
    "cli/commands": 45,
    "workflow": 28,
    "planning": 23,
    "model": 22,
} | {"reports/views": 22}
"""Folders that may hold more: one module per command (twice), and one per rule of a plan."""

DURATION_WORDS = {
    "seconds",
    "timeout",
    "interval",
    "pause",
    "pauses",
    "delay",
    "delays",
    "poll",
    "budget",
    "heartbeat",
    "lifetime",
}
WAITING_CALLS = {"sleep", "wait", "pause", "join"}
OWN_DURATIONS = (
    *("reconciler/model/durations.py", "reconciler/model/sync/durations.py"),
    *("reconciler/simulator/", "reconciler/github_action/"),
)
"""Modules with durations: the tables, the simulated world, and a program that imports no other module."""


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_durations_are_defined_in_one_module(path: Path) -> None:
    """A pause that only its module knows is one that nobody adds up."""
    if path.relative_to(ROOT).as_posix().startswith(OWN_DURATIONS):
        return
    found = [found for node in ast.walk(ast.parse(path.read_text())) for found in _durations(node)]
    assert found == []


def _durations(node: ast.AST) -> Iterator[str]:
    """Yield constants with a duration, and waits and timeouts of a literal length."""
    match node:
        case (
            ast.Assign(targets=[ast.Name(id=name)], value=value)
            | ast.AnnAssign(target=ast.Name(id=name), value=value)
        ) if name.isupper() and _is_number(value) and DURATION_WORDS & set(name.lower().split("_")):
            yield name
        case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name), args=[argument, *_]) if (
            name in WAITING_CALLS and _is_number(argument)
        ):
            yield f"{name} at line {node.lineno}"
        case ast.keyword(arg="timeout", value=value) if _is_number(value):
            yield f"timeout at line {value.lineno}"


def _is_number(node: ast.expr | None) -> bool:
    """Return whether a node is a number other than 0, or a tuple of numbers."""
    match node:
        case ast.Constant(value=int() | float() as value):
            return bool(value)
        case ast.Tuple(elts=elements):
            return any(map(_is_number, elements))
    return False


@pytest.mark.parametrize(
    "line",
    [
        "RETRY_TIMEOUT = 3",
        "_POLL_INTERVAL: Final = 0.5",
        "SCAN_PAUSES: Final = (0.25, 0.5)",
        "time.sleep(0.1)",
        "event.wait(2)",
        "thread.join(1.5)",
        "run(command, timeout=5)",
    ],
)
def test_the_search_for_durations_finds_them(line: str) -> None:
    assert [found for node in ast.walk(ast.parse(line)) for found in _durations(node)]


def test_every_duration_has_a_positive_value_and_a_reason() -> None:
    body = ast.parse(Path(durations.__file__).read_text()).body
    for node, following in pairwise(body):
        if isinstance(node, ast.AnnAssign):
            assert isinstance(following, ast.Expr), ast.unparse(node)
    values = [value for name, value in vars(durations).items() if name.isupper()]
    assert len(values) == sum(isinstance(node, ast.AnnAssign) for node in body)
    assert all(max(value) if isinstance(value, tuple) else value for value in values)


GERUNDS = {"encoding", "masking", "matching", "paging", "pending", "rendering", "settings"}
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
    assert set(done.stderr.splitlines()[-1].split()) <= allowed


BEFORE_THE_FIRST_REQUEST = r"""
import os, sys
os.environ.update(NOVITA_BASE_URL="http://127.0.0.1:9", NOVITA_API_KEY="k")
from reconciler.novita.account import AccountReader
AccountReader.prefetch = lambda account: print(*sys.modules) or os._exit(0)
sys.stdout.reconfigure(line_buffering=True)
from reconciler.cli.main import run
run(sys.argv[1:])
"""

PLANS = ("reconciler.workflow.plan", "reconciler.config.loader", "reconciler.planning.planner")


@pytest.mark.parametrize("command", [["plan"], ["apply"], ["drift"], ["list"], ["destroy"], ["preview"]])
def test_the_first_request_leaves_before_the_modules_that_plan_are_imported(command: list[str]) -> None:
    """They load while the server answers; see docs/decisions/0039."""
    script = [sys.executable, "-c", BEFORE_THE_FIRST_REQUEST, "-C", QUICKSTART, *command]
    done = subprocess.run(script, capture_output=True, text=True, check=True, timeout=60)
    loaded = set(done.stdout.split())
    assert "reconciler.novita.account" in loaded
    assert loaded & {*(HEAVY - {"httpx"}), *PLANS} == set()
