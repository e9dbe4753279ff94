"""The bytes of an answer, within a bound on what they are once unpacked."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from typing import Final

from reconciler.novita.http.transport import Unusable, too_large

ACCEPTED: Final = "gzip"
"""What an answer may be encoded as, besides nothing."""

_KNOWN: Final = frozenset({"gzip", "x-gzip", "deflate"})
_GZIP_OR_ZLIB: Final = zlib.MAX_WBITS | 32


def decoded(chunks: Iterable[bytes], codings: Sequence[str], *, most: int) -> bytes:
    """The whole body, of `most` bytes (count) at most. Raises Unusable; memory stays within the bound."""
    applied = [coding for coding in codings if coding.lower() not in ("", "identity")]
    if not applied:
        return _joined(chunks, most)
    if len(applied) > 1:
        raise Unusable("it is compressed more than once")
    if applied[0].lower() not in _KNOWN:
        raise Unusable("it is encoded in a way that was not asked for")
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
            raise Unusable("it cannot be decompressed") from error
        left = max(1, left - len(found))  # 0 would be no limit
        yield found
    if not (inflater.eof or is_empty):
        raise Unusable("it ends in the midst of what is compressed")
