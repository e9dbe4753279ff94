"""Bytes of a file -> its text, whatever mark of its encoding stands in front."""

from __future__ import annotations

from typing import Final

BOMS: Final = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)


def decoded(raw: bytes) -> str | None:
    """The text without the mark; UTF-8 where there is none. None where it is no such text."""
    content, encoding = unmarked(raw)
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        return None


def unmarked(raw: bytes) -> tuple[bytes, str]:
    """(the bytes without the mark of their encoding, that encoding)."""
    bom, encoding = next((found for found in BOMS if raw.startswith(found[0])), (b"", "utf-8"))
    return raw[len(bom) :], encoding
