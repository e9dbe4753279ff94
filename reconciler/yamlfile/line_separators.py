"""U+0085, U+2028 and U+2029: ordinary characters to YAML 1.2, ends of a line to 1.1, which libyaml reads.

So they are read under other names, and get their own back in the values. Where one stands outside of a value,
two readers of the file disagree about what it says: that is refused.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import chain
from typing import Final

from reconciler.yamlfile.nodes import Node, walk

NAMES: Final = {"\x85": "next line", "\u2028": "line separator", "\u2029": "paragraph separator"}

_ANY: Final = re.compile("[\x85\u2028\u2029]")
_SPARE: Final = (range(0xE000, 0xF900), range(0xF0000, 0xF4000))
"""Characters that mean nothing to YAML: those for private use, as many as any text leaves unused."""


def are_in(text: str) -> bool:
    return not text.isascii() and _ANY.search(text) is not None


class Disguise:
    """Stand-ins for the three in one text, each a single character, so that positions stay what they are."""

    def __init__(self, text: str) -> None:
        used = set(text)
        spare = (chr(code) for code in chain(*_SPARE) if chr(code) not in used)
        stand_ins: dict[str, str | int | None] = dict(zip(NAMES, spare, strict=False))
        self._back = {ord(str(stand_in)): own for own, stand_in in stand_ins.items()}
        self.text = text.translate(str.maketrans(stand_ins))

    def undo(self, root: Node | None) -> None:
        """Give the values below a node their own characters back."""
        for node in walk(root) if root is not None else ():
            if node.id == "scalar":
                node.value = node.value.translate(self._back)


def outside(text: str, root: Node | None) -> int | None:
    """Where the first of the three stands that is in no value; None where all are. A bare key is none."""
    nodes = list(walk(root)) if root is not None else []
    keys = {id(key) for node in nodes if node.id == "mapping" for key, _ in node.value if not key.style}
    spans = sorted(_span(text, node) for node in nodes if node.id == "scalar" and id(node) not in keys)
    starts = [start for start, _ in spans]
    for found in _ANY.finditer(text):
        before = bisect_right(starts, found.start()) - 1
        if before < 0 or found.start() >= spans[before][1]:
            return found.start()
    return None


def before(text: str, line: int, column: int) -> int | None:
    """Where the last of the three stands in a line, up to a column; both count from 0."""
    start = 0
    for _ in range(line):
        start = text.find("\n", start) + 1
    *_, found = (None, *_ANY.finditer(text, start, start + column + 1))
    return found.start() if found else None


def name_of(character: str) -> str:
    """How people look it up: `U+2028 (line separator)`."""
    return f"U+{ord(character):04X} ({NAMES[character]})"


def _span(text: str, node: Node) -> tuple[int, int]:
    start, end = node.start_mark.index, node.end_mark.index
    if node.style in ("|", ">"):
        start = text.find("\n", start)  # a comment may follow the mark of a block
    return start, end
