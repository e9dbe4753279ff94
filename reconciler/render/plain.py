"""Text that others chose, made harmless for a terminal and for the log of a CI job."""

from __future__ import annotations

from typing import Final

_COMMANDS: Final = ("::", "##[")
"""What begins a line that GitHub's runner takes for a command, whatever white space stands before it."""


def plain(text: str) -> str:
    """The text with everything escaped that could move a cursor, forge a line, or command a CI job."""
    if not text.isprintable():
        text = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
    if text.lstrip().startswith(_COMMANDS):
        start = len(text) - len(text.lstrip())
        text = f"{text[:start]}\\x{ord(text[start]):02x}{text[start + 1 :]}"
    return text
