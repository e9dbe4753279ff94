"""JSON as JSON, to the letter: its values at once, and its node tree where somebody asks for a place."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from reconciler.yamlfile.nodes import DEEPEST, Mark, Node
from reconciler.yamlfile.scalars import LONGEST, Bent, plain

_SPACE: Final = re.compile(r"[ \t\n\r]*")
_OPEN_TEXT: Final = re.compile(r'"[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*)*')
_TEXT: Final = re.compile(_OPEN_TEXT.pattern + '"')
_WORD: Final = re.compile(
    r"(?:-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?|true|false|null)(?![\w.+-])"
)
_LINE: Final = re.compile(r"\r\n|[\n\r]")


class NotJson(Exception):
    """What is wrong with a text, where (an index), and the way out."""

    def __init__(self, at: int, why: str, way_out: str) -> None:
        super().__init__(why)
        self.at = at
        self.why = why
        self.way_out = way_out


class _Odd(Exception):
    """There is something that only the tree can tell about."""


@dataclass(slots=True)
class _Mark:
    index: int
    line: int
    column: int


@dataclass(slots=True, eq=False)
class _JsonNode:
    id: str
    value: Any
    start_mark: Mark
    end_mark: Mark
    style: str | None = None
    tag: str | None = None
    flow_style: bool = True


def data_of(text: str) -> tuple[Any, bool]:
    """(the data, True), or (None, False) where the tree must tell what there is."""
    try:
        return json.loads(
            text,
            object_pairs_hook=_mapping,
            parse_int=_number,
            parse_float=_number,
            parse_constant=_refused,
        ), True
    except (_Odd, ValueError, RecursionError):
        return None, False


def tree(text: str) -> Node:
    """The node tree, as PyYAML would make it. Raises NotJson."""
    return _Reader(text).read()


def _mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Odd
    return found


def _number(text: str) -> Any:
    found = plain(text) if len(text) <= LONGEST else Bent(text, "")
    if isinstance(found, Bent):
        raise _Odd
    return found


def _refused(_: str) -> NoReturn:
    raise _Odd


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._lines = [0, *(found.end() for found in _LINE.finditer(text))]
        self._at = 0

    def read(self) -> Node:
        root = self._value()
        self._skip()
        if self._at < len(self._text):
            raise self._wrong("the text goes on after its end", "remove what is too much, or a bracket above")
        return root

    def _value(self) -> _JsonNode:
        """One value, whatever it holds; without recursion, for the text decides how deep it goes."""
        opened: list[tuple[_JsonNode, _JsonNode | None]] = []  # (what is open, the key in it that waits)
        while True:
            node = self._begin(len(opened))
            if node.id != "scalar" and not self._is_closed(node):
                opened.append((node, self._key() if node.id == "mapping" else None))
                continue
            while True:
                if not opened:
                    return node
                outer, key = opened.pop()
                outer.value.append(node if key is None else (key, node))
                if self._is_followed(outer):
                    opened.append((outer, None if key is None else self._key()))
                    break
                node = outer

    def _begin(self, depth: int) -> _JsonNode:
        """A word, or a bracket that opens."""
        self._skip()
        start = self._at
        character = self._text[start : start + 1]
        if character in ("{", "["):
            if depth >= DEEPEST:
                raise NotJson(start, f"this is nested more than {DEEPEST} levels deep", "flatten it")
            self._at += 1
            mark = self._mark(start)
            return _JsonNode("mapping" if character == "{" else "sequence", [], mark, mark)
        return self._scalar()

    def _scalar(self) -> _JsonNode:
        start = self._at
        found = (_TEXT if self._text.startswith('"', start) else _WORD).match(self._text, start)
        if found is None:
            raise self._wrong("a value is missing here", "write one, or remove what asks for it")
        self._at = found.end()
        is_text = found[0].startswith('"')
        value = json.loads(found[0]) if is_text else found[0]
        return _JsonNode("scalar", value, self._mark(start), self._mark(self._at), '"' if is_text else None)

    def _key(self) -> _JsonNode:
        self._skip()
        if not self._text.startswith('"', self._at):
            raise self._wrong("a key in double quotes is missing here", 'write `"key": value`')
        key = self._scalar()
        self._skip()
        if not self._text.startswith(":", self._at):
            raise self._wrong("a `:` is missing here", 'write `"key": value`')
        self._at += 1
        return key

    def _is_closed(self, node: _JsonNode) -> bool:
        """Whether the bracket that was opened closes at once."""
        self._skip()
        return self._closes(node)

    def _is_followed(self, outer: _JsonNode) -> bool:
        """Whether a comma, and with it another entry, follows."""
        self._skip()
        if self._closes(outer):
            return False
        if not self._text.startswith(",", self._at):
            if self._at >= len(self._text):
                raise NotJson(
                    outer.start_mark.index, "this bracket is never closed", "check the brackets and commas"
                )
            raise self._wrong("a comma or a closing bracket is missing here", "check the brackets and commas")
        comma, self._at = self._at, self._at + 1
        self._skip()
        if self._text[self._at : self._at + 1] in ("}", "]"):
            raise NotJson(comma, "nothing follows this comma", "remove it")
        return True

    def _closes(self, node: _JsonNode) -> bool:
        if not self._text.startswith("}" if node.id == "mapping" else "]", self._at):
            return False
        self._at += 1
        node.end_mark = self._mark(self._at)
        return True

    def _skip(self) -> None:
        found = _SPACE.match(self._text, self._at)
        assert found is not None
        self._at = found.end()

    def _mark(self, index: int) -> _Mark:
        line = bisect_right(self._lines, index) - 1
        return _Mark(index, line, index - self._lines[line])

    def _wrong(self, why: str, way_out: str) -> NotJson:
        """What stands here instead, where it is a usual mistake."""
        at, text = self._at, self._text
        rest = text[at : at + 2]
        if _TEXT.match(text, at) or _WORD.match(text, at):
            return NotJson(at, why, way_out)
        if rest[:1] == '"':
            return self._bad_text()
        if rest[:1] == "'":
            return NotJson(at, "a text stands in double quotes in JSON", "write it in double quotes")
        if rest[:1] == "#" or rest in ("//", "/*"):
            return NotJson(at, "JSON has no comments", "remove it, or rename the file to .yaml")
        if found := re.compile(r"[-+.\w]+").match(text, at):
            word = found[0] if len(found[0]) <= 60 else found[0][:59] + "…"
            return NotJson(at, f"`{word}` is no value in JSON", "write it in double quotes if it is text")
        return NotJson(min(at, max(len(text.rstrip()) - 1, 0)), why, way_out)

    def _bad_text(self) -> NotJson:
        """A text that does not end, or with a character in it that must be escaped."""
        found = _OPEN_TEXT.match(self._text, self._at)
        assert found is not None
        end = found.end()
        match self._text[end : end + 1]:
            case "":
                return NotJson(self._at, "the quote that opens here is never closed", "close it")
            case "\\":
                return NotJson(end, "there is no such escape in JSON", "write the backslash twice")
            case "\n" | "\r":
                return NotJson(self._at, "the quote that opens here is not closed in its line", "close it")
            case character:
                return NotJson(
                    end,
                    f"the control character U+{ord(character):04X} cannot stand in a text in JSON",
                    f"write it as `\\u{ord(character):04x}`",
                )
