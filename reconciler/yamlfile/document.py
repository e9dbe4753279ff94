"""One file as data, with the position of each part. Positions are computed only when they are needed."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Place, Problem
from reconciler.model.secrets import MASK

if TYPE_CHECKING:
    from reconciler.yamlfile.nodes import Node, NodeFinder

MAX_LINE_WIDTH: Final = 160
"""Characters of a line that are shown; longer lines, such as minified JSON, are cut."""

_BREAK: Final = re.compile(r"\r\n|[\n\r]")
_CONFLICT_MARKER: Final = r"(?m)^(?:<{7}|\|{7}|={7}|>{7})(?=[ \r\n]|\Z)"
"""A conflict marker of git at the beginning of a line."""

_KEY_LINE: Final = r"""(?i)(?<![\w-])(?=[\w-]*api[_-]?key)[\w-]++["']?\s*+(?:$|:(?=\s|["']|$))(?P<value>.*)"""
"""A name of an API key, and the text after it. It matches in linear time, however long the name is."""

_BLOCK_START: Final = re.compile(r"(?:[|>][0-9+-]*)?\s*(?:#.*)?\Z")
_SECRET_KEY_NAME: Final = re.compile(r"(?i)api[_-]?key")


Position: TypeAlias = tuple[int, int]
"""Line and column, counted from 0 as in PyYAML."""


def position(node: Node) -> Position:
    return node.start_mark.line, node.start_mark.column


def is_secret_key(name: object) -> bool:
    """Return True if the value of this key must not be shown."""
    return isinstance(name, str) and _SECRET_KEY_NAME.search(name) is not None


@dataclass(frozen=True)
class Source:
    """The text of one file. `file` is its path as the user knows it."""

    file: str
    text: str

    @property
    def is_json(self) -> bool:
        return self.file.lower().endswith(".json")

    @cached_property
    def lines(self) -> list[str]:
        return _BREAK.split(self.text)

    def place_at(self, line: int, column: int, width: int = 1) -> Place:
        """Return the place at a line and column, which count from 0."""
        text = self._excerpt(line, column, width)
        visible = len(text) - column if text else width
        return Place(
            file=self.file, line=line + 1, column=column + 1, text=text, width=max(min(width, visible), 1)
        )

    @cached_property
    def root(self) -> Node | None:
        """The node tree, parsed at the first access: most runs never need it, and it takes much memory."""
        if not self.is_json:
            from reconciler.yamlfile.parser import parse_tree

            return parse_tree(self.text)
        from reconciler.yamlfile import json_parser

        try:
            return json_parser.parse_tree(self.text)
        except json_parser.InvalidJson:
            return None

    def node(self, path: Sequence[str | int]) -> Node | None:
        return None if self.root is None else self._finder.descend(self.root, path)

    def inherited(self, path: Sequence[str | int], name: str | int) -> Node | None:
        """Return the value that `<<` merges into the mapping at `path` under that name."""
        node = self.node(path)
        pair = None if node is None else self._finder.inherited(node, name)
        return None if pair is None else pair[1]

    def place(self, path: Sequence[str | int] = (), *, key: bool = False) -> Place | None:
        """Return the place of the value at `path`, or of its key; None if the path does not exist."""
        if not (key and path):
            node = self.node(path)
        else:
            parent = self.node(path[:-1])
            pair = None if parent is None else self._finder.pair(parent, path[-1])
            node = None if pair is None else pair[0]
        return None if node is None else self.place_of_node(node)

    def place_of_word(self, path: Sequence[str | int], word: str, nth: int = 0) -> Place | None:
        """Return the place of the nth `word` (from 0) in the text at `path`.

        It is the place of the whole text if the text is only the word, or spells it differently. It is None
        if the path does not exist.
        """
        node = self.node(path)
        if node is None:
            return None
        at, end = node.start_mark.index - 1, node.end_mark.index
        for _ in range(nth + 1):
            at = self.text.find(word, at + 1, end)
            if at < 0:
                return self.place_of_node(node)
        if node.value == word:
            return self.place_of_node(node)
        return self.place_at(*self._position(at), len(_BREAK.split(word, 1)[0]))

    def place_of_node(self, node: Node) -> Place:
        start, end = node.start_mark, node.end_mark
        width = end.column - start.column if node.id == "scalar" and end.line == start.line else 1
        return self.place_at(start.line, start.column, width)

    @cached_property
    def _finder(self) -> NodeFinder:
        from reconciler.yamlfile.nodes import NodeFinder

        return NodeFinder()

    @cached_property
    def _starts(self) -> list[int]:
        """The index of the first character of each line."""
        return [0, *(match.end() for match in _BREAK.finditer(self.text))]

    def _position(self, index: int) -> Position:
        """Return the line and the column of a character."""
        line = bisect_right(self._starts, index) - 1
        return line, index - self._starts[line]

    def _excerpt(self, line: int, column: int, width: int) -> str:
        if line >= len(self.lines):
            return ""
        text = self.lines[line]
        start = self._secret_parts.get(line)
        if start is not None:
            text = f"{text[:start]}{MASK}"
        if len(text) > MAX_LINE_WIDTH:
            # A marker under a hidden column would mislead, so the text is left out.
            text = (
                text[: max(MAX_LINE_WIDTH, min(column + width, 2 * MAX_LINE_WIDTH))] + "…"
                if column < 2 * MAX_LINE_WIDTH
                else ""
            )
        if column > len(text):
            return ""
        return (
            text if text.isprintable() else "".join(c if c.isprintable() or c == "\t" else "�" for c in text)
        )

    @cached_property
    def _secret_parts(self) -> dict[int, int]:
        """Line -> the column where secret text begins. Found by text, because invalid YAML has no nodes."""
        lowered = self.text.lower()
        if not any(name in lowered for name in ("api_key", "api-key", "apikey")):
            return {}
        parts: dict[int, int] = {}
        for number, line in enumerate(self.lines):
            if (match := re.search(_KEY_LINE, line)) and number not in parts:
                self._hide_value(number, match, parts)
        return parts

    def _hide_value(self, number: int, match: re.Match[str], parts: dict[int, int]) -> None:
        value = match["value"].lstrip()
        if value:
            parts[number] = match.end() - len(value)
        quote = value[0] if value[:1] in ("'", '"') else ""
        is_quote_open = quote != "" and value.count(quote) == 1
        is_expected = _BLOCK_START.match(value) is not None
        for below in range(number + 1, len(self.lines)):
            line = self.lines[below]
            indent = len(line) - len(line.lstrip())
            if not line.strip():
                continue
            if not (is_quote_open or is_expected or indent > match.start()):
                break
            parts[below] = indent
            is_quote_open = is_quote_open and quote not in line
            # The value still follows a line with only `:` or `|`.
            is_expected = is_expected and not line.strip(":|> ")


@dataclass(frozen=True)
class Document:
    """The data of one file. `problems` are those of its syntax, not of its meaning.

    `ambiguous` are problems of words that YAML versions read differently. They are reported by readers of
    fields in which the difference matters. `is_plain` is True if `block` read the text.
    """

    source: Source
    data: Any
    problems: tuple[Problem, ...] = ()
    ambiguous: tuple[tuple[Position, Problem], ...] = ()
    is_plain: bool = False

    @property
    def file(self) -> str:
        return self.source.file

    def place(self, path: Sequence[str | int] = (), *, key: bool = False) -> Place | None:
        return self.source.place(path, key=key)

    def place_of_word(self, path: Sequence[str | int], word: str, nth: int = 0) -> Place | None:
        return self.source.place_of_word(path, word, nth)

    def node(self, path: Sequence[str | int]) -> Node | None:
        return self.source.node(path)

    def ambiguous_below(self, path: Sequence[str | int]) -> tuple[Problem, ...]:
        """Return the problems of ambiguous words at or below a path."""
        node = self.node(path) if self.ambiguous else None
        if node is None:
            return ()
        from reconciler.yamlfile.nodes import walk

        below = set(map(position, walk(node)))
        return tuple(problem for at, problem in self.ambiguous if at in below)


def merge_conflict(source: Source) -> Problem | None:
    """Return the problem of an unresolved git merge conflict, at its first marker, or None."""
    match = re.search(_CONFLICT_MARKER, source.text)
    if match is None:
        return None
    return Problem(
        code="merge-conflict",
        summary="this file has the markers of an unresolved git merge conflict",
        hint="keep the lines you want of both sides, and remove the lines with the markers",
        place=source.place_at(source.text.count("\n", 0, match.start()), 0, 7),
    )
