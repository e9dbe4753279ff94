"""Overlays: mappings merged over each other, with the source position of each value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any, Final

from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Place
from reconciler.model.values import SCALAR_TYPES, DataPath, is_plain_data
from reconciler.yamlfile.document import Source
from reconciler.yamlfile.nodes import Node

_NOT_NULL: Final = SCALAR_TYPES - {type(None)}


@dataclass(frozen=True, slots=True)
class Layer:
    """One mapping of one file, at `path` in its data, such as ("endpoints", 0).

    `combination` is that of an item that `matrix` has expanded, such as `region=us`; "" for others.
    """

    source: Source
    data: Mapping[str, Any]
    path: DataPath = ()
    combination: str = ""


@dataclass(frozen=True, slots=True)
class UnusedNull:
    """A null in a layer that removes nothing, because no layer below has a value there."""

    layer: Layer
    path: DataPath

    @property
    def place(self) -> Place | None:
        """The place of its key, or of the list item."""
        return self.layer.source.place((*self.layer.path, *self.path), key=isinstance(self.path[-1], str))

    @property
    def removes_merged_key(self) -> bool:
        """True if it removes a key that `<<` merges into its mapping."""
        parent = (*self.layer.path, *self.path[:-1])
        return self.layer.source.inherited(parent, self.path[-1]) is not None


@dataclass(frozen=True, slots=True)
class Positions:
    """Source positions of merged layers, which do not keep the data of the layers in memory."""

    layers: tuple[tuple[Source, DataPath], ...]

    def place(self, path: Sequence[str | int] = (), *, key: bool = False) -> Place | None:
        """Return the place of a value in the topmost layer that has it."""
        for source, base in reversed(self.layers):
            if (place := source.place((*base, *path), key=key and bool(path))) is not None:
                return place
        return None

    def place_of_word(self, path: Sequence[str | int], word: str, nth: int = 0) -> Place | None:
        """Return the place of the nth `word` (from 0) in the text at `path`, or of the whole text."""
        for source, base in reversed(self.layers):
            if (place := source.place_of_word((*base, *path), word, nth)) is not None:
                return place
        return None

    def node(self, path: Sequence[str | int]) -> Node | None:
        for source, base in reversed(self.layers):
            if (node := source.node((*base, *path))) is not None:
                return node
        return None


@dataclass(frozen=True, slots=True)
class LayerStack:
    """Mappings that are merged in order; later ones take precedence."""

    layers: tuple[Layer, ...]

    def merged(self, nulls: list[UnusedNull] | None = None, /) -> dict[str, Any]:
        """Return the merged mapping: maps merge by key, other values replace, null removes.

        Nulls that remove nothing are added to `nulls`.
        """
        result: dict[str, Any] = {}
        for layer in self.layers:
            unused: list[DataPath] = []
            _merge(result, layer.data, (), unused)
            if unused and nulls is not None:
                nulls += (UnusedNull(layer, path) for path in unused)
        return result

    @property
    def positions(self) -> Positions:
        return Positions(tuple((layer.source, layer.path) for layer in self.layers))


@dataclass(frozen=True, slots=True)
class InlineLayer(LayerStack):
    """One mapping that is given as data: its problems have no place."""

    layers: tuple[Layer, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)

    def merged(self, _nulls: list[UnusedNull] | None = None, /) -> dict[str, Any]:
        """Return the mapping; null means that a field is not given, like None in Python."""
        result: dict[str, Any] = {}
        _merge(result, self.data, (), [])
        return result


def _merge(below: dict[str, Any], above: Mapping[str, Any], path: DataPath, nulls: list[DataPath]) -> None:
    """Merge `above` into `below`, whose inner mappings are always copies.

    The paths of nulls that remove nothing are added to `nulls`; `path` is the current path.
    """
    for key, value in above.items():
        if value is None:
            if below.pop(key, None) is None:
                nulls.append((*path, key))
        elif value.__class__ is dict:
            known = below.get(key)
            if known.__class__ is not dict:
                known = below[key] = {}
            _merge(known, value, (*path, key), nulls)
        else:
            below[key] = value
            if value.__class__ is list and not is_plain_data(value, _NOT_NULL):
                nulls += _nulls_in(value, (*path, key))


def _nulls_in(value: Any, path: DataPath) -> Iterator[DataPath]:
    """Yield the paths of nulls inside of a list, which replaces the value below it as a whole."""
    if value is None:
        yield path
    elif value.__class__ is list:
        for index, item in enumerate(value):
            yield from _nulls_in(item, (*path, index))
    elif value.__class__ is dict:
        for key, item in value.items():
            yield from _nulls_in(item, (*path, key))
