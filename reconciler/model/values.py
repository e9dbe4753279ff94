"""JSON-like values: their types, and access to nested data by path."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from enum import Enum
from typing import Any, Final, TypeAlias

from reconciler.model.lazy_dataclass import dataclass

Json: TypeAlias = Any
"""A result of `json.loads`: None, bool, int, float, str, list, dict."""

Value: TypeAlias = Any
"""Json in which a `Secret`, a `Sealed` or a `Reference` may stand for a string."""

Fields: TypeAlias = Mapping[str, Any]
"""An endpoint in normal form: the create payload with `envs` and `volumeMounts` keyed, numbers as ints."""

Path: TypeAlias = tuple[str, ...]
"""Wire segments: ("workerConfig", "maxNum"), ("envs", "HF_TOKEN")."""

DataPath: TypeAlias = tuple[str | int, ...]
"""Keys and list indexes that lead to a value in nested data."""

UNKNOWN_TEXT: Final = "(known after apply)"
"""Stands for the ID of a resource that is yet to be created, in all texts."""


@dataclass(frozen=True, slots=True)
class Reference:
    """The ID of the resource `name` of a type. A plan shows it as `(known after apply)`.

    It has no JSON form, so that it cannot be sent or recorded before it is resolved.
    """

    type: str
    name: str

    @property
    def address(self) -> str:
        """Return the address of the resource, such as `novita_registry.hub`."""
        return f"{self.type}.{self.name}"

    def __str__(self) -> str:
        return UNKNOWN_TEXT


JSON_SCALARS: Final[frozenset[type]] = frozenset({str, int, bool, float, type(None)})
"""The types of single values in JSON."""

SCALAR_TYPES: Final[frozenset[type]] = JSON_SCALARS | {Reference}
"""The types of single values without secrets. Most values have such a type, and the test is fast."""


LARGEST_NUMBER: Final = 2**63 - 1
"""The largest number that Novita uses."""


class Absent(Enum):
    """The type of `ABSENT`."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT
"""Stands for a field that has no value, which is not the same as null."""


def is_plain_data(value: Value, scalars: Collection[type] = SCALAR_TYPES) -> bool:
    """Return True if the value holds neither a `Secret` nor a `Sealed`, but only these single values."""
    if value.__class__ is dict:
        value = value.values()
    elif value.__class__ is not list:
        return value.__class__ in scalars
    for item in value:  # noqa: SIM110 - `all` takes half as long again
        if item.__class__ not in scalars and not is_plain_data(item, scalars):
            return False
    return True


def has_path(data: Any, path: DataPath) -> bool:
    """Return True if a value exists at a path of keys, even if it is null."""
    for step in path:
        if not isinstance(data, Mapping) or step not in data:
            return False
        data = data[step]
    return True


def without_paths(data: Any, paths: Collection[DataPath]) -> Any:
    """Return a copy without the values at these paths; list items become null, so that no item moves."""
    leaf_keys = {path[0] for path in paths if len(path) == 1}
    below: dict[str | int, list[DataPath]] = {}
    for path in paths:
        if len(path) > 1 and path[0] not in leaf_keys:
            below.setdefault(path[0], []).append(path[1:])
    if isinstance(data, Mapping):
        return {
            key: without_paths(value, below[key]) if key in below else value
            for key, value in data.items()
            if key not in leaf_keys
        }
    if isinstance(data, list):
        return [
            None if index in leaf_keys else without_paths(value, below[index]) if index in below else value
            for index, value in enumerate(data)
        ]
    return data


def leaves(tree: Fields, above: Path = ()) -> Iterator[tuple[Path, Value]]:
    """Yield (path, value) for every value that is not a map."""
    for key, value in tree.items():
        path = (*above, key)
        if value.__class__ not in SCALAR_TYPES and isinstance(value, Mapping):
            yield from leaves(value, path)
        else:
            yield path, value


def value_at(tree: Any, path: Path) -> Value | Absent:
    """Return the value at a path, or ABSENT."""
    for segment in path:
        if not (tree.__class__ is dict or isinstance(tree, Mapping)) or segment not in tree:
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


def nested(path: Path, value: Value) -> dict[str, Any]:
    """Return a tree that has only this value."""
    head, *rest = path
    return {head: nested(tuple(rest), value) if rest else value}


def is_below(path: Path, prefix: Path) -> bool:
    """Return True if a path begins with `prefix`, in which a step may be a glob, such as `WAVERLESS_*`."""
    return len(path) >= len(prefix) and all(
        step == wanted or ("*" in wanted and matches_glob(step, wanted))
        for step, wanted in zip(path, prefix, strict=False)
    )


def matches_glob(text: str, glob: str) -> bool:
    """Return True if a text is `glob`, in which `*` stands for any characters. The time is linear."""
    first, *parts = glob.split("*")
    if not parts:
        return text == glob
    if not text.startswith(first):
        return False
    position = len(first)
    for part in parts[:-1]:
        found = text.find(part, position)
        if found < 0:
            return False
        position = found + len(part)
    return text.endswith(parts[-1]) and len(text) - len(parts[-1]) >= position


def paths_of_glob(path: Path, *trees: Fields) -> tuple[Path, ...]:
    """Return the paths in these trees that a path stands for whose last step may be a glob."""
    *above, glob = path
    if "*" not in glob:
        return (path,)
    keys: dict[str, None] = {}
    for tree in trees:
        inner = value_at(tree, tuple(above))
        if isinstance(inner, Mapping):
            keys |= dict.fromkeys(key for key in inner if matches_glob(key, glob))
    return tuple((*above, key) for key in keys)


def escaped(value: Value) -> Value:
    """Return the value as YAML spells it: `$${` for `${`, which would begin a reference."""
    match value:
        case str():
            return value.replace("${", "$${")
        case list():
            return [escaped(item) for item in value]
        case dict() | Mapping():
            return {key: escaped(item) for key, item in value.items()}
        case _:
            return value


def has_reference(value: Any) -> bool:
    """Return True if a value is or holds a reference."""
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list):
        return value.__class__ is Reference
    for item in value:  # noqa: SIM110 - `any` takes twice as long
        if item.__class__ not in JSON_SCALARS and has_reference(item):
            return True
    return False


def replace_references(value: Any, substitute: Any) -> Any:
    """Return the value with `substitute(reference)` for each reference; the value itself without one."""
    if not has_reference(value):
        return value
    if value.__class__ is Reference:
        return substitute(value)
    if isinstance(value, dict):
        return {key: replace_references(item, substitute) for key, item in value.items()}
    return [replace_references(item, substitute) for item in value]


def unknown_parts(value: Any) -> Any:
    """Return true for a reference, and for a map or a list its unknown parts, as Terraform's `after_unknown`.

    Known parts of a map are left out, those of a list are empty.
    """
    if isinstance(value, dict):
        return {key: unknown_parts(item) for key, item in value.items() if has_reference(item)}
    if isinstance(value, list):
        return [unknown_parts(item) if has_reference(item) else {} for item in value]
    return value.__class__ is Reference
