"""Data as YAML text that every reader takes for the same, with quotes wherever one could bend a word."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from reconciler.model.encoding import json_line
from reconciler.yamlfile.scalars import plain

_INSIDE: Final = r"(?:[\w./:@+=%-]*[\w./@+=%-])?"
_PLAIN: Final = re.compile(rf"[A-Za-z_./]{_INSIDE}(?: [\w./@+=%-]{_INSIDE})*\Z", re.ASCII)
_SHORT: Final = frozenset({"y", "Y", "n", "N"})
"""Truth values to YAML 1.1, and to few of its readers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How a file is laid out: spaces below a key for a map and for the dash of a list."""

    step: int = 2
    dash: int = 2


USUAL: Final = Layout()


def block(value: Any, layout: Layout = USUAL, comment: str = "") -> str:
    """A value as lines, the first of them too without indentation and the last without a line break."""
    return "\n".join(_commented(_lines(value, layout), comment))


def pair(key: str, value: Any, layout: Layout = USUAL, comment: str = "") -> str:
    """`key: value`, in lines below the key where the value is a map or a list; the comment is between."""
    return "\n".join(_pair(key, value, layout, comment))


def flow(value: Any, style: str = "") -> str:
    """A value on one line; with a style its words are quoted in it wherever they can be."""
    match value:
        case dict():
            return (
                "{"
                + ", ".join(f"{word(key, style)}: {flow(item, style)}" for key, item in value.items())
                + "}"
            )
        case list():
            return "[" + ", ".join(flow(item, style) for item in value) + "]"
        case _:
            return word(value, style)


def word(value: Any, style: str = "") -> str:
    """A text, number or truth value; a text in the quotes of `style` where it fits into them."""
    if not isinstance(value, str):
        return json.dumps(value)
    if style == "'" and value.isprintable():
        return "'" + value.replace("'", "''") + "'"
    if style != '"' and _PLAIN.match(value) and isinstance(plain(value), str) and value not in _SHORT:
        return value
    return "".join(c if c.isprintable() else _escaped(c) for c in json_line(value))


def is_word(value: Any) -> bool:
    """Whether a value is written on the line of its key, whatever the layout."""
    return not isinstance(value, dict | list) or not value


def _lines(value: Any, layout: Layout) -> Iterator[str]:
    if is_word(value):
        yield flow(value)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _pair(key, item, layout)
    else:
        for item in value:
            first, *rest = _lines(item, layout)
            yield f"- {first}"
            yield from (f"  {line}" for line in rest)


def _pair(key: str, value: Any, layout: Layout, comment: str = "") -> Iterator[str]:
    if is_word(value):
        yield f"{word(key)}: {flow(value)}"
        return
    yield f"{word(key)}:"
    indent = " " * (layout.step if isinstance(value, dict) else layout.dash)
    yield from (indent + line for line in _commented(_lines(value, layout), comment))


def _commented(lines: Iterator[str], comment: str) -> Iterator[str]:
    if comment:
        yield f"# {comment}"
    yield from lines


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
