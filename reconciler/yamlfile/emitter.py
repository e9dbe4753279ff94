"""Writes data as YAML text, with quotes around words that YAML versions read differently."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final

from reconciler.model.encoding import json_line
from reconciler.model.lazy_dataclass import dataclass
from reconciler.yamlfile.scalars import parse_scalar

_INSIDE: Final = r"(?:[\w./:@+=%-]*[\w./@+=%-])?"
_PLAIN: Final = re.compile(rf"[A-Za-z_./]{_INSIDE}(?: [\w./@+=%-]{_INSIDE})*\Z", re.ASCII)
_SHORT: Final = frozenset({"y", "Y", "n", "N"})
"""Truth values in YAML 1.1, which only some parsers support."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Indentation:
    """The indentation of a file: spaces below a key for maps, and for the dashes of lists."""

    map: int = 2
    dash: int = 2


DEFAULT_INDENTATION: Final = Indentation()


def to_block(value: Any, indentation: Indentation = DEFAULT_INDENTATION, comment: str = "") -> str:
    """Return a value in block style, without indentation and without a final line break."""
    return "\n".join(_commented(_lines(value, indentation), comment))


def to_pair(key: str, value: Any, indentation: Indentation = DEFAULT_INDENTATION, comment: str = "") -> str:
    """Return `key: value`; maps and lists are on lines below the key, after the comment."""
    return "\n".join(_pair(key, value, indentation, comment))


def to_flow(value: Any, style: str = "") -> str:
    """Return a value on one line, in flow style; `style` is the preferred quote character."""
    match value:
        case dict():
            return (
                "{"
                + ", ".join(f"{to_scalar(key, style)}: {to_flow(item, style)}" for key, item in value.items())
                + "}"
            )
        case list():
            return "[" + ", ".join(to_flow(item, style) for item in value) + "]"
        case _:
            return to_scalar(value, style)


def to_scalar(value: Any, style: str = "") -> str:
    """Return a scalar; a text is in the quotes of `style` if they can hold it."""
    if not isinstance(value, str):
        return json_line(value)
    if style == "'" and value.isprintable():
        return "'" + value.replace("'", "''") + "'"
    return _quoted(value) if style == '"' else _shortest(value)


@lru_cache(maxsize=1024)
def _shortest(text: str) -> str:
    """Return a text without quotes if no YAML version reads it differently. Most keys are repeated."""
    is_plain = _PLAIN.match(text) and text not in _SHORT and isinstance(parse_scalar(text), str)
    return text if is_plain else _quoted(text)


def _quoted(text: str) -> str:
    quoted = json_line(text)
    return quoted if text.isprintable() else "".join(c if c.isprintable() else _escaped(c) for c in quoted)


def is_inline(value: Any) -> bool:
    """Return True if a value is always on the line of its key."""
    return not isinstance(value, dict | list) or not value


def _lines(value: Any, indentation: Indentation) -> list[str]:
    if is_inline(value):
        return [to_flow(value)]
    if isinstance(value, dict):
        return [line for key, item in value.items() for line in _pair(key, item, indentation)]
    return [
        ("  " if number else "- ") + line
        for item in value
        for number, line in enumerate(_lines(item, indentation))
    ]


def _pair(key: str, value: Any, indentation: Indentation, comment: str = "") -> list[str]:
    if value.__class__ is str:
        return [f"{_shortest(key)}: {_shortest(value)}"]
    if is_inline(value):
        return [f"{to_scalar(key)}: {to_flow(value)}"]
    indent = " " * (indentation.map if isinstance(value, dict) else indentation.dash)
    lines = _commented(_lines(value, indentation), comment)
    return [f"{to_scalar(key)}:", *[indent + line for line in lines]]


def _commented(lines: list[str], comment: str) -> list[str]:
    return [f"# {comment}", *lines] if comment else lines


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
