"""Where a run may write: an output takes the place of nothing but what an earlier run wrote there for it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from reconciler.config.files.discovery import SUFFIXES, layers
from reconciler.config.settings import CONFIG_FILES
from reconciler.inventory.paths import beside, resolve
from reconciler.model.problem import Problem
from reconciler.workflow.runtime.context import STATE, WORLD, Context

LARGEST: Final = 1 << 30
"""Bytes; a larger file is none of ours."""

_HEADS: Final[Mapping[str, re.Pattern[bytes]]] = {
    "json": re.compile(rb'\s*\{\s*"format_version":.{,200}"tool_version":', re.DOTALL),
    "plan": re.compile(rb'\s*\{\s*"format_version":.{,200}"tool_version":', re.DOTALL),
    "markdown": re.compile(rb"## reconciler [a-z]"),
    "html": re.compile(rb"<!doctype html>.{,2000}<title>reconciler [a-z]", re.DOTALL),
    "junit": re.compile(rb'<\?xml [^>]*>\s*<testsuites name="reconciler"'),
}
_WHAT: Final[Mapping[str, str]] = {
    "json": "JSON document",
    "plan": "saved plan",
    "markdown": "Markdown report",
    "html": "HTML report",
    "junit": "JUnit report",
}
_MAP: Final = re.compile(rb'.*"endpoints":\s*\{', re.DOTALL)
_PROMISE: Final = b'"saved_plan":'
_SETTINGS: Final = (*CONFIG_FILES, Path("specs.yaml"), Path("config/specs.yaml"))
_TOP: Final = tuple(Path(f"endpoints{suffix}") for suffix in SUFFIXES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One file that a run is to write: by which option, as what kind (`json`, ..., `plan`), and where."""

    option: str
    kind: str
    path: str


def refusals(context: Context, wanted: Iterable[Wanted], *, force: bool = False) -> Iterator[Problem]:
    """Why these files cannot all be written. With `force` only two outputs in one place are refused."""
    taken: dict[tuple[int, int] | str, str] = {}
    for one in wanted:
        path = context.root / one.path
        if path.exists() and not path.is_file():
            continue  # a device, or a pipe: nothing is replaced
        other = taken.setdefault(_identity(path), one.option)
        if other != one.option:
            yield _refusal(f"{other} and {one.option} name the same file, {one.path}", "name two files")
        elif not force and (why := foreign(path, one.kind) or _reserved(context, path)):
            yield _refusal(f"{one.option} {one.path}: {why}", "name another file, or pass --force")


def foreign(path: Path, kind: str) -> str:
    """What is wrong with writing this kind over what is there; "" where it is an earlier one, or nothing."""
    is_ours = _holds(path, _HEADS[kind], kind == "plan" if kind in ("plan", "json") else None)
    return (
        "" if is_ours else f"{path.name or path} is there already and is no {_WHAT[kind]} of an earlier run"
    )


def state_path_problem(context: Context) -> Problem | None:
    """Why --state cannot be where the inventory is: something else is read from there."""
    if (why := _read(context, context.state_path)) is None:
        return None
    hint = "name a file of its own, such as --state state/prod.json"
    return _refusal(f"--state {context.state}: {why}", hint)


def foreign_inventory(context: Context) -> Problem | None:
    """Why a new inventory must not replace what is there: it looks like none, not even a broken one."""
    path = resolve(context.state_path)
    companions = (beside(path, suffix) for suffix in (".journal", ".history.jsonl", ".backup", ".lock"))
    if context.state == STATE or any(one.exists() for one in companions) or _is_map(path):
        return None
    hint = "name another file with --state, or pass --force"
    return _refusal(f"{context.state} is there already and is no inventory", hint)


def import_refusal(context: Context, path: Path) -> str:
    """Why `import` must not write endpoints there, though nothing is there yet; "" where it may."""
    if _identity(path) in {_identity(context.root / name) for name in _SETTINGS}:
        return "settings or specs are read from there"
    return _of_inventory(context, path) or ""


def _is_map(path: Path) -> bool:
    """Whether a file is absent or empty, an inventory, or what is left of one."""
    if not _holds(path, _MAP) or not path.exists():
        return not path.exists()
    try:
        found = json.loads(path.read_bytes() or b"{")
    except ValueError:
        return True
    return isinstance(found, dict) and isinstance(found.get("format"), int)


def _holds(path: Path, head: re.Pattern[bytes], promise: bool | None = None) -> bool:
    """Whether a file is empty or absent, or begins so; and whether it does hold a saved plan, or does not."""
    try:
        if not path.exists() or path.stat().st_size == 0:
            return True
        if path.stat().st_size > LARGEST:
            return False
        data = path.read_bytes()
    except OSError:
        return False
    return head.match(data) is not None and promise in (None, _PROMISE in data)


def _reserved(context: Context, path: Path) -> str | None:
    """What else the path is for, whether there is such a file yet or not."""
    return _of_inventory(context, path) or _read(context, path)


def _of_inventory(context: Context, path: Path) -> str | None:
    real, state = Path(os.path.realpath(path)), Path(os.path.realpath(context.state_path))
    if real == state or (real.parent == state.parent and real.name.startswith(f"{state.name}.")):
        return "that file belongs to the inventory"
    return None


def _read(context: Context, path: Path) -> str | None:
    """Which input of a run the path is, or would become."""
    root, real = context.root, Path(os.path.realpath(path))
    if real.name == ".env" or real.name.startswith(".env."):
        return "variables of the environment are kept there"
    inputs = [root / name for name in (*_SETTINGS, *_TOP, WORLD, *context.files)]
    inputs += [file for layer in layers(root, context.files) for file in layer.files]
    if _identity(path) in map(_identity, inputs):
        return "a run reads that file"
    folders = [Path(os.path.realpath(root / folder)) for folder in (context.files or (Path("endpoints"),))]
    if real.suffix.lower() in SUFFIXES and any(folder in real.parents for folder in folders):
        return "a run reads every such file in that folder"
    return None


def _identity(path: Path) -> tuple[int, int] | str:
    """The same for two names of one file, links of either kind included."""
    try:
        found = path.stat()
    except OSError:
        return os.path.realpath(path)
    return found.st_dev, found.st_ino


def _refusal(summary: str, hint: str) -> Problem:
    return Problem(code="would-replace", summary=f"nothing was done: {summary}", hint=hint)
