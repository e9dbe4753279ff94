"""The node tree of a YAML text, and lookups in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, Protocol, TypeAlias

MAX_DEPTH: Final = 100
"""The maximal nesting depth of a document."""


class Mark(Protocol):
    """A position, counted from 0 as in PyYAML."""

    line: int
    column: int
    index: int


class Node(Protocol):
    """A node of PyYAML's tree. `value` is text, a list of nodes, or a list of pairs of nodes."""

    id: str
    tag: str | None
    value: Any
    start_mark: Mark
    end_mark: Mark
    style: str | None


Pair: TypeAlias = tuple[Node, Node]
"""The key and the value of a mapping entry."""

Pairs: TypeAlias = dict[str | int, Pair]


class NodeFinder:
    """Finds nodes by path, with an index of each visited mapping."""

    def __init__(self) -> None:
        self._own: dict[int, Pairs] = {}
        self._inherited: dict[int, Pairs] = {}

    def descend(self, node: Node, path: Sequence[str | int]) -> Node | None:
        """Return the node at `path`. A list index may be a number or its digits."""
        for step in path:
            if node.id == "mapping":
                pair = self.pair(node, step)
                if pair is None:
                    return None
                node = pair[1]
            elif node.id == "sequence":
                index = int(step) if str(step).isdecimal() else -1
                if not 0 <= index < len(node.value):
                    return None
                node = node.value[index]
            else:
                return None
        return node

    def pair(self, node: Node, name: str | int) -> Pair | None:
        """Return the key and the value of a name in a mapping, including what `<<` merges into it."""
        pair = self._pairs(node).get(name)
        return self.inherited(node, name) if pair is None else pair

    def inherited(self, node: Node, name: str | int) -> Pair | None:
        """Return the key and the value of a name that `<<` merges into a mapping."""
        return self._merged(node, 0).get(name)

    def _pairs(self, node: Node) -> Pairs:
        if node.id != "mapping":
            return {}
        if id(node) not in self._own:
            named = (pair for pair in reversed(node.value) if isinstance(pair[0].value, str))
            self._own[id(node)] = {pair[0].value: pair for pair in named}
        return self._own[id(node)]

    def _merged(self, node: Node, depth: int) -> Pairs:
        if "<<" not in self._pairs(node) or depth >= MAX_DEPTH:
            return {}
        if id(node) not in self._inherited:
            merged: Pairs = {}
            self._inherited[id(node)] = merged
            for value in (value for key, value in node.value if key.value == "<<" and not key.style):
                for other in value.value if value.id == "sequence" else [value]:
                    for name, pair in (self._merged(other, depth + 1) | self._pairs(other)).items():
                        merged.setdefault(name, pair)
        return self._inherited[id(node)]


def walk(node: Node) -> Iterator[Node]:
    """Yield the node and all nodes below it, each once even if it is aliased."""
    seen: set[int] = set()
    waiting = [node]
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        yield node
        if node.id == "mapping":
            waiting += (inner for pair in node.value for inner in pair)
        elif node.id == "sequence":
            waiting += node.value
