"""How wide a text is on a terminal: an ideograph takes two columns, a combining mark none."""

from __future__ import annotations


def cells(text: str) -> int:
    """Columns."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def padded(text: str, width: int) -> str:
    """The text with spaces behind it, `width` columns wide at least."""
    return text + " " * (width - cells(text))
