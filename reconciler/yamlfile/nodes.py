"""The node tree of a YAML text, and the ways through it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, Protocol, TypeAlias

DEEPEST: Final = 100
"""Levels of a document."""


class Mark(Protocol):
    """A position as PyYAML counts: from 0."""

    line: int
    column: int
    index: int


class Node(Protocol):
    """A node of PyYAML's tree. `value` is text, or a list of nodes, or a list of pairs of nodes."""

    id: str
    tag: str | None
    value: Any
    start_mark: Mark
    end_mark: Mark
    style: str | None


Pair: TypeAlias = tuple[Node, Node]
"""The key and the value of an entry of a mapping."""


Pairs: TypeAlias = dict[str | int, Pair]


class Finder:
    """Finds nodes by their paths. Each mapping is looked through once, however often it is asked for."""

    def __init__(self) -> None:
        self._own: dict[int, Pairs] = {}
        self._inherited: dict[int, Pairs] = {}

    def descend(self, node: Node, path: Sequence[str | int]) -> Node | None:
        """The node at `path`. A list index may be a number or its digits."""
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
        """The key and the value of that name in a mapping, or in what `<<` merges into it."""
        found = self._pairs(node).get(name)
        return self.inherited(node, name) if found is None else found

    def inherited(self, node: Node, name: str | int) -> Pair | None:
        """The same, in what `<<` merges into it alone."""
        return self._merged(node, 0).get(name)

    def _pairs(self, node: Node) -> Pairs:
        if node.id != "mapping":
            return {}
        if id(node) not in self._own:
            named = (pair for pair in reversed(node.value) if isinstance(pair[0].value, str))
            self._own[id(node)] = {pair[0].value: pair for pair in named}
        return self._own[id(node)]

    def _merged(self, node: Node, depth: int) -> Pairs:
        if "<<" not in self._pairs(node) or depth >= DEEPEST:
            return {}
        if id(node) not in self._inherited:
            found: Pairs = {}
            self._inherited[id(node)] = found
            for value in (value for key, value in node.value if key.value == "<<" and not key.style):
                for other in value.value if value.id == "sequence" else [value]:
                    for name, pair in (self._merged(other, depth + 1) | self._pairs(other)).items():
                        found.setdefault(name, pair)
        return self._inherited[id(node)]


def walk(node: Node) -> Iterator[Node]:
    """Every node below, each one once however often it is aliased."""
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
