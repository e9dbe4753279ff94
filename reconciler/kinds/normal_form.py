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
_TEXT, _NUMBER, _LIST = Shape.TEXT, Shape.NUMBER, Shape.LIST
_OBJECT, _TEXTS, _OBJECTS = Shape.OBJECT, Shape.TEXTS, Shape.OBJECTS


def misfits(
    table: FieldTable, fields: Mapping[str, Any], where: str, is_single: Callable[[Any], bool] = is_single
) -> Iterator[str]:
    """Return a sentence for each field that does not have the normal form; `where` names the fields in it.

    A field that is not in the table may have any build, up to a depth.
    """
    shapes = table.shapes
    for key, value in fields.items():
        shape = shapes.get(key)
        if _fits(value, shape, is_single):
            continue
        match shape:
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


def _fits(value: Any, shape: Shape | None, is_single: Callable[[Any], bool]) -> bool:
    """Return True for a value that has the form of its shape; other values are examined one by one."""
    if shape is _TEXT or shape is _NUMBER:
        return value.__class__ is str or is_single(value)
    if value.__class__ is dict and (shape is _OBJECT or shape is _TEXTS):
        return _are_single(value, is_single)
    if value.__class__ is dict and shape is _OBJECTS:
        value = [*value.values()]
    elif value.__class__ is not list or shape is not _LIST:
        return False
    return all(item.__class__ is dict and _are_single(item, is_single) for item in value)


def _are_single(values: Mapping[str, Any], is_single: Callable[[Any], bool]) -> bool:
    for value in values.values():  # noqa: SIM110 - `all` takes half as long again
        if value.__class__ is not str and not is_single(value):
            return False
    return True


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
