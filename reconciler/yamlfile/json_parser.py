"""Parses strict JSON: into data, or into a node tree with positions."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from typing import Any, Final, NoReturn

from reconciler.model.lazy_dataclass import dataclass
from reconciler.yamlfile.nodes import MAX_DEPTH, Mark, Node
from reconciler.yamlfile.scalars import MAX_NUMBER_LENGTH, AmbiguousWord, parse_scalar, truncated

_SPACE: Final = re.compile(r"[ \t\n\r]*")
_OPEN_TEXT: Final = re.compile(r'"[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*)*')
_TEXT: Final = re.compile(_OPEN_TEXT.pattern + '"')
_WORD: Final = re.compile(
    r"(?:-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?|true|false|null)(?![\w.+-])"
)
_LINE: Final = re.compile(r"\r\n|[\n\r]")


class InvalidJson(Exception):
    """A syntax error at an index of the text, with its reason and a hint."""

    def __init__(self, index: int, reason: str, hint: str) -> None:
        super().__init__(reason)
        self.index = index
        self.reason = reason
        self.hint = hint


class _NeedsTree(Exception):
    """The text has something that can only be reported from the node tree."""


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


def parse_data(text: str) -> tuple[Any, bool]:
    """Return (data, True), or (None, False) if the text must be read through `parse_tree`."""
    try:
        return json.loads(
            text,
            object_pairs_hook=_mapping,
            parse_int=_number,
            parse_float=_number,
            parse_constant=_refused,
        ), True
    except (_NeedsTree, ValueError, RecursionError):
        return None, False


def parse_tree(text: str) -> Node:
    """Return a node tree like that of PyYAML. Raise InvalidJson."""
    return _TreeParser(text).read()


def _mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) != len(pairs):
        raise _NeedsTree
    return mapping


def _number(text: str) -> Any:
    number = parse_scalar(text) if len(text) <= MAX_NUMBER_LENGTH else AmbiguousWord(text, "")
    if isinstance(number, AmbiguousWord):
        raise _NeedsTree
    return number


def _refused(_: str) -> NoReturn:
    raise _NeedsTree


class _TreeParser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._lines = [0, *(match.end() for match in _LINE.finditer(text))]
        self._at = 0

    def read(self) -> Node:
        root = self._value()
        self._skip()
        if self._at < len(self._text):
            raise self._error("there is text after the end", "remove it, or a bracket above")
        return root

    def _value(self) -> _JsonNode:
        """Parse one value of any depth, without recursion."""
        opened: list[tuple[_JsonNode, _JsonNode | None]] = []  # (open collection, key of its next value)
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
        """Parse a scalar, or an opening bracket."""
        self._skip()
        start = self._at
        character = self._text[start : start + 1]
        if character in ("{", "["):
            if depth >= MAX_DEPTH:
                raise InvalidJson(start, f"this is nested more than {MAX_DEPTH} levels deep", "flatten it")
            self._at += 1
            mark = self._mark(start)
            return _JsonNode("mapping" if character == "{" else "sequence", [], mark, mark)
        return self._scalar()

    def _scalar(self) -> _JsonNode:
        start = self._at
        match = (_TEXT if self._text.startswith('"', start) else _WORD).match(self._text, start)
        if match is None:
            raise self._error("a value is missing here", "write one, or remove the key or comma before it")
        self._at = match.end()
        is_text = match[0].startswith('"')
        value = json.loads(match[0]) if is_text else match[0]
        return _JsonNode("scalar", value, self._mark(start), self._mark(self._at), '"' if is_text else None)

    def _key(self) -> _JsonNode:
        self._skip()
        if not self._text.startswith('"', self._at):
            raise self._error("a key in double quotes is missing here", 'write `"key": value`')
        key = self._scalar()
        self._skip()
        if not self._text.startswith(":", self._at):
            raise self._error("a `:` is missing here", 'write `"key": value`')
        self._at += 1
        return key

    def _is_closed(self, node: _JsonNode) -> bool:
        """Return True if the opened bracket closes at once."""
        self._skip()
        return self._closes(node)

    def _is_followed(self, outer: _JsonNode) -> bool:
        """Return True if a comma and another entry follow."""
        self._skip()
        if self._closes(outer):
            return False
        if not self._text.startswith(",", self._at):
            if self._at >= len(self._text):
                raise InvalidJson(
                    outer.start_mark.index, "this bracket is never closed", "check the brackets and commas"
                )
            raise self._error("a comma or a closing bracket is missing here", "check the brackets and commas")
        comma, self._at = self._at, self._at + 1
        self._skip()
        if self._text[self._at : self._at + 1] in ("}", "]"):
            raise InvalidJson(comma, "nothing follows this comma", "remove it")
        return True

    def _closes(self, node: _JsonNode) -> bool:
        if not self._text.startswith("}" if node.id == "mapping" else "]", self._at):
            return False
        self._at += 1
        node.end_mark = self._mark(self._at)
        return True

    def _skip(self) -> None:
        spaces = _SPACE.match(self._text, self._at)
        assert spaces is not None
        self._at = spaces.end()

    def _mark(self, index: int) -> _Mark:
        line = bisect_right(self._lines, index) - 1
        return _Mark(index, line, index - self._lines[line])

    def _error(self, reason: str, hint: str) -> InvalidJson:
        """Return the error at the current position, with a specific reason for common mistakes."""
        at, text = self._at, self._text
        rest = text[at : at + 2]
        if _TEXT.match(text, at) or _WORD.match(text, at):
            return InvalidJson(at, reason, hint)
        if rest[:1] == '"':
            return self._bad_text()
        if rest[:1] == "'":
            return InvalidJson(at, "JSON text needs double quotes", "write it in double quotes")
        if rest[:1] == "#" or rest in ("//", "/*"):
            return InvalidJson(at, "JSON has no comments", "remove it, or rename the file to .yaml")
        if match := re.compile(r"[-+.\w]+").match(text, at):
            word = truncated(match[0])
            return InvalidJson(at, f"`{word}` is not a JSON value", "write it in double quotes if it is text")
        return InvalidJson(min(at, max(len(text.rstrip()) - 1, 0)), reason, hint)

    def _bad_text(self) -> InvalidJson:
        """Return the error of a text without an end, or with a character that must be escaped."""
        text = _OPEN_TEXT.match(self._text, self._at)
        assert text is not None
        end = text.end()
        match self._text[end : end + 1]:
            case "":
                return InvalidJson(self._at, "the quote that opens here is never closed", "close it")
            case "\\":
                return InvalidJson(end, "JSON does not have this escape", "write the backslash twice")
            case "\n" | "\r":
                return InvalidJson(
                    self._at, "the quote that opens here is not closed in its line", "close it"
                )
            case character:
                return InvalidJson(
                    end,
                    f"the control character U+{ord(character):04X} is not allowed in JSON text",
                    f"write it as `\\u{ord(character):04x}`",
                )
