"""A fast reader of the plainest YAML: block style, with one `key: value` or `- value` on a line.

libyaml makes an object with two positions for every word, which takes most of the time of a large file, and
PyYAML takes longer to import than a small file to read. This reader makes only the data. It reads what
libyaml reads alike, and leaves every other text to it.
"""

from __future__ import annotations

import re
from sys import intern
from typing import Any, Final

from reconciler.yamlfile.nodes import MAX_DEPTH
from reconciler.yamlfile.scalars import AmbiguousWord, parse_scalar

_LINE: Final = r"""(?x)
    (\ *+) (-\ )?+                                             # the indentation, the dash of an item
    (?: ([A-Za-z_][A-Za-z0-9_.-]{0,99}+) : (?=[\ \n]) )?+ \ *+ # the key
    (?: ("[\ !\x23-\x5b\x5d-\x7e]*+")                          # a text in quotes without escapes,
      | ([\w./] (?: [\w./=+@%,-] | :(?=[\w./]) | \ (?=[\w./=+@%-]) )*+)  # or words without quotes
      | (\{[\ !"\x24-z|~]*+\}) )?+                                # or a map within the line
    (?: \ ++ (?: \x23[\ -~]*+ )?+ )?+ \n
  | \ *+ \x23[\ -~]*+ \n                                       # a comment
  | (.)                                                        # anything else
"""

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


def parse(text: str) -> dict[str, Any] | None:
    """Return the data of a text, or None if it is not as plain as described above, or not valid."""
    if not (text.isascii() and text.endswith("\n")):
        return None
    data: dict[str, Any] = {}
    holder: Any = data  # the innermost open map or list
    holders = [holder]  # all of them
    columns = [0]  # of their keys or dashes
    awaiting = ""  # the key of the innermost map whose value begins on the next line
    words = _Words()
    for line in re.finditer(_LINE, text):
        spaces, dash, key, quoted, word, flow, other = line.groups()
        if other:
            return None
        if not (dash or key or quoted or word or flow):
            continue  # an empty line or a comment
        column = len(spaces)
        if awaiting:
            if column < columns[-1] or (column == columns[-1] and not dash) or len(columns) >= MAX_DEPTH:
                return None
            holder[awaiting] = [] if dash else {}
            holder = holder[awaiting]
            holders.append(holder)
            columns.append(column)
            awaiting = ""
        elif dash or column != columns[-1] or holder.__class__ is list:
            # a list may begin in the column of its key, and ends at the next key there
            while column < columns[-1] or (
                column == columns[-1] and not dash and holders[-1].__class__ is list
            ):
                holders.pop()
                columns.pop()
            if column != columns[-1]:
                return None
            holder = holders[-1]
            if (holder.__class__ is list) != (dash is not None):
                return None
        value = intern(quoted[1:-1]) if quoted else words[word] if word else None
        if flow:
            value = _map_of(flow, words) if len(columns) < MAX_DEPTH - 1 else None
            if value is None:
                return None
        if value.__class__ is AmbiguousWord:
            return None
        if not key:
            if not (dash and (quoted or word or flow)):
                return None
            holder.append(value)
            continue
        if dash:
            holder.append({})
            holder = holder[-1]
            holders.append(holder)
            columns.append(column + 2)
        name = words[key]
        if name.__class__ is not str or name in holder:
            return None  # a key that is not text, or occurs twice
        if quoted or word or flow:
            holder[name] = value
        else:
            awaiting = name
    return None if awaiting else data or None
