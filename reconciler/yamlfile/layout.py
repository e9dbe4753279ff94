"""The start and the end of each part of a YAML text, without the comments after it."""

from __future__ import annotations

import re
from dataclasses import field
from typing import Any, Final, Literal, TypeAlias

from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.values import DataPath

Kind: TypeAlias = Literal["map", "list", "scalar", "alias"]

_ALIAS: Final = re.compile(r"\*[^\s,\[\]{}]+")


@dataclass(slots=True, kw_only=True)
class Part:
    """One value of the text. `column` is that of the keys of a block map or of the dashes of a block list.

    `style` is the quote or the block indicator of a scalar. `keys` are the keys of a map, `items` its values
    or the items of a list.
    """

    kind: Kind
    start: int
    end: int
    style: str = ""
    is_flow: bool = False
    column: int = 0
    keys: list[Part] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    items: list[Part] = field(default_factory=list)

    @property
    def is_block(self) -> bool:
        return self.kind in ("map", "list") and not self.is_flow

    def index(self, step: str | int) -> int | None:
        """Return the index of the item for a step of a path, or None."""
        if self.kind == "map" and step in self.names:
            return self.names.index(str(step))
        return step if self.kind == "list" and isinstance(step, int) and step < len(self.items) else None


def parse_layout(text: str, node: Any, floor: int = 0) -> Part:
    """Return the parts of a text from its node tree; a node that begins before `floor` is an alias.

    A part that stands in the tree already is taken as it is.
    """
    if node.__class__ is Part:
        return node
    start, end = node.start_mark.index, node.end_mark.index
    if start < floor:
        match = _ALIAS.search(text, floor)
        assert match is not None
        return Part(kind="alias", start=match.start(), end=match.end())
    if node.id == "scalar":
        style = node.style or ""
        return Part(kind="scalar", start=start, end=_scalar_end(text, start, end, style), style=style)
    part = Part(
        kind="map" if node.id == "mapping" else "list", start=start, end=end, is_flow=bool(node.flow_style)
    )
    if part.kind == "map":
        _fill_map(part, text, node.value, start)
    else:
        _fill_list(part, text, node.value, start)
    if part.is_block:
        part.end = part.items[-1].end
    return part


def outline(text: str, node: Any) -> Part:
    """Return the part of a node without the parts inside of it. The text has no aliases."""
    if node.id == "scalar":
        return parse_layout(text, node)
    last = node
    while last.id != "scalar" and not last.flow_style:
        last = last.value[-1] if last.id == "sequence" else last.value[-1][1]
    end = parse_layout(text, last).end
    kind: Kind = "map" if node.id == "mapping" else "list"
    return Part(kind=kind, start=node.start_mark.index, end=end, is_flow=bool(node.flow_style))


def _fill_map(part: Part, text: str, pairs: Any, floor: int) -> None:
    for key_node, node in pairs:
        key = parse_layout(text, key_node, floor)
        part.keys.append(key)
        part.names.append(str(key_node.value))
        part.items.append(parse_layout(text, node, key.end))
        floor = part.items[-1].end
    if part.is_block:
        part.column = column_of(text, part.keys[0].start)


def _fill_list(part: Part, text: str, nodes: Any, floor: int) -> None:
    for node in nodes:
        part.items.append(parse_layout(text, node, floor))
        floor = part.items[-1].end
    if part.is_block:
        dash = part.start if text[part.start] == "-" else text.rfind("-", part.start, part.items[0].start)
        part.column = column_of(text, dash)


def _scalar_end(text: str, start: int, end: int, style: str) -> int:
    """Return the end of the last line. Empty lines after a block scalar belong to it only with `+`."""
    if style not in ("|", ">"):
        return end
    header = text[start:end].partition("\n")[0]
    if "+" in header:
        return end - 1 if text[start:end].endswith("\n") else end
    return start + len(text[start:end].rstrip(" \t\r\n"))


def follow_path(root: Part, path: DataPath) -> tuple[list[tuple[Part, int]], Part, DataPath]:
    """Return the parents with the index of each step, the last part, and the rest of the path."""
    parents: list[tuple[Part, int]] = []
    part = root
    for depth, step in enumerate(path):
        index = part.index(step)
        if index is None:
            return parents, part, path[depth:]
        parents.append((part, index))
        part = part.items[index]
    return parents, part, ()


def line_start(text: str, position: int) -> int:
    return text.rfind("\n", 0, position) + 1


def line_end(text: str, position: int) -> int:
    """Return the index of the line break after a position, or the end of the text."""
    index = text.find("\n", position)
    return len(text) if index < 0 else index


def column_of(text: str, position: int) -> int:
    return position - line_start(text, position)
