"""Check of fields that were kept on disk: edits by hand and merges may have bent their form.

Only the build is checked. A single value may be of any type, since it is only compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from reconciler.kinds.fields import FieldTable, Shape
from reconciler.model.encoding import json_line
from reconciler.model.secrets import is_single

DEEPEST: Final = 10


def misfits(
    table: FieldTable, fields: Mapping[str, Any], where: str, is_single: Callable[[Any], bool] = is_single
) -> Iterator[str]:
    """Return a sentence for each field that does not have the normal form; `where` names the fields in it.

    A field that is not in the table may have any build, up to a depth.
    """
    for key, value in fields.items():
        match table.shapes.get(key):
            case Shape.OBJECT | Shape.TEXTS | Shape.OBJECTS if not isinstance(value, dict):
                yield f"{_named(key, where)} must be an object"
            case Shape.OBJECTS:
                for name, item in value.items():
                    if isinstance(item, dict):
                        yield from _composite(item, name, is_single)
                    else:
                        yield f"{_named(name, key)} must be an object"
            case Shape.OBJECT | Shape.TEXTS:
                yield from _composite(value, key, is_single)
            case Shape.LIST if isinstance(value, list) and all(isinstance(item, dict) for item in value):
                for item in value:
                    yield from _composite(item, key, is_single)
            case Shape.LIST:
                yield f"{_named(key, where)} must be a list of objects"
            case shape if not _is_shallow(value, 0 if shape else DEEPEST, is_single):
                yield f"{_named(key, where)} must be a single value"


def _composite(values: Mapping[str, Any], where: str, is_single: Callable[[Any], bool]) -> Iterator[str]:
    for key, value in values.items():
        if value.__class__ is not str and not is_single(value):
            yield f"{_named(key, where)} must be a single value"


def _is_shallow(value: Any, depth: int, is_single: Callable[[Any], bool]) -> bool:
    """Return True for a single value, or for a composite of at most that depth."""
    if is_single(value) or not depth:
        return is_single(value)
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else (value,)
    return all(_is_shallow(item, depth - 1, is_single) for item in inner)


def _named(key: str, where: str) -> str:
    return f'{json_line(key)} in "{where}"'
