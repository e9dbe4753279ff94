"""Parts of nested data by their paths: whether there is one, and the data without some."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from reconciler.config.wording import Steps


def has(data: Any, path: Steps) -> bool:
    """Whether there is a value at a path, null included."""
    for step in path:
        if not isinstance(data, Mapping) or step not in data:
            return False
        data = data[step]
    return True


def without(data: Any, paths: Collection[Steps]) -> Any:
    """A copy without what stands at these paths; in lists it becomes null, so that no other item moves."""
    leaves = {path[0] for path in paths if len(path) == 1}
    below: dict[str | int, list[Steps]] = {}
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
