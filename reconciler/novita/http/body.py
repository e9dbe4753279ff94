"""The body of a response: unpacked within a size limit, and parsed as JSON as far as Python can hold it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from math import inf
from typing import Final

from reconciler.model.values import Json
from reconciler.novita.http.limits import UnusableResponse, too_large

ACCEPT_ENCODING: Final = "gzip"
"""The Accept-Encoding header."""

_KNOWN_ENCODINGS: Final = frozenset({"gzip", "x-gzip", "deflate"})


def decode_body(chunks: Iterable[bytes], codings: Sequence[str], *, max_size: int) -> bytes:
    """Return the unpacked body. Raise UnusableResponse as soon as it exceeds `max_size` bytes."""
    applied = [coding for coding in codings if coding.lower() not in ("", "identity")]
    if not applied:
        return _join(chunks, max_size)
    if len(applied) > 1:
        raise UnusableResponse("it is compressed more than once")
    if applied[0].lower() not in _KNOWN_ENCODINGS:
        raise UnusableResponse("its encoding was not requested")
    return _join(_inflate(chunks, max_size), max_size)


def _join(chunks: Iterable[bytes], max_size: int) -> bytes:
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > max_size:
            raise too_large(max_size)
    return bytes(body)


def _inflate(chunks: Iterable[bytes], max_size: int) -> Iterable[bytes]:
    """Yield the unpacked chunks. One byte more than `max_size` is enough to see that they are too large."""
    import zlib

    inflater = zlib.decompressobj(zlib.MAX_WBITS | 32)  # gzip or zlib
    is_empty, left = True, max_size + 1
    for chunk in chunks:
        is_empty = is_empty and not chunk
        try:
            data = b"" if inflater.eof else inflater.decompress(chunk, left)
        except zlib.error as error:
            raise UnusableResponse("it cannot be decompressed") from error
        left = max(1, left - len(data))  # 0 would mean no limit
        yield data
    if not (inflater.eof or is_empty):
        raise UnusableResponse("its compressed data is incomplete")


MAX_DEPTH: Final = 100
"""Levels that are kept of an answer that is nested too deep to be parsed."""

_MAX_DIGITS: Final = 400
"""Digits of a number. Python parses at most some thousands, and a float has at most 308."""

_PART: Final = r'(?s)"(?:[^"\\]++|\\.)*+"?|[\[\]{}]'


def parse_json(body: bytes) -> Json:
    """Return the value of a JSON text. Too long numbers become infinite, too deep levels become null.

    Raise ValueError if it is not JSON.
    """
    try:
        return json.loads(body)
    except RecursionError:
        return json.loads(_truncate_levels(body.decode("utf-8", "surrogateescape")), parse_int=_int)
    except json.JSONDecodeError:
        raise
    except UnicodeDecodeError:
        return json.loads(body.decode("utf-8", "surrogateescape"), parse_int=_int)
    except ValueError:
        return json.loads(body, parse_int=_int)


def _int(digits: str) -> int | float:
    return int(digits) if len(digits) <= _MAX_DIGITS else -inf if digits.startswith("-") else inf


def _truncate_levels(text: str) -> str:
    """Return the text with null in place of each array and object below `MAX_DEPTH`."""
    kept: list[str] = []
    depth = start = 0
    for part in re.finditer(_PART, text):
        if part[0] in "[{":
            depth += 1
            if depth == MAX_DEPTH + 1:
                kept += (text[start : part.start()], "null")
        elif part[0] in "]}":
            if depth == MAX_DEPTH + 1:
                start = part.end()
            depth -= 1
    return "".join((*kept, text[start:]))
