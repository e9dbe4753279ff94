"""Several mappings laid over each other: what they say together, and which of them said it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from reconciler.config.document import Source
from reconciler.config.nodes import Node
from reconciler.model.problem import Place

if TYPE_CHECKING:
    from reconciler.model.edits import Spot


@dataclass(frozen=True, slots=True)
class Layer:
    """One mapping of one file; `spot` is where in it, such as ("endpoints", 0)."""

    source: Source
    data: Mapping[str, Any]
    spot: Spot = ()


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

    def node(self, path: Sequence[str | int]) -> Node | None:
        for source, spot in reversed(self.spots):
            if (found := source.node((*spot, *path))) is not None:
                return found
        return None


@dataclass(frozen=True, slots=True)
class Layers:
    """Mappings of which a later one wins; positions are those of the one that won."""

    layers: tuple[Layer, ...]

    def merged(self) -> dict[str, Any]:
        """Maps merge by key, everything else replaces, null removes."""
        result: dict[str, Any] = {}
        for layer in self.layers:
            _lay_over(result, layer.data)
        return result

    @property
    def spots(self) -> Spots:
        return Spots(tuple((layer.source, layer.spot) for layer in self.layers))

    def place(self, path: Sequence[str | int] = (), *, key: bool = False) -> Place | None:
        return self.spots.place(path, key=key)

    def node(self, path: Sequence[str | int]) -> Node | None:
        return self.spots.node(path)


@dataclass(frozen=True, slots=True)
class ByHand(Layers):
    """One mapping that stands in no file: its problems have no place."""

    layers: tuple[Layer, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)

    def merged(self) -> dict[str, Any]:
        result: dict[str, Any] = {}
        _lay_over(result, self.data)
        return result


def _lay_over(below: dict[str, Any], above: Mapping[str, Any]) -> None:
    """Mappings inside `below` are this merge's own: they are made here, never those of a file."""
    for key, value in above.items():
        if value is None:
            below.pop(key, None)
        elif value.__class__ is dict:
            known = below.get(key)
            if known.__class__ is not dict:
                known = below[key] = {}
            _lay_over(known, value)
        else:
            below[key] = value
