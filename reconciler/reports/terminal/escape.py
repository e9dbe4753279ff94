"""Text that others chose, made harmless for a terminal, for the log of a CI job and for a shown document.

All that is foreign passes through here before it is printed: names, keys and values, Novita's words, names
and lines of files. What could move a cursor, hide or reorder text, forge a line or command a CI job is shown
as an escape.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

# Most texts need none of these, and to compile them takes longer than to print a plan.
_COLOUR: Final = "(\x1b\\[[0-9;]*m)"
"""What `Style` writes, and rich."""

_INVISIBLE: Final = (
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""Characters that Python calls printable, and that nobody sees."""

_EMOJI: Final = "\u203c\u2049\u2139\u2190-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
_IN_EMOJI: Final = f"(?<=[{_EMOJI}\ufe0f])\u200d(?=[{_EMOJI}])|(?<=[{_EMOJI}#*0-9])\ufe0f"
"""A joiner between two emoji, and the mark that one is to be shown in colour: so a family is one sign."""

_COMMAND_ANYWHERE: Final = r"#(?=#[A-Za-z]*\[)"
"""`##[` and `##vso[`, which runners of Azure and of GitHub look for in the whole line."""

_COMMAND_AT_START: Final = r"^(\s*):(?=:)"
"""`::`, which GitHub's runner takes for a command at the beginning of a line, behind white space as well."""

_IN_JSON: Final = "[^\n\x20-\x7e]|#(?=#[A-Za-z]*\\[)"


def plain(text: str) -> str:
    """The text on one line with everything escaped that is more than visible characters."""
    if not text.isprintable() or (not text.isascii() and _invisible().search(text)):
        text = _escaped(text)
    if "##" in text:
        text = re.sub(_COMMAND_ANYWHERE, r"\\x23", text)
    return re.sub(_COMMAND_AT_START, r"\1\\x3a", text) if "::" in text else text


def lines_of(text: str) -> list[str]:
    """Its lines, none for an empty text; no other character than a newline ends one."""
    return [line.removesuffix("\r") for line in text.split("\n")] if text else []


def plain_lines(text: str) -> str:
    """The same for a text whose newlines are meant."""
    return "\n".join(map(plain, lines_of(text)))


def for_terminal(text: str) -> str:
    """What is about to be printed: lines of ours, which may hold colours, each harmless by itself.

    The second line of defence. It cannot tell a newline that is foreign from one of ours; `plain` can.
    """
    return "\n".join(map(_line, text.split("\n")))


def in_json(text: str) -> str:
    """A JSON text that means the same, with everything unseen in its strings as an escape of JSON."""
    return (
        text if text.isascii() and "##" not in text and "\x7f" not in text else re.sub(_IN_JSON, _json, text)
    )


def _line(line: str) -> str:
    if "\x1b" not in line:
        return plain(line)
    parts = re.split(_COLOUR, line)  # text and colour by turns
    parts[::2] = map(plain, parts[::2])
    return "".join(parts)


def _escaped(text: str) -> str:
    kept = {found.start() for found in re.finditer(_IN_EMOJI, text)}
    return "".join(char if at in kept or _is_seen(char) else _escape(char) for at, char in enumerate(text))


@cache
def _invisible() -> re.Pattern[str]:
    return re.compile(_INVISIBLE)


def _is_seen(char: str) -> bool:
    return char.isprintable() and not _invisible().match(char)


def _escape(char: str) -> str:
    code = ord(char)
    short = {"\t": "\\t", "\n": "\\n", "\r": "\\r"}.get(char)
    return short or (
        f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
    )


def _json(found: re.Match[str]) -> str:
    char = found[0]
    if char != "#" and _is_seen(char):
        return char
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at] << 8 | units[at + 1]:04x}" for at in range(0, len(units), 2))
