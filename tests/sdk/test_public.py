"""What `reconciler` offers to Python: documented, typed, and free of charge until it is used."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import reconciler

NAMES = [name for name in reconciler.__all__ if not name.startswith("_")]


def test_importing_the_package_imports_nothing_else() -> None:
    """Neither a dependency nor a module of its own."""
    script = (
        "import sys\n"
        "before = set(sys.modules)\n"
        "import reconciler\n"
        "print(*sorted(set(sys.modules) - before - {'reconciler'}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split() == []


@pytest.mark.parametrize("name", NAMES)
def test_every_public_name_is_documented(name: str) -> None:
    """So is each method that a user can call."""
    found = getattr(reconciler, name)
    assert inspect.getdoc(found)
    if inspect.isclass(found):
        own = [one for key, one in vars(found).items() if not key.startswith("_") and inspect.isroutine(one)]
        assert [one for one in own if not inspect.getdoc(one)] == []


def test_type_checkers_are_told_the_same_names() -> None:
    """The stub beside the package names what the package does."""
    stub = Path(reconciler.__file__).with_suffix(".pyi")
    imports = [node for node in ast.parse(stub.read_text()).body if isinstance(node, ast.ImportFrom)]
    assert sorted(alias.asname or "" for node in imports for alias in node.names) == sorted(NAMES)
    assert {getattr(reconciler, name).__module__ for name in NAMES} == {node.module for node in imports}
    assert (stub.parent / "py.typed").exists()


def test_an_unknown_name_is_an_attribute_error() -> None:
    """As of any module; `dir` lists the names that there are."""
    with pytest.raises(AttributeError, match="no attribute 'Provider'"):
        getattr(reconciler, "Provider")  # noqa: B009
    assert set(NAMES) <= set(dir(reconciler))
