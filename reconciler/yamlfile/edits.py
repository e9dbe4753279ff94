"""Edits of a file of data as values, and what the data is after them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, zip_longest
from typing import Literal, TypeAlias, assert_never

from reconciler.model.values import Json

Spot: TypeAlias = tuple[str | int, ...]
"""Keys of maps and indexes of lists, from the top of the file: ("endpoints", 0, "image")."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Set:
    """Give the key or the item at `path` this value; maps that are missing on the way are made."""

    path: Spot
    value: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Remove:
    """Take away the key or the item at `path`, if it is there, and every map that is emptied by it."""

    path: Spot


@dataclass(frozen=True, slots=True, kw_only=True)
class Append:
    """Add an item to the list at `path`, which is made if it is missing, with a comment on the line above."""

    path: Spot
    value: Json
    comment: str = ""


Edit: TypeAlias = Set | Remove | Append


def under(prefix: Spot, edits: Iterable[Edit]) -> tuple[Edit, ...]:
    """The same edits, of what stands at `prefix`."""
    return tuple(replace(edit, path=(*prefix, *edit.path)) for edit in edits)


def edited_data(data: Json, edits: Iterable[Edit]) -> Json:
    """A copy of the data after the edits. Raises LookupError for a path that leads nowhere."""
    for edit in edits:
        match edit:
            case Set():
                data = _with(data, edit.path, edit.value)
            case Append():
                listed = _at(data, edit.path)
                data = _with(data, edit.path, [*(listed if isinstance(listed, list) else ()), edit.value])
            case Remove():
                data = _without(data, edit.path)
            case _:
                assert_never(edit)
    return data


def rounds(edits: Iterable[Edit]) -> list[list[Edit]]:
    """The same edits in few rounds: one look is enough for all of one, from the end of a file to its start.

    What is done inside of one item of a list is nothing to another item: a round has the first edit of each,
    the next one the second. Items leave together, but for the first, which may leave an empty list.
    """
    found: list[list[Edit]] = []
    for scope, run in groupby(edits, key=_scope):
        if scope == "item":
            of_each: dict[Spot, list[Edit]] = {}
            for edit in run:
                of_each.setdefault(edit.path[:2], []).append(edit)
            found += ([edit for edit in turn if edit] for turn in zip_longest(*of_each.values()))
        elif scope == "items":
            found += (list(others) for _, others in groupby(run, key=lambda edit: edit.path[1] == 0))
        else:
            found += ([edit] for edit in run)
    return found


def _scope(edit: Edit) -> Literal["item", "items", "all"]:
    """What an edit may be about: the inside of one item of a list, which items there are, or anything."""
    if len(edit.path) > 2 and isinstance(edit.path[1], int):
        return "item"
    is_whole = isinstance(edit, Remove) and len(edit.path) == 2 and isinstance(edit.path[1], int)
    return "items" if is_whole else "all"


def _at(data: Json, path: Spot) -> Json:
    for step in path:
        if isinstance(data, dict) and isinstance(step, str):
            data = data.get(step)
        elif isinstance(data, list) and isinstance(step, int) and step < len(data):
            data = data[step]
        else:
            return None
    return data


def _with(data: Json, path: Spot, value: Json) -> Json:
    if not path:
        return value
    step, rest = path[0], path[1:]
    if isinstance(step, str) and (data is None or isinstance(data, dict)):
        known = data or {}
        return {**known, step: _with(known.get(step), rest, value)}
    if isinstance(step, int) and isinstance(data, list) and step < len(data):
        return _replaced(data, step, [_with(data[step], rest, value)])
    raise LookupError(step)


def _without(data: Json, path: Spot) -> Json:
    step, rest = path[0], path[1:]
    if isinstance(data, dict) and isinstance(step, str) and step in data:
        below = _without(data[step], rest) if rest else None
        if not rest or (below == {} and data[step] != {}):
            return {key: item for key, item in data.items() if key != step}
        return {**data, step: below}
    if isinstance(data, list) and isinstance(step, int) and step < len(data):
        return _replaced(data, step, [_without(data[step], rest)] if rest else [])
    return data


def _replaced(items: Sequence[Json], index: int, by: Sequence[Json]) -> list[Json]:
    return [*items[:index], *by, *items[index + 1 :]]
