"""Whether fields that were kept on disk have the normal form: hands edit files, and merges bend them.

Only their build is judged. A single value may be of any kind, for it is compared and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from reconciler.kinds.endpoint.fields import KEYED, OBJECTS
from reconciler.model.encoding import one_line
from reconciler.model.values import is_single

DEEPEST: Final = 10

_MAPS: Final = frozenset({*OBJECTS, *KEYED})
_LISTS: Final = frozenset({"ports", "products"})
_KNOWN: Final = frozenset({"name", "appName", "rootfsSize", "clusterID"})


def misfits(
    fields: Mapping[str, Any], where: str, is_single: Callable[[Any], bool] = is_single
) -> Iterator[str]:
    """What has another build than the normal form, each as a sentence; `where` names the fields in it.

    Of a field that is not known any build will do, within reason.
    """
    for key, value in fields.items():
        if key in _MAPS and not isinstance(value, dict):
            yield f"{_named(key, where)} must be an object"
        elif key == "volumeMounts":
            for path, mount in value.items():
                if isinstance(mount, dict):
                    yield from _composite(mount, path, is_single)
                else:
                    yield f"{_named(path, key)} must be an object"
        elif key in _MAPS:
            yield from _composite(value, key, is_single)
        elif key in _LISTS:
            if isinstance(value, list) and all(isinstance(item, dict) for item in value):
                for item in value:
                    yield from _composite(item, key, is_single)
            else:
                yield f"{_named(key, where)} must be a list of objects"
        elif not _is_shallow(value, DEEPEST if key not in _KNOWN else 0, is_single):
            yield f"{_named(key, where)} must be a single value"


def _composite(values: Mapping[str, Any], where: str, is_single: Callable[[Any], bool]) -> Iterator[str]:
    for key, value in values.items():
        if value.__class__ is not str and not is_single(value):
            yield f"{_named(key, where)} must be a single value"


def _is_shallow(value: Any, depth: int, is_single: Callable[[Any], bool]) -> bool:
    """Whether it is one value, or holds such ones, at most so deep."""
    if is_single(value) or not depth:
        return is_single(value)
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else (value,)
    return all(_is_shallow(item, depth - 1, is_single) for item in inner)


def _named(key: str, where: str) -> str:
    return f'{one_line(key)} in "{where}"'
