"""One file as data, and where each part of it stands. Positions cost nothing until a problem needs one."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, TypeAlias

from reconciler.model.problem import Place, Problem
from reconciler.model.secrets import MASK
from reconciler.yamlfile.nodes import Finder, Node, walk
from reconciler.yamlfile.parser import tree

WIDEST: Final = 160
"""A longer line is cut there: nobody reads minified JSON."""

_BREAK: Final = re.compile(r"\r\n|[\n\r]")
_KEY: Final = re.compile(
    r"""(?i)(?<![\w-])(?=[\w-]*api[_-]?key)[\w-]++["']?\s*+(?:$|:(?=\s|["']|$))(?P<value>.*)"""
)
"""A word that names a key, and what follows it. Each word is looked at once, however long it is."""

_OPENS_BLOCK: Final = re.compile(r"(?:[|>][0-9+-]*)?\s*(?:#.*)?\Z")
_KEY_NAME: Final = re.compile(r"(?i)api[_-]?key")


Position: TypeAlias = tuple[int, int]
"""Line and column as PyYAML counts: from 0."""


def position(node: Node) -> Position:
    return node.start_mark.line, node.start_mark.column


def holds_key(name: object) -> bool:
    """Whether what stands under this name must not be shown."""
    return isinstance(name, str) and _KEY_NAME.search(name) is not None


@dataclass(frozen=True)
class Source:
    """The text of one file, under the name the user knows it by."""

    file: str
    text: str

    @property
    def is_json(self) -> bool:
        return self.file.lower().endswith(".json")

    @cached_property
    def lines(self) -> list[str]:
        return _BREAK.split(self.text)

    def place(self, line: int, column: int, width: int = 1) -> Place:
        """The place at a line and column that count from 0."""
        text = self._excerpt(line, column, width)
        shown = len(text) - column if text else width
        return Place(
            file=self.file, line=line + 1, column=column + 1, text=text, width=max(min(width, shown), 1)
        )

    @cached_property
    def root(self) -> Node | None:
        """The node tree. Made anew for whoever asks first: most runs never do, and it takes much memory."""
        if not self.is_json:
            return tree(self.text)
        from reconciler.yamlfile import json_parser

        try:
            return json_parser.tree(self.text)
        except json_parser.NotJson:
            return None

    def node(self, path: Sequence[str | int]) -> Node | None:
        return None if self.root is None else self._finder.descend(self.root, path)

    def inherited(self, path: Sequence[str | int], name: str | int) -> Node | None:
        """What `<<` merges into the mapping at `path` under that name."""
        node = self.node(path)
        pair = None if node is None else self._finder.inherited(node, name)
        return None if pair is None else pair[1]

    def find(self, path: Sequence[str | int] = (), *, key: bool = False) -> Place | None:
        """Where the value at `path` stands, or its key; None when there is no such path."""
        if not (key and path):
            found = self.node(path)
        else:
            parent = self.node(path[:-1])
            pair = None if parent is None else self._finder.pair(parent, path[-1])
            found = None if pair is None else pair[0]
        return None if found is None else self.at(found)

    def find_word(self, path: Sequence[str | int], word: str, nth: int = 0) -> Place | None:
        """Where the nth `word` (from 0) stands in the text at `path`.

        The whole text where it holds nothing else, or spells the word in another way; None when there is no
        such path.
        """
        node = self.node(path)
        if node is None:
            return None
        at, end = node.start_mark.index - 1, node.end_mark.index
        for _ in range(nth + 1):
            at = self.text.find(word, at + 1, end)
            if at < 0:
                return self.at(node)
        if node.value == word:
            return self.at(node)
        return self.place(*self._position(at), len(_BREAK.split(word, 1)[0]))

    def at(self, node: Node) -> Place:
        start, end = node.start_mark, node.end_mark
        width = end.column - start.column if node.id == "scalar" and end.line == start.line else 1
        return self.place(start.line, start.column, width)

    @cached_property
    def _finder(self) -> Finder:
        return Finder()

    @cached_property
    def _starts(self) -> list[int]:
        """Where each line begins."""
        return [0, *(found.end() for found in _BREAK.finditer(self.text))]

    def _position(self, index: int) -> Position:
        """The line and the column of a character."""
        line = bisect_right(self._starts, index) - 1
        return line, index - self._starts[line]

    def _excerpt(self, line: int, column: int, width: int) -> str:
        if line >= len(self.lines):
            return ""
        text = self.lines[line]
        start = self._secret_parts.get(line)
        if start is not None:
            text = f"{text[:start]}{MASK}"
        if len(text) > WIDEST:
            # A marker under a column that is not shown would mislead; then the position alone must do.
            text = text[: max(WIDEST, min(column + width, 2 * WIDEST))] + "…" if column < 2 * WIDEST else ""
        if column > len(text):
            return ""
        return (
            text if text.isprintable() else "".join(c if c.isprintable() or c == "\t" else "�" for c in text)
        )

    @cached_property
    def _secret_parts(self) -> dict[int, int]:
        """Line -> the column from which on it must not be shown. Found by text: broken YAML has no nodes."""
        lowered = self.text.lower()
        if not any(name in lowered for name in ("api_key", "api-key", "apikey")):
            return {}
        parts: dict[int, int] = {}
        for number, line in enumerate(self.lines):
            if (found := _KEY.search(line)) and number not in parts:
                self._hide_value(number, found, parts)
        return parts

    def _hide_value(self, number: int, found: re.Match[str], parts: dict[int, int]) -> None:
        value = found["value"].lstrip()
        if value:
            parts[number] = found.end() - len(value)
        quote = value[0] if value[:1] in ("'", '"') else ""
        is_open = quote != "" and value.count(quote) == 1
        awaited = _OPENS_BLOCK.match(value) is not None
        for below in range(number + 1, len(self.lines)):
            line = self.lines[below]
            indent = len(line) - len(line.lstrip())
            if not line.strip():
                continue
            if not (is_open or awaited or indent > found.start()):
                break
            parts[below] = indent
            is_open = is_open and quote not in line
            # A lone `:` or `|` still owes the value.
            awaited = awaited and not line.strip(":|> ")


@dataclass(frozen=True)
class Document:
    """What one file says. `data` is plain; `problems` are those of its form, not of its meaning.

    `bent` are the words that YAML reads in two ways; whoever knows whether they matter reports them.
    """

    source: Source
    data: Any
    problems: tuple[Problem, ...] = ()
    bent: tuple[tuple[Position, Problem], ...] = ()

    @property
    def file(self) -> str:
        return self.source.file

    def place(self, path: Sequence[str | int] = (), *, key: bool = False) -> Place | None:
        return self.source.find(path, key=key)

    def place_of(self, path: Sequence[str | int], word: str, nth: int = 0) -> Place | None:
        return self.source.find_word(path, word, nth)

    def node(self, path: Sequence[str | int]) -> Node | None:
        return self.source.node(path)

    def bent_within(self, path: Sequence[str | int]) -> tuple[Problem, ...]:
        """The problems of the bent words below one path."""
        node = self.node(path) if self.bent else None
        if node is None:
            return ()
        below = set(map(position, walk(node)))
        return tuple(problem for where, problem in self.bent if where in below)
