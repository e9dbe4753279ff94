"""A fast reader of the plainest YAML: block style, with one `key: value` or `- value` on a line.

libyaml makes an object with two positions for every word, which takes most of the time of a large file, and
PyYAML takes longer to import than a small file to read. This reader makes only the data. It reads what
libyaml reads alike, and leaves every other text to it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from sys import intern
from typing import Any, Final, TypeAlias

from reconciler.yamlfile.nodes import MAX_DEPTH
from reconciler.yamlfile.scalars import AmbiguousWord, parse_scalar

_LINE: Final = r"""(?x)
    (\ *+) (-\ )?+                                             # the indentation, the dash of an item
    (?: ([A-Za-z_][A-Za-z0-9_.-]{0,99}+) : (?=\ |\Z) )?+ \ *+    # the key
    (?: ("[\ !\x23-\x5b\x5d-\x7e]*+")                          # a text in quotes without escapes,
      | ([\w./] (?: [\w./=+@%,-] | :(?=[\w./]) | \ (?=[\w./=+@%-]) )*+)  # or words without quotes
      | (\{[\ !"\x24-z|~]*+\}) )?+                                # or a map within the line
    (?: \ ++ (?: \x23[\ -~]*+ )?+ )?+ \Z
  | \ *+ \x23[\ -~]*+ \Z                                       # a comment
"""

_Line: TypeAlias = tuple[int, bool, str, bool, Any]
"""What a line says: its column, whether a dash begins it, its key ("" for none), whether it has a value, and
the value."""

MAX_REMEMBERED: Final = 10_000
"""Lines (count). Most lines of a large file repeat; where they do not, to remember all would take memory."""

_PAIR: Final = r"""(?x)
    \ *+ ([A-Za-z_][A-Za-z0-9_.-]{0,99}+) : \ ++
    (?: ("[\ !\x23-\x5b\x5d-\x7e]*+") | ([\w./] (?: [\w./=+@%-] | \ (?=[\w./=+@%-]) )*+) )
    \ *+ (?: , (?=\ *+[A-Za-z_]) | (?=\}\Z) )
"""
"""A key and a value of a map within a line, with the comma before the next."""


class _Words(dict[str, Any]):
    """The meanings of words without quotes; each is parsed once."""

    def __missing__(self, word: str) -> Any:
        meaning = self[word] = parse_scalar(intern(word))
        return meaning


def _map_of(text: str, words: _Words) -> dict[str, Any] | None:
    """Return the map that a text such as `{a: 1, b: "x"}` is, or None if it is not as plain or not valid."""
    found: dict[str, Any] = {}
    pattern, position = re.compile(_PAIR), 1
    while position < len(text) - 1:
        pair = pattern.match(text, position)
        if pair is None:
            return None
        key, quoted, word = pair.groups()
        name, value = words[key], intern(quoted[1:-1]) if quoted else words[word]
        if name.__class__ is not str or name in found or value.__class__ is AmbiguousWord:
            return None
        found[name] = value
        position = pair.end()
    return found


class _NotPlain(Exception):
    """The text is not as plain as described above, or not valid."""


class _Lines(dict[str, _Line | None]):
    """The meanings of lines, None for an empty one or a comment. Lines that repeat are read once."""

    def __init__(self) -> None:
        self._words = _Words()
        self._match = re.compile(_LINE).match

    def __missing__(self, text: str) -> _Line | None:
        line = self._line_of(text)
        if len(self) < MAX_REMEMBERED:
            self[text] = line
        return line

    def _line_of(self, text: str) -> _Line | None:
        """Return what a line says, or None if it is empty or a comment. Raise _NotPlain."""
        match = self._match(text)
        if match is None:
            raise _NotPlain
        spaces, dash, key, quoted, word, flow = match.groups()
        has_value = bool(quoted or word or flow)
        if has_value and not (key or dash):
            raise _NotPlain
        if not (key or has_value):
            if dash:
                raise _NotPlain
            return None
        name = self._words[key] if key else ""
        value: Any = None
        if quoted:
            value = intern(quoted[1:-1])
        elif word:
            value = self._words[word]
        elif flow:
            value = _map_of(flow, self._words)
        if name.__class__ is not str or value.__class__ is AmbiguousWord or (flow and value is None):
            raise _NotPlain
        return len(spaces), dash is not None, name, has_value, value


def parse(text: str) -> dict[str, Any] | None:
    """Return the data of a text, or None if it is not as plain as described above, or not valid."""
    if not (text.isascii() and text.endswith("\n")):
        return None
    try:
        return _data_of(text.split("\n")) or None
    except _NotPlain:
        return None


def _data_of(texts: Sequence[str]) -> dict[str, Any]:
    """Return the data of the lines. Raise _NotPlain."""
    data: dict[str, Any] = {}
    holder: Any = data  # the innermost open map or list
    holders = [holder]  # all of them
    columns = [0]  # of their keys or dashes
    awaiting = ""  # the key of the innermost map whose value begins on the next line
    lines = _Lines()
    for text in texts:
        line = lines[text]
        if line is None:
            continue
        column, has_dash, key, has_value, value = line
        if awaiting:
            if column < columns[-1] or (column == columns[-1] and not has_dash) or len(columns) >= MAX_DEPTH:
                raise _NotPlain
            holder[awaiting] = [] if has_dash else {}
            holder = holder[awaiting]
            holders.append(holder)
            columns.append(column)
            awaiting = ""
        elif has_dash or column != columns[-1] or holder.__class__ is list:
            # a list may begin in the column of its key, and ends at the next key there
            while column < columns[-1] or (
                column == columns[-1] and not has_dash and holders[-1].__class__ is list
            ):
                holders.pop()
                columns.pop()
            if column != columns[-1]:
                raise _NotPlain
            holder = holders[-1]
            if (holder.__class__ is list) != has_dash:
                raise _NotPlain
        if value.__class__ is dict:
            if len(columns) >= MAX_DEPTH - 1:
                raise _NotPlain
            value = dict(value)  # each line that says it has its own
        if not key:
            holder.append(value)
            continue
        if has_dash:
            holder.append({})
            holder = holder[-1]
            holders.append(holder)
            columns.append(column + 2)
        if key in holder:
            raise _NotPlain
        if has_value:
            holder[key] = value
        else:
            awaiting = key
    if awaiting:
        raise _NotPlain
    return data
