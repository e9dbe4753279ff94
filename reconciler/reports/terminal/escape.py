"""Escaping of untrusted text for terminals, logs of CI jobs and documents.

All untrusted text is escaped here before it is printed: names, keys and values, messages of the API, names
and lines of files. Characters that could move the cursor, hide or reorder text, forge a line or command a CI
runner are shown as escapes.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

# Patterns are compiled on first use: few texts need them, and compiling takes longer than printing a plan.
_COLOUR: Final = "(\x1b\\[[0-9;]*m)"
"""Colour codes that `Style` and rich write."""

_INVISIBLE: Final = (
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""Invisible characters that Python considers printable."""

_EMOJI: Final = "\u203c\u2049\u2139\u2190-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
_IN_EMOJI: Final = f"(?<=[{_EMOJI}\ufe0f])\u200d(?=[{_EMOJI}])|(?<=[{_EMOJI}#*0-9])\ufe0f"
"""A joiner between two emoji, and the selector of an emoji in colour."""

_COMMAND_ANYWHERE: Final = r"#(?=#[A-Za-z]*\[)"
"""`##[` and `##vso[`, which the runners of Azure and GitHub recognize anywhere in a line."""

_COMMAND_AT_START: Final = r"^(\s*):(?=:)"
"""`::`, which GitHub's runner recognizes at the beginning of a line, also after white space."""

_IN_JSON: Final = "[^\n\x20-\x7e]|#(?=#[A-Za-z]*\\[)"


def plain(text: str) -> str:
    """Return the text on one line, with everything but visible characters escaped."""
    if not text.isprintable() or (not text.isascii() and _invisible().search(text)):
        text = _escaped(text)
    if "##" in text:
        text = re.sub(_COMMAND_ANYWHERE, r"\\x23", text)
    return re.sub(_COMMAND_AT_START, r"\1\\x3a", text) if "::" in text else text


def lines_of(text: str) -> list[str]:
    """Return the lines of a text; only a newline ends a line, and an empty text has no lines."""
    return [line.removesuffix("\r") for line in text.split("\n")] if text else []


def plain_lines(text: str) -> str:
    """Return the text with each of its lines escaped."""
    return "\n".join(map(plain, lines_of(text)))


def for_terminal(text: str) -> str:
    """Return output that is about to be printed, with each line escaped except for its colours.

    This is the second line of defence. It cannot find a newline in untrusted text, which `plain` escapes.
    """
    bare = re.sub(_COLOUR, "", text) if "\x1b" in text else text
    is_plain = (
        bare.isascii() and bare.replace("\n", "").isprintable() and "##" not in bare and "::" not in bare
    )
    return text if is_plain else "\n".join(map(_line, text.split("\n")))


def in_json(text: str) -> str:
    """Return an equivalent JSON text in which invisible characters are JSON escapes."""
    return (
        text if text.isascii() and "##" not in text and "\x7f" not in text else re.sub(_IN_JSON, _json, text)
    )


def _line(line: str) -> str:
    if "\x1b" not in line:
        return plain(line)
    parts = re.split(_COLOUR, line)  # alternately text and colour code
    parts[::2] = map(plain, parts[::2])
    return "".join(parts)


def _escaped(text: str) -> str:
    kept = {match.start() for match in re.finditer(_IN_EMOJI, text)}
    return "".join(char if at in kept or _is_visible(char) else _escape(char) for at, char in enumerate(text))


@cache
def _invisible() -> re.Pattern[str]:
    return re.compile(_INVISIBLE)


def _is_visible(char: str) -> bool:
    return char.isprintable() and not _invisible().match(char)


def _escape(char: str) -> str:
    code = ord(char)
    short = {"\t": "\\t", "\n": "\\n", "\r": "\\r"}.get(char)
    return short or (
        f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
    )


def _json(match: re.Match[str]) -> str:
    char = match[0]
    if char != "#" and _is_visible(char):
        return char
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at] << 8 | units[at + 1]:04x}" for at in range(0, len(units), 2))
