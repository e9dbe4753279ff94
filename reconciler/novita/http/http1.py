"""HTTP/1.1 for reads: a GET with its answer, of which each part has a limit.

The standard library has `http.client`, but it imports `email` (10 ms), takes a 102 for the answer, and does
not notice that a body ends early.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from reconciler.novita.http.limits import UnusableResponse

MAX_HEAD: Final = 100 << 10
"""Bytes of all header lines of an answer, with those of its provisional answers; likewise of its trailers."""

_STATUS: Final = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: .*)?")
_HEADER: Final = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\x00\r]*?)[ \t]*")
_CHUNK: Final = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;.*)?")
_SIZE: Final = re.compile(r"[0-9]{1,20}")


class AnswerReader:
    """The answer to one request. `status` and `headers` (names in lower case) are read at once.

    Raise UnusableResponse for anything that is not HTTP/1.1 or ends early.
    """

    def __init__(self, receive: Callable[[], bytes]) -> None:
        self._receive = receive
        self._data = b""
        self._start = 0  # of what is not read yet
        self._head_left = MAX_HEAD
        self._is_ended = False
        self._is_persistent = False
        self.status, self.headers = self._read_head()
        while 100 <= self.status < 200 and self.status != 101:  # a provisional answer
            self.status, self.headers = self._read_head()

    @property
    def is_reusable(self) -> bool:
        """Return whether the connection can serve another call, once the body was read."""
        return self._is_persistent and self._is_ended and self._start == len(self._data)

    @property
    def codings(self) -> list[str]:
        """The values of Content-Encoding."""
        return [coding.strip() for coding in self.headers.get("content-encoding", "").split(",")]

    def body(self) -> Iterator[bytes]:
        """Yield the body in pieces, as it was sent."""
        length = self._content_length()
        if self.status in (204, 304):
            pass
        elif "transfer-encoding" in self.headers:
            if self.headers["transfer-encoding"].lower() != "chunked":
                raise UnusableResponse("its transfer encoding is not known")
            yield from self._chunks()
        elif length is not None:
            yield from self._take(length)
        else:
            self._is_persistent = False
            yield self._data[self._start :]
            self._start = len(self._data)
            while data := self._receive():
                yield data
        self._is_ended = True

    def _read_head(self) -> tuple[int, dict[str, str]]:
        status = _STATUS.fullmatch(self._line())
        if status is None:
            raise UnusableResponse("it is not HTTP")
        headers = self._read_headers()
        is_closing = "close" in headers.get("connection", "").lower().replace(" ", "").split(",")
        self._is_persistent = status[1] == b"1" and not is_closing
        return int(status[2]), headers

    def _content_length(self) -> int | None:
        values = {value.strip() for value in self.headers.get("content-length", "").split(",")}
        if values == {""}:
            return None
        if len(values) > 1 or not _SIZE.fullmatch(value := values.pop()):
            raise UnusableResponse("its Content-Length is not a number")
        return int(value)

    def _chunks(self) -> Iterator[bytes]:
        while True:
            self._head_left = MAX_HEAD
            size = _CHUNK.fullmatch(self._line())
            if size is None:
                raise UnusableResponse("the size of a chunk is not a number")
            if not (count := int(size[1], 16)):
                break
            yield from self._take(count)
            if self._line():
                raise UnusableResponse("a chunk is longer than its size")
        self._read_headers()  # trailers, which mean nothing here

    def _take(self, count: int) -> Iterator[bytes]:
        """Yield that many bytes."""
        while count:
            if self._start == len(self._data):
                self._receive_more()
            piece = self._data[self._start : self._start + count]
            self._start += len(piece)
            count -= len(piece)
            yield piece

    def _read_headers(self) -> dict[str, str]:
        """Return headers up to the empty line. Values of the same name are joined with commas."""
        headers: dict[str, str] = {}
        name = ""
        while line := self._line():
            if line[:1] in (b" ", b"\t") and name:
                headers[name] = f"{headers[name]} {_text(line.strip())}"
                continue
            header = _HEADER.fullmatch(line)
            if header is None:
                raise UnusableResponse("a header is malformed")
            name, value = header[1].decode().lower(), _text(header[2])
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        return headers

    def _line(self) -> bytes:
        """Return the next line without its end."""
        searched = self._start
        while (end := self._data.find(b"\n", searched)) < 0:
            searched = len(self._data) - self._start
            self._spend(searched)
            self._receive_more()
        line = self._data[self._start : end]
        self._head_left -= end + 1 - self._start
        self._spend(0)
        self._start = end + 1
        return line.removesuffix(b"\r")

    def _spend(self, count: int) -> None:
        if count > self._head_left:
            raise UnusableResponse(f"its headers are larger than {MAX_HEAD >> 10} KiB")

    def _receive_more(self) -> None:
        data = self._receive()
        if not data:
            raise UnusableResponse("the server closed the connection before the end of the answer")
        self._data, self._start = self._data[self._start :] + data, 0


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")
