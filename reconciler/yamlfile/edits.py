"""Edits of a data file as values, and their effect on the data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Literal, TypeAlias, assert_never

from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.values import DataPath, Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Set:
    """Set the value at `path`, and create missing maps above it."""

    path: DataPath
    value: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Remove:
    """Remove the key or the item at `path` if it exists, and every map that becomes empty."""

    path: DataPath


@dataclass(frozen=True, slots=True, kw_only=True)
class Append:
    """Add an item to the list at `path`, which is created if necessary, with a comment on the line above."""

    path: DataPath
    value: Json
    comment: str = ""


Edit: TypeAlias = Set | Remove | Append


def prefix_edits(prefix: DataPath, edits: Iterable[Edit]) -> tuple[Edit, ...]:
    """Return the edits with `prefix` before each path."""
    return tuple(replace(edit, path=(*prefix, *edit.path)) for edit in edits)


def apply_edits(data: Json, edits: Iterable[Edit]) -> Json:
    """Return a copy of the data after the edits. Raise LookupError for a path that does not exist."""
    for edit in edits:
        match edit:
            case Set():
                data = _set(data, edit.path, edit.value)
            case Append():
                current = _get(data, edit.path)
                data = _set(data, edit.path, [*(current if isinstance(current, list) else ()), edit.value])
            case Remove():
                data = _remove(data, edit.path)
            case _:
                assert_never(edit)
    return data


def edit_rounds(edits: Iterable[Edit]) -> list[list[list[Edit]]]:
    """Return the edits in few rounds of groups. The edits of a group apply one after the other.

    The groups of a round are independent and apply to one parsed text, from end to start: edits within
    different list items are. Items are removed together, except the first one, whose removal may leave an
    empty list.
    """
    result: list[list[list[Edit]]] = []
    for scope, run in groupby(edits, key=_scope):
        if scope == "item":
            by_item: dict[DataPath, list[Edit]] = {}
            for edit in run:
                by_item.setdefault(edit.path[:2], []).append(edit)
            result.append(list(by_item.values()))
        elif scope == "items":
            result += (
                [[edit] for edit in others] for _, others in groupby(run, key=lambda edit: edit.path[1] == 0)
            )
        else:
            result += ([[edit]] for edit in run)
    return result


def _scope(edit: Edit) -> Literal["item", "items", "all"]:
    """Return the scope of an edit: the inside of one list item, the items of a list, or all data."""
    if len(edit.path) > 2 and isinstance(edit.path[1], int):
        return "item"
    is_whole = isinstance(edit, Remove) and len(edit.path) == 2 and isinstance(edit.path[1], int)
    return "items" if is_whole else "all"


def _get(data: Json, path: DataPath) -> Json:
    for step in path:
        if isinstance(data, dict) and isinstance(step, str):
            data = data.get(step)
        elif isinstance(data, list) and isinstance(step, int) and step < len(data):
            data = data[step]
        else:
            return None
    return data


def _set(data: Json, path: DataPath, value: Json) -> Json:
    if not path:
        return value
    step, rest = path[0], path[1:]
    if isinstance(step, str) and (data is None or isinstance(data, dict)):
        known = data or {}
        return {**known, step: _set(known.get(step), rest, value)}
    if isinstance(step, int) and isinstance(data, list) and step < len(data):
        return _replaced(data, step, [_set(data[step], rest, value)])
    raise LookupError(step)


def _remove(data: Json, path: DataPath) -> Json:
    step, rest = path[0], path[1:]
    if isinstance(data, dict) and isinstance(step, str) and step in data:
        below = _remove(data[step], rest) if rest else None
        if not rest or (below == {} and data[step] != {}):
            return {key: item for key, item in data.items() if key != step}
        return {**data, step: below}
    if isinstance(data, list) and isinstance(step, int) and step < len(data):
        return _replaced(data, step, [_remove(data[step], rest)] if rest else [])
    return data


def _replaced(items: Sequence[Json], index: int, by: Sequence[Json]) -> list[Json]:
    return [*items[:index], *by, *items[index + 1 :]]
