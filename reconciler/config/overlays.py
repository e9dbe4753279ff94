"""Several mappings laid over each other: what they say together, and which of them said it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from reconciler.model.problem import Place
from reconciler.model.values import DataPath
from reconciler.yamlfile.document import Source
from reconciler.yamlfile.nodes import Node

if TYPE_CHECKING:
    from reconciler.yamlfile.edits import Spot


@dataclass(frozen=True, slots=True)
class Layer:
    """One mapping of one file; `spot` is where in it, such as ("endpoints", 0)."""

    source: Source
    data: Mapping[str, Any]
    spot: Spot = ()


@dataclass(frozen=True, slots=True)
class Null:
    """A null in a layer that removes nothing, for no layer below has a value there."""

    layer: Layer
    path: DataPath

    @property
    def place(self) -> Place | None:
        """Of its key, or of the item of a list."""
        return self.layer.source.find((*self.layer.spot, *self.path), key=isinstance(self.path[-1], str))

    @property
    def is_merged_over(self) -> bool:
        """Whether it takes back what `<<` brings into its mapping: that is something to remove."""
        above = (*self.layer.spot, *self.path[:-1])
        return self.layer.source.inherited(above, self.path[-1]) is not None


@dataclass(frozen=True, slots=True)
class Spots:
    """Where the layers of one thing stand, for who asks long after their data is gone."""

    spots: tuple[tuple[Source, Spot], ...]

    def place(self, path: Sequence[str | int] = (), *, key: bool = False) -> Place | None:
        """The place of the layer that won."""
        for source, spot in reversed(self.spots):
            if (found := source.find((*spot, *path), key=key and bool(path))) is not None:
                return found
        return None

    def place_of(self, path: Sequence[str | int], word: str, nth: int = 0) -> Place | None:
        """The place of the nth `word` (from 0) in the text at `path`; of the text where that is all."""
        for source, spot in reversed(self.spots):
            if (found := source.find_word((*spot, *path), word, nth)) is not None:
                return found
        return None

    def node(self, path: Sequence[str | int]) -> Node | None:
        for source, spot in reversed(self.spots):
            if (found := source.node((*spot, *path))) is not None:
                return found
        return None


@dataclass(frozen=True, slots=True)
class Layers:
    """Mappings of which a later one wins; positions are those of the one that won."""

    layers: tuple[Layer, ...]

    def merged(self, nulls: list[Null] | None = None, /) -> dict[str, Any]:
        """Maps merge by key, everything else replaces, null removes.

        A null that has nothing to remove joins `nulls`.
        """
        result: dict[str, Any] = {}
        for layer in self.layers:
            found: list[DataPath] = []
            _lay_over(result, layer.data, (), found)
            if found and nulls is not None:
                nulls += (Null(layer, path) for path in found)
        return result

    @property
    def spots(self) -> Spots:
        return Spots(tuple((layer.source, layer.spot) for layer in self.layers))

    def place(self, path: Sequence[str | int] = (), *, key: bool = False) -> Place | None:
        return self.spots.place(path, key=key)

    def place_of(self, path: Sequence[str | int], word: str, nth: int = 0) -> Place | None:
        return self.spots.place_of(path, word, nth)

    def node(self, path: Sequence[str | int]) -> Node | None:
        return self.spots.node(path)


@dataclass(frozen=True, slots=True)
class ByHand(Layers):
    """One mapping that stands in no file: its problems have no place."""

    layers: tuple[Layer, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)

    def merged(self, _nulls: list[Null] | None = None, /) -> dict[str, Any]:
        """Here null means that nothing is said, as in Python."""
        result: dict[str, Any] = {}
        _lay_over(result, self.data, (), [])
        return result


def _lay_over(below: dict[str, Any], above: Mapping[str, Any], path: DataPath, nulls: list[DataPath]) -> None:
    """Mappings inside `below` are this merge's own: they are made here, never those of a file.

    The paths of nulls that remove nothing join `nulls`; `path` is where we are.
    """
    for key, value in above.items():
        if value is None:
            if below.pop(key, None) is None:
                nulls.append((*path, key))
        elif value.__class__ is dict:
            known = below.get(key)
            if known.__class__ is not dict:
                known = below[key] = {}
            _lay_over(known, value, (*path, key), nulls)
        else:
            below[key] = value
            if value.__class__ is list:
                nulls += _nulls_in(value, (*path, key))


def _nulls_in(value: Any, path: DataPath) -> Iterator[DataPath]:
    """The nulls inside of a list, which replaces what is below it as a whole."""
    if value is None:
        yield path
    elif value.__class__ is list:
        for index, item in enumerate(value):
            yield from _nulls_in(item, (*path, index))
    elif value.__class__ is dict:
        for key, item in value.items():
            yield from _nulls_in(item, (*path, key))
