"""Nested data by paths: its leaves, the value at a path, the data without some paths."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, TypeAlias

from reconciler.model.plan import ABSENT, Absent
from reconciler.model.values import SCALAR_TYPES, Fields, Path, Value

DataPath: TypeAlias = tuple[str | int, ...]


def has(data: Any, path: DataPath) -> bool:
    """Whether there is a value at a path, null included."""
    for step in path:
        if not isinstance(data, Mapping) or step not in data:
            return False
        data = data[step]
    return True


def without(data: Any, paths: Collection[DataPath]) -> Any:
    """A copy without what stands at these paths; in lists it becomes null, so that no other item moves."""
    leaves = {path[0] for path in paths if len(path) == 1}
    below: dict[str | int, list[DataPath]] = {}
    for path in paths:
        if len(path) > 1 and path[0] not in leaves:
            below.setdefault(path[0], []).append(path[1:])
    if isinstance(data, Mapping):
        return {
            key: without(value, below[key]) if key in below else value
            for key, value in data.items()
            if key not in leaves
        }
    if isinstance(data, list):
        return [
            None if index in leaves else without(value, below[index]) if index in below else value
            for index, value in enumerate(data)
        ]
    return data


def leaves(tree: Fields, above: Path = ()) -> Iterator[tuple[Path, Value]]:
    """(path, value) for every value that is not a map."""
    for key, value in tree.items():
        path = (*above, key)
        if value.__class__ not in SCALAR_TYPES and isinstance(value, Mapping):
            yield from leaves(value, path)
        else:
            yield path, value


def value_at(tree: Any, path: Path) -> Value | Absent:
    """The value at a path, or ABSENT."""
    for segment in path:
        if not isinstance(tree, dict | Mapping) or segment not in tree:
            return ABSENT
        tree = tree[segment]
    return tree


def with_path_from(tree: Fields, other: Fields, path: Path) -> dict[str, Any]:
    """Return `tree` with the value that `other` has at `path`, or without one if `other` has none."""
    head, *rest = path
    changed = dict(tree)
    if not rest:
        if head in other:
            changed[head] = other[head]
        else:
            changed.pop(head, None)
    elif isinstance(tree.get(head), Mapping):
        inner = other.get(head)
        changed[head] = with_path_from(tree[head], inner if isinstance(inner, Mapping) else {}, tuple(rest))
    return changed
