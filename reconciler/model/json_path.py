"""Paths into a JSON value, as far as a probe needs them: `$.choices[0].message.content`, `$["a b"][-1]`.

This is a part of RFC 9535: names and indexes. A whole implementation would be a dependency of every user.
"""

from __future__ import annotations

import re
from typing import Final

from reconciler.model.values import Json

_STEP: Final = re.compile(
    r"""\.(?P<name>[^\W\d][\w-]*)|\[(?P<index>-?\d{1,9})\]|\["(?P<text>[^"\\]*)"\]|\['(?P<word>[^'\\]*)'\]"""
)

Step = str | int


def parse_json_path(text: str) -> tuple[Step, ...]:
    """Return the names and indexes of a path. Raise ValueError for anything else."""
    if not text.startswith("$"):
        raise ValueError("a path begins with $")
    steps: list[Step] = []
    position = 1
    while position < len(text):
        step = _STEP.match(text, position)
        if step is None:
            raise ValueError(f'{text[position : position + 20]!r} is neither .name, [0] nor ["name"]')
        index = step["index"]
        name = next((part for part in step.group("name", "text", "word") if part is not None), "")
        steps.append(name if index is None else int(index))
        position = step.end()
    return tuple(steps)


def value_at(value: Json, path: tuple[Step, ...]) -> Json:
    """Return the value at a path. Raise LookupError if there is none."""
    for step in path:
        match value, step:
            case dict(), str() if step in value:
                value = value[step]
            case list(), int() if -len(value) <= step < len(value):
                value = value[step]
            case _:
                raise LookupError(step)
    return value
