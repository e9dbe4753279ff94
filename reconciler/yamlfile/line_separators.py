"""U+0085, U+2028 and U+2029, which end a line in YAML 1.1 (as libyaml reads it) and not in YAML 1.2.

While libyaml parses a text, placeholders stand for them; the values get the original characters back. Outside
of a value they are refused, because parsers disagree about the text.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import chain
from typing import Final

from reconciler.yamlfile.nodes import Node, walk

NAMES: Final = {"\x85": "next line", "\u2028": "line separator", "\u2029": "paragraph separator"}

_ANY: Final = re.compile("[\x85\u2028\u2029]")
_PRIVATE_USE: Final = (range(0xE000, 0xF900), range(0xF0000, 0xF4000))
"""Private-use characters, more than any text uses."""


def are_in(text: str) -> bool:
    return not text.isascii() and _ANY.search(text) is not None


class Placeholders:
    """A text with placeholders for line separators, each one character long, so that positions stay equal."""

    def __init__(self, text: str) -> None:
        used = set(text)
        unused = (chr(code) for code in chain(*_PRIVATE_USE) if chr(code) not in used)
        placeholders: dict[str, str | int | None] = dict(zip(NAMES, unused, strict=False))
        self._originals = {ord(str(placeholder)): name for name, placeholder in placeholders.items()}
        self.text = text.translate(str.maketrans(placeholders))

    def restore(self, root: Node | None) -> None:
        """Put the original characters into all values below a node."""
        for node in walk(root) if root is not None else ():
            if node.id == "scalar":
                node.value = node.value.translate(self._originals)


def find_outside(text: str, root: Node | None) -> int | None:
    """Return the index of the first separator that is not inside of a value, or None.

    An unquoted key does not count as a value.
    """
    nodes = list(walk(root)) if root is not None else []
    keys = {id(key) for node in nodes if node.id == "mapping" for key, _ in node.value if not key.style}
    spans = sorted(_span(text, node) for node in nodes if node.id == "scalar" and id(node) not in keys)
    starts = [start for start, _ in spans]
    for match in _ANY.finditer(text):
        preceding = bisect_right(starts, match.start()) - 1
        if preceding < 0 or match.start() >= spans[preceding][1]:
            return match.start()
    return None


def find_before(text: str, line: int, column: int) -> int | None:
    """Return the index of the last separator in a line, up to a column (both from 0), or None."""
    start = 0
    for _ in range(line):
        start = text.find("\n", start) + 1
    *_, match = (None, *_ANY.finditer(text, start, start + column + 1))
    return match.start() if match else None


def display_name(character: str) -> str:
    """Return a name such as `U+2028 (line separator)`."""
    return f"U+{ord(character):04X} ({NAMES[character]})"


def _span(text: str, node: Node) -> tuple[int, int]:
    start, end = node.start_mark.index, node.end_mark.index
    if node.style in ("|", ">"):
        start = text.find("\n", start)  # a comment may follow the block indicator
    return start, end
