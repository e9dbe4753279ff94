"""Text that others chose, made harmless for a terminal."""

from __future__ import annotations


def plain(text: str) -> str:
    """The text with everything escaped that could move a cursor or forge a line: others choose names too."""
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
