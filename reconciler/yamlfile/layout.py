"""Where each part of a YAML text begins and ends, without the comments that follow it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

from reconciler.yamlfile.edits import Spot

Kind: TypeAlias = Literal["map", "list", "word", "alias"]

_ALIAS: Final = re.compile(r"\*[^\s,\[\]{}]+")


@dataclass(slots=True, kw_only=True)
class Part:
    """One value of the text. `column` is that of the keys of a block map, or of the dashes of a block list.

    `style` is the quote or the block mark of a word. `keys` are the keys of a map, `items` its values, or
    those of a list.
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
        """Which item a step of a path leads to; None when there is no such one."""
        if self.kind == "map" and step in self.names:
            return self.names.index(str(step))
        return step if self.kind == "list" and isinstance(step, int) and step < len(self.items) else None


def parts_of(text: str, node: Any, floor: int = 0) -> Part:
    """The parts of a text that was composed to `node`; what begins before `floor` is an alias of it."""
    start, end = node.start_mark.index, node.end_mark.index
    if start < floor:
        found = _ALIAS.search(text, floor)
        assert found is not None
        return Part(kind="alias", start=found.start(), end=found.end())
    if node.id == "scalar":
        style = node.style or ""
        return Part(kind="word", start=start, end=_end_of_word(text, start, end, style), style=style)
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


def _fill_map(part: Part, text: str, pairs: Any, floor: int) -> None:
    for key_node, node in pairs:
        key = parts_of(text, key_node, floor)
        part.keys.append(key)
        part.names.append(str(key_node.value))
        part.items.append(parts_of(text, node, key.end))
        floor = part.items[-1].end
    if part.is_block:
        part.column = column_of(text, part.keys[0].start)


def _fill_list(part: Part, text: str, nodes: Any, floor: int) -> None:
    for node in nodes:
        part.items.append(parts_of(text, node, floor))
        floor = part.items[-1].end
    if part.is_block:
        dash = part.start if text[part.start] == "-" else text.rfind("-", part.start, part.items[0].start)
        part.column = column_of(text, dash)


def _end_of_word(text: str, start: int, end: int, style: str) -> int:
    """The end of its last line; empty lines below a block scalar belong to it only where it keeps them."""
    if style not in ("|", ">"):
        return end
    header = text[start:end].partition("\n")[0]
    if "+" in header:
        return end - 1 if text[start:end].endswith("\n") else end
    return start + len(text[start:end].rstrip(" \t\r\n"))


def follow(root: Part, path: Spot) -> tuple[list[tuple[Part, int]], Part, Spot]:
    """(the parents passed, each with the index taken; the last part found; what is left of the path)."""
    passed: list[tuple[Part, int]] = []
    part = root
    for depth, step in enumerate(path):
        index = part.index(step)
        if index is None:
            return passed, part, path[depth:]
        passed.append((part, index))
        part = part.items[index]
    return passed, part, ()


def line_start(text: str, position: int) -> int:
    return text.rfind("\n", 0, position) + 1


def line_end(text: str, position: int) -> int:
    """Where the line break after a position is, or the end of the text."""
    found = text.find("\n", position)
    return len(text) if found < 0 else found


def column_of(text: str, position: int) -> int:
    return position - line_start(text, position)
