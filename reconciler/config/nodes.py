"""The node tree of a YAML text, and the ways through it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol


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


def descend(node: Node, path: Sequence[str | int]) -> Node | None:
    """The node at `path`. A list index may be a number or its digits."""
    for step in path:
        if node.id == "mapping":
            pair = pair_of(node, step)
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


def pair_of(node: Node, name: str | int) -> tuple[Node, Node] | None:
    """The key and the value of that name in a mapping, or in what `<<` merges into it."""
    if node.id != "mapping":
        return None
    for key, value in node.value:
        if key.value == name:
            return key, value
    return inherited(node, name)


def inherited(node: Node, name: str | int) -> tuple[Node, Node] | None:
    """The same, in what `<<` merges into it alone."""
    if node.id != "mapping":
        return None
    for key, value in node.value:
        if key.value == "<<":
            for other in value.value if value.id == "sequence" else [value]:
                if (found := pair_of(other, name)) is not None:
                    return found
    return None


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
