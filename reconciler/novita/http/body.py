"""The body of a response: unpacked within a size limit, and parsed as JSON as far as Python can hold it."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterable, Sequence
from math import inf
from typing import Final

from reconciler.model.values import Json
from reconciler.novita.http.transport import UnusableResponse, too_large

ACCEPTED: Final = "gzip"
"""What an answer may be encoded as, besides nothing."""

_KNOWN: Final = frozenset({"gzip", "x-gzip", "deflate"})
_GZIP_OR_ZLIB: Final = zlib.MAX_WBITS | 32


def decoded(chunks: Iterable[bytes], codings: Sequence[str], *, most: int) -> bytes:
    """Return the unpacked body. Raise UnusableResponse for more than `most` bytes; memory stays within it."""
    applied = [coding for coding in codings if coding.lower() not in ("", "identity")]
    if not applied:
        return _joined(chunks, most)
    if len(applied) > 1:
        raise UnusableResponse("it is compressed more than once")
    if applied[0].lower() not in _KNOWN:
        raise UnusableResponse("it is encoded in a way that was not asked for")
    return _joined(_inflated(chunks, most), most)


def _joined(chunks: Iterable[bytes], most: int) -> bytes:
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > most:
            raise too_large(most)
    return bytes(body)


def _inflated(chunks: Iterable[bytes], most: int) -> Iterable[bytes]:
    """The unpacked chunks; one more byte than `most` is enough to see that it is too much."""
    inflater = zlib.decompressobj(_GZIP_OR_ZLIB)
    is_empty, left = True, most + 1
    for chunk in chunks:
        is_empty = is_empty and not chunk
        try:
            found = b"" if inflater.eof else inflater.decompress(chunk, left)
        except zlib.error as error:
            raise UnusableResponse("it cannot be decompressed") from error
        left = max(1, left - len(found))  # 0 would be no limit
        yield found
    if not (inflater.eof or is_empty):
        raise UnusableResponse("it ends in the midst of what is compressed")


DEEPEST: Final = 100
"""Levels that are kept of an answer that nests too deep to be read as it is."""

_MOST_DIGITS: Final = 400
"""Of a number. Python refuses to read some thousands of them, and a float holds 308."""

_PART: Final = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)


def parse_json(body: bytes) -> Json:
    """The value of a JSON text. A number too long is infinite, and what is nested too deep is a null.

    Raises ValueError when it is no JSON.
    """
    try:
        return json.loads(body)
    except RecursionError:
        return json.loads(_shallow(body.decode("utf-8", "surrogateescape")), parse_int=_int)
    except json.JSONDecodeError:
        raise
    except UnicodeDecodeError:
        return json.loads(body.decode("utf-8", "surrogateescape"), parse_int=_int)
    except ValueError:
        return json.loads(body, parse_int=_int)


def _int(digits: str) -> int | float:
    return int(digits) if len(digits) <= _MOST_DIGITS else -inf if digits.startswith("-") else inf


def _shallow(text: str) -> str:
    """The text with a null in place of every array and object below the deepest level that is kept."""
    kept: list[str] = []
    depth = start = 0
    for part in _PART.finditer(text):
        if part[0] in "[{":
            depth += 1
            if depth == DEEPEST + 1:
                kept += (text[start : part.start()], "null")
        elif part[0] in "]}":
            if depth == DEEPEST + 1:
                start = part.end()
            depth -= 1
    return "".join((*kept, text[start:]))
