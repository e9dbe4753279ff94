"""Checks of output paths: an output replaces only what an earlier run wrote there for the same purpose."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from reconciler.config.environments import CONFIG_FILES
from reconciler.config.files.discovery import SUFFIXES, search_layers
from reconciler.inventory.files import companion
from reconciler.inventory.stores.file.store import file_of
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Problem
from reconciler.workflow.runtime.context import SIMULATOR_FILE, STATE, Context

MAX_BYTES: Final = 1 << 30
"""Bytes. Larger files were not written by reconciler."""

_HEADERS: Final[Mapping[str, re.Pattern[bytes]]] = {
    "json": re.compile(rb'\s*\{\s*"format_version":.{,200}"tool_version":', re.DOTALL),
    "plan": re.compile(rb'\s*\{\s*"format_version":.{,200}"tool_version":', re.DOTALL),
    "markdown": re.compile(rb"## reconciler [a-z]"),
    "html": re.compile(rb"<!doctype html>.{,2000}<title>reconciler [a-z]", re.DOTALL),
    "junit": re.compile(rb'<\?xml [^>]*>\s*<testsuites name="reconciler"'),
    "inventory": re.compile(rb'.*"endpoints":\s*\{.*"format":\s*\d', re.DOTALL),
}
_KIND_NAMES: Final[Mapping[str, str]] = {
    "json": "JSON document",
    "plan": "saved plan",
    "markdown": "Markdown report",
    "html": "HTML report",
    "junit": "JUnit report",
    "inventory": "pulled inventory",
}
_INVENTORY_PATTERN: Final = re.compile(rb'.*"endpoints":\s*\{', re.DOTALL)
_SAVED_PLAN_KEY: Final = b'"saved_plan":'
_SETTINGS_FILES: Final = (*CONFIG_FILES, Path("specs.yaml"), Path("config/specs.yaml"))
_DEFAULT_FILES: Final = tuple(Path(f"endpoints{suffix}") for suffix in SUFFIXES)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputFile:
    """A file to write: the option that names it, its kind (a key of `_HEADERS`) and its path."""

    option: str
    kind: str
    path: str


def output_problems(
    context: Context, outputs: Iterable[OutputFile], *, force: bool = False
) -> Iterator[Problem]:
    """Yield an error for each file that must not be written. `force` only forbids the same file twice."""
    options: dict[tuple[int, int] | str, str] = {}
    for output in outputs:
        path = context.root / output.path
        if path.exists() and not path.is_file():
            continue  # a device or a pipe: nothing is replaced
        other = options.setdefault(_identity(path), output.option)
        if other != output.option:
            yield _problem(f"{other} and {output.option} name the same file, {output.path}", "name two files")
        elif not force and (why := overwrite_error(path, output.kind) or _reserved_error(context, path)):
            yield _problem(f"{output.option} {output.path}: {why}", "name another file, or pass --force")


def overwrite_error(path: Path, kind: str) -> str:
    """Return why an output of this kind must not replace the file; "" if it may, or if there is none."""
    is_plan = kind == "plan" if kind in ("plan", "json") else None
    if _has_content(path, _HEADERS[kind], is_plan):
        return ""
    return f"{path.name or path} already exists and is not a {_KIND_NAMES[kind]} of an earlier run"


def state_path_problem(context: Context) -> Problem | None:
    """Return an error if --state names a file that a run reads for another purpose.

    Raise InventoryError for an address that cannot be used.
    """
    path = file_of(context.store)
    if path is None or (why := _input_error(context, path)) is None:
        return None
    hint = "name a file of its own, such as --state state/prod.json"
    return _problem(f"--state {context.state}: {why}", hint)


def inventory_overwrite_problem(context: Context) -> Problem | None:
    """Return an error if a new inventory would replace a file that is not one, not even a damaged one."""
    if (path := file_of(context.store)) is None:
        return None
    companions = (companion(path, suffix) for suffix in (".journal", ".history.jsonl", ".backup", ".lock"))
    if context.state == STATE or any(file.exists() for file in companions) or _may_be_inventory(path):
        return None
    hint = "name another file with --state, or pass --force"
    return _problem(f"{context.state} already exists and is not an inventory", hint)


def import_path_error(context: Context, path: Path) -> str:
    """Return why `import` must not create this file; "" if it may."""
    if _identity(path) in {_identity(context.root / name) for name in _SETTINGS_FILES}:
        return "settings or specs are read from that file"
    return _inventory_error(context, path) or ""


def _may_be_inventory(path: Path) -> bool:
    """Return whether a file is missing, empty, an inventory, or a damaged inventory."""
    if not _has_content(path, _INVENTORY_PATTERN) or not path.exists():
        return not path.exists()
    try:
        document = json.loads(path.read_bytes() or b"{")
    except ValueError:
        return True
    return isinstance(document, dict) and isinstance(document.get("format"), int)


def _has_content(path: Path, header: re.Pattern[bytes], has_saved_plan: bool | None = None) -> bool:
    """Return whether a file is missing, empty, or begins with this header.

    Unless it is None, `has_saved_plan` says whether the file must contain a saved plan or must not.
    """
    try:
        if not path.exists() or path.stat().st_size == 0:
            return True
        if path.stat().st_size > MAX_BYTES:
            return False
        data = path.read_bytes()
    except OSError:
        return False
    return header.match(data) is not None and has_saved_plan in (None, _SAVED_PLAN_KEY in data)


def _reserved_error(context: Context, path: Path) -> str | None:
    """Return why the path is reserved, whether the file exists or not."""
    return _inventory_error(context, path) or _input_error(context, path)


def _inventory_error(context: Context, path: Path) -> str | None:
    if (file := file_of(context.store)) is None:
        return None
    real, state = Path(os.path.realpath(path)), Path(os.path.realpath(file))
    if real == state or (real.parent == state.parent and real.name.startswith(f"{state.name}.")):
        return "that file belongs to the inventory"
    return None


def _input_error(context: Context, path: Path) -> str | None:
    """Return an error if a run reads the path as input, or would."""
    root, real = context.root, Path(os.path.realpath(path))
    if real.name == ".env" or real.name.startswith(".env."):
        return "variables of the environment are kept there"
    inputs = [root / name for name in (*_SETTINGS_FILES, *_DEFAULT_FILES, SIMULATOR_FILE, *context.files)]
    inputs += [file for layer in search_layers(root, context.files) for file in layer.files]
    if _identity(path) in map(_identity, inputs):
        return "a run reads that file"
    folders = [Path(os.path.realpath(root / folder)) for folder in (context.files or (Path("endpoints"),))]
    if real.suffix.lower() in SUFFIXES and any(folder in real.parents for folder in folders):
        return "a run reads every such file in that folder"
    return None


def _identity(path: Path) -> tuple[int, int] | str:
    """Return a value that is equal for all names of one file, symbolic and hard links included."""
    try:
        status = path.stat()
    except OSError:
        return os.path.realpath(path)
    return status.st_dev, status.st_ino


def _problem(summary: str, hint: str) -> Problem:
    return Problem(code="would-replace", summary=f"nothing was done: {summary}", hint=hint)
