"""The fields of a kind as one table, and what follows from it.

A row says all that is generic about a field; modules of a kind take what they need from the table.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from enum import Enum, auto
from functools import lru_cache
from typing import Any

from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.resource import Live
from reconciler.model.values import Absent, Fields, Path, Value


class Shape(Enum):
    """The build of a field in normal form."""

    TEXT = auto()
    NUMBER = auto()
    OBJECT = auto()
    """An object with fields of its own; an update leaves what it does not mention of them."""
    LIST = auto()
    """A list of objects."""
    TEXTS = auto()
    """A map of texts; the declared map is the whole map."""
    OBJECTS = auto()
    """A map of objects; the declared map is the whole map."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field. Only `path` is needed.

    path: one step, or two for a field of an object.
    names: the YAML names that set it, the preferred name first.
    label: its name in reports; by default the first of `names`. A part of a spec is `specName.PART`.
    item_names: the YAML names of keys in a map of objects, where they differ.
    item_key: the key of a list of one object whose value is shown for the list.
    topic: the YAML name that is edited for it; paths that can only be told together have one.
    default: the value of a YAML item that does not mention it; None for no value.
    is_plain: the YAML value is sent as it is, in an object, and no other rule is about it.
    scales: a change of such fields alone is a scale.
    replaces: a change takes a new object, because it cannot be changed in place.
    is_optional: emitted only if declared; a live object without it has the first of the `blanks`.
    blanks: values that mean the same as no value. The first is sent to clear it, if it is the only one.
    optional_items: keys that the items of a map of objects may lack.
    quota: the keys of its minimum and its maximum among the account's limits.
    is_secret: its live values are hidden, unless the YAML spells them out.
    is_doubtful: the same, and the values spelled out at the last apply count too.
    is_public: its live value is never a secret.
    is_ignorable: it may be named in `ignoreChanges`.
    """

    path: Path
    shape: Shape = Shape.TEXT
    names: tuple[str, ...] = ()
    label: str = ""
    item_names: Mapping[str, str] = field(default_factory=dict)
    item_key: str = ""
    topic: str = ""
    default: Any = None
    is_plain: bool = False
    scales: bool = False
    replaces: bool = False
    is_optional: bool = False
    blanks: tuple[str, ...] = ("",)
    optional_items: tuple[str, ...] = ()
    quota: tuple[str, str] = ("", "")
    is_secret: bool = False
    is_doubtful: bool = False
    is_public: bool = False
    is_ignorable: bool = True


class FieldTable:
    """The rows of a kind, in the order of its requests.

    `reading_order`: YAML names in the order in which people see them; names that it lacks come last.
    """

    def __init__(self, *rows: Field, reading_order: Sequence[str] = ()) -> None:
        self.rows = rows
        self._reading_order = {name: index for index, name in enumerate(reading_order)}
        self.by_path = {row.path: row for row in rows}
        self.keyed = tuple(row.path[0] for row in rows if row.shape in (Shape.TEXTS, Shape.OBJECTS))
        self.objects = tuple(row.path[0] for row in rows if row.shape is Shape.OBJECT)
        self.scaling = frozenset(row.path for row in rows if row.scales)
        self.optional = tuple(row for row in rows if row.is_optional)
        self.plain = tuple(row for row in rows if row.is_plain)
        # The preferred name of a field comes last, so that it wins.
        self._plain_names = tuple((name, *row.path) for row in self.plain for name in reversed(row.names))
        self._defaults = {
            head: {
                row.path[1]: row.default
                for row in self.plain
                if row.path[0] == head and row.default is not None
            }
            for head in self.objects
        }
        self.shapes = {row.path[0]: row.shape for row in rows if len(row.path) == 1}
        self._leaves = {head: self.leaves(head) for head in self.objects}
        self.topics = {row.path: row.topic or next(iter(row.names), "") for row in rows}
        self.names: Mapping[str, tuple[Path, ...]] = _paths_by_name(rows)
        self._labels = {row.label: (row.path,) for row in rows if row.label}
        self._item_keys = {row.path: row.item_key for row in rows if row.item_key}
        self._replacing = frozenset(row.path for row in rows if row.replaces)
        self._secret = frozenset(row.path for row in rows if row.is_secret)
        self.doubtful = tuple(row.path for row in rows if row.is_doubtful)
        self.secret_heads = tuple(row.path[0] for row in rows if row.is_secret)
        self.referable = tuple(
            dict.fromkeys(
                row.path[0]
                for row in rows
                if not (row.is_public or row.is_secret or row.shape in (Shape.NUMBER, Shape.OBJECT))
            )
        )
        self._texts = frozenset(row.path[0] for row in rows if row.shape is Shape.TEXTS)
        self._known = {row.path: None for row in rows if row.is_ignorable}
        self._keyed_by_name = {
            name: row.path[0]
            for row in rows
            if row.path[0] in self.keyed
            for name in (*row.names, row.path[0])
        }
        ranks = {path: index for index, path in enumerate(self.by_path)}

        @lru_cache(4096)
        def rank(path: Path) -> tuple[int, Path]:
            return ranks.get(path, ranks.get(path[:1], len(ranks))), path

        self._rank = rank
        self.label = lru_cache(4096)(self._label)
        self.reading_rank = lru_cache(4096)(self._reading_rank)

    def rank(self, path: Path) -> tuple[int, Path]:
        """Return the sort key of a path in requests and JSON: the order of the table, then of the keys."""
        return self._rank(path)

    def _label(self, path: Path) -> str:
        """Return the name of a field in reports: as it is called in the YAML (`env.HF_TOKEN`)."""
        row = self.by_path.get(path)
        if row is not None and (row.label or row.names):
            return row.label or row.names[0]
        if len(path) > 1:
            head = self.by_path.get(path[:1], Field(path=path[:1]))
            return ".".join((self._label(path[:1]), *(head.item_names.get(step, step) for step in path[1:])))
        return (row.topic if row is not None else "") or ".".join(path)

    def value_shown(self, path: Path, value: Value | Absent) -> Value | Absent:
        """Return the value that reports show for a field: 8000 for the ports `[{"port": 8000}]`."""
        key = self._item_keys.get(path)
        if key is None or not isinstance(value, Sequence) or len(value) != 1:
            return value
        item = value[0]
        return item[key] if isinstance(item, Mapping) and item.keys() == {key} else value

    def _reading_rank(self, path: Path) -> tuple[int, bool, tuple[int, Path]]:
        """Return the sort key of a field in reports; a spec comes before its parts."""
        name, dot, _ = self.label(path).partition(".")
        return self._reading_order.get(name, len(self._reading_order)), dot != "", self.rank(path)

    def replaces(self, path: Path) -> bool:
        """Return True if a change of that field takes a new object."""
        return path[:1] in self._replacing or path in self._replacing

    def is_blank(self, path: Path, value: Value) -> bool:
        """Return True if a value means the same as no value. In a map of texts, an empty text is a value."""
        row = self.by_path.get(path)
        if row is not None and len(row.blanks) > 1:
            return value is None or value in row.blanks
        return value == "" and path[0] not in self._texts

    def is_secret(self, path: Path) -> bool:
        """Return True if the live value of that field must not be shown."""
        return path in self._secret or path[:1] in self._secret

    def secrets_of(self, live: Live) -> Iterator[Value]:
        """Return the live values of secret fields."""
        for path in self._secret:
            value = value_of(live.fields, path)
            yield from value.values() if isinstance(value, Mapping) else (value,)

    def leaves(self, head: str, *shapes: Shape) -> tuple[str, ...]:
        """Return the keys of an object's fields in the order of the table, of these shapes if given."""
        return tuple(
            row.path[1]
            for row in self.rows
            if row.path[0] == head and len(row.path) > 1 and (not shapes or row.shape in shapes)
        )

    def in_order(self, head: str, values: Mapping[str, Value]) -> dict[str, Value]:
        """Return the fields of an object in the order of the table."""
        return {key: values[key] for key in self._leaves[head] if key in values}

    def wire_paths(self, name: str) -> tuple[Path, ...]:
        """Return the paths that a YAML name (`replicas`, `env.HF_TOKEN`) or a dotted path stands for.

        The result is empty if the name is unknown. A key of a map may itself hold dots.
        """
        if paths := self.names.get(name, self._labels.get(name)):
            return paths
        head, dot, key = name.partition(".")
        keyed = self._keyed_by_name.get(head)
        if keyed and (key or not dot):
            return ((keyed, key),) if key else ((keyed,),)
        path = tuple(name.split("."))
        return (path,) if path in self._known else ()

    def known_names(self) -> tuple[str, ...]:
        """Return every name that `wire_paths` knows, for suggestions."""
        return tuple(
            dict.fromkeys((*self.names, *self._labels, *sorted(".".join(path) for path in self._known)))
        )

    def plain_objects(self, declared: Mapping[str, Any]) -> dict[str, dict[str, Value]]:
        """Return the plain fields of an item by the object they are in: declared values, else defaults."""
        objects = {head: dict(defaults) for head, defaults in self._defaults.items()}
        for name, head, leaf in self._plain_names:
            if name in declared:
                objects[head][leaf] = declared[name]
        return objects

    def nested(self, values: Mapping[Path, Value]) -> dict[str, Any]:
        """Return the normal form of values by path, in the order of the table."""
        fields: dict[str, Any] = {}
        for path in self.by_path:
            if path in values:
                if len(path) == 1:
                    fields[path[0]] = values[path]
                else:
                    fields.setdefault(path[0], {})[path[1]] = values[path]
        return fields


def _paths_by_name(rows: Sequence[Field]) -> dict[str, tuple[Path, ...]]:
    paths: dict[str, tuple[Path, ...]] = {}
    for row in rows:
        for name in row.names:
            paths[name] = (*paths.get(name, ()), row.path)
    return paths


def value_of(fields: Fields, path: Path) -> Value:
    """Return the value at a path of one or two steps; None if there is none."""
    if len(path) == 1:
        return fields.get(path[0])
    return fields.get(path[0], {}).get(path[1])
