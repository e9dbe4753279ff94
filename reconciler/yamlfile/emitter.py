"""Writes data as YAML text, with quotes around words that YAML versions read differently."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
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
        return json.dumps(value)
    if style == "'" and value.isprintable():
        return "'" + value.replace("'", "''") + "'"
    if style != '"' and _PLAIN.match(value) and isinstance(parse_scalar(value), str) and value not in _SHORT:
        return value
    return "".join(c if c.isprintable() else _escaped(c) for c in json_line(value))


def is_inline(value: Any) -> bool:
    """Return True if a value is always on the line of its key."""
    return not isinstance(value, dict | list) or not value


def _lines(value: Any, indentation: Indentation) -> Iterator[str]:
    if is_inline(value):
        yield to_flow(value)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _pair(key, item, indentation)
    else:
        for item in value:
            first, *rest = _lines(item, indentation)
            yield f"- {first}"
            yield from (f"  {line}" for line in rest)


def _pair(key: str, value: Any, indentation: Indentation, comment: str = "") -> Iterator[str]:
    if is_inline(value):
        yield f"{to_scalar(key)}: {to_flow(value)}"
        return
    yield f"{to_scalar(key)}:"
    indent = " " * (indentation.map if isinstance(value, dict) else indentation.dash)
    yield from (indent + line for line in _commented(_lines(value, indentation), comment))


def _commented(lines: Iterator[str], comment: str) -> Iterator[str]:
    if comment:
        yield f"# {comment}"
    yield from lines


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
