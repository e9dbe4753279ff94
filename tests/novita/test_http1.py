"""The reader of answers: what HTTP/1.1 allows, in pieces of any size, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from reconciler.novita.http.http1 import MAX_HEAD, AnswerReader
from reconciler.novita.http.limits import UnusableResponse

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def pieces(data: bytes, size: int) -> Callable[[], bytes]:
    """A socket that gives so many bytes at a time, and then its end."""
    left = [data[start : start + size] for start in range(0, len(data), size)]
    return lambda: left.pop(0) if left else b""


def read(data: bytes, size: int = 1 << 16) -> tuple[AnswerReader, bytes]:
    answer = AnswerReader(pieces(data, size))
    return answer, b"".join(answer.body())


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1 << 16])
@pytest.mark.parametrize(
    ("data", "body", "is_reusable"),
    [
        (OK + b"Content-Length: 5\r\n\r\nhello", b"hello", True),
        (OK + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", b"hello", True),
        (OK + b"Content-Length: 5, 5\r\n\r\nhello", b"hello", True),
        (OK + b"Content-Length: 0\r\n\r\n", b"", True),
        (OK + b"Content-Length: 2\r\n\r\nhello", b"he", False),
        (OK + b"content-length:5\r\nConnection: Keep-Alive, Close\r\n\r\nhello", b"hello", False),
        (OK.replace(b"\r", b"") + b"Content-Length: 5\n\nhello", b"hello", True),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", b"hello", False),
        (b"HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nhello", b"hello", True),
        (b"HTTP/1.1 200 \r\n\r\nhello", b"hello", False),
        (b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", b"", True),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"Content-Length: 2\r\n\r\nhi", b"hi", True),
        (
            b"HTTP/1.1 102 X\r\nConnection: close\r\n\r\n" * 3 + OK + b"Content-Length: 2\r\n\r\nhi",
            b"hi",
            True,
        ),
        (CHUNKED + b"5\r\nhello\r\n0\r\n\r\n", b"hello", True),
        (CHUNKED + b"2 ;a=b\r\nhe\r\n00003;c\r\nllo\r\n0\r\nA: b\r\nC: d\r\n\r\n", b"hello", True),
        (CHUNKED + b"A\r\n0123456789\r\n0\r\n\r\nmore", b"0123456789", False),
        (
            OK + b"Transfer-Encoding: Chunked\r\nContent-Length: 3\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
            b"hello",
            True,
        ),
    ],
)
def test_answers(data: bytes, body: bytes, is_reusable: bool, size: int) -> None:
    answer, found = read(data, size)
    assert (found, answer.status in (200, 204)) == (body, True)
    # More than one piece of 16 bytes behind the end is not seen yet; the socket is read before its next use.
    assert answer.is_reusable in ({is_reusable} if size > 16 else {is_reusable, True})


def test_headers() -> None:
    """Names in lower case, values of one name joined, in UTF-8 or else Latin-1."""
    answer, _ = read(
        OK + b"X-One: 1\r\nx-one:\t2 \r\nEmpty:\r\nFolded: a\r\n  b\r\nUtf: \xc3\xbc\r\nOld: \xfc\r\n\r\n"
    )
    assert answer.headers == {
        "x-one": "1, 2",
        "empty": "",
        "folded": "a b",
        "utf": "\u00fc",
        "old": "\u00fc",
    }


@pytest.mark.parametrize("size", [1, 1 << 16])
@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "closed the connection"),
        (OK, "closed the connection"),
        (OK + b"Content-Length: 5\r\n\r\nhell", "closed the connection"),
        (CHUNKED + b"5\r\nhel", "closed the connection"),
        (CHUNKED + b"5\r\nhello\r\n", "closed the connection"),
        (CHUNKED + b"5\r\nhello\r\n0\r\n", "closed the connection"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "it is not HTTP"),
        (b"HTTP/2.0 200 OK\r\n\r\n", "it is not HTTP"),
        (b"HTTP/1.1 2000 OK\r\n\r\n", "it is not HTTP"),
        (b"HTTP/1.1 099 OK\r\n\r\n", "it is not HTTP"),
        (b"\r\nHTTP/1.1 200 OK\r\n\r\n", "it is not HTTP"),
        (OK + b"no colon\r\n\r\n", "a header is malformed"),
        (OK + b"space : 1\r\n\r\n", "a header is malformed"),
        (OK + b" folded first\r\n\r\n", "a header is malformed"),
        (OK + b"A: b\x00\r\n\r\n", "a header is malformed"),
        (OK + b"A: b\rc\r\n\r\n", "a header is malformed"),
        (OK + b"Content-Length: -5\r\n\r\nhello", "Content-Length"),
        (OK + b"Content-Length: +5\r\n\r\nhello", "Content-Length"),
        (OK + b"Content-Length: five\r\n\r\nhello", "Content-Length"),
        (OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", "Content-Length"),
        (OK + b"Content-Length: \xd9\xa1\r\n\r\nhello", "Content-Length"),
        (OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n", "transfer encoding"),
        (OK + b"Transfer-Encoding: identity\r\n\r\n", "transfer encoding"),
        (CHUNKED + b"-5\r\nhello\r\n0\r\n\r\n", "size of a chunk"),
        (CHUNKED + b"0x5\r\nhello\r\n0\r\n\r\n", "size of a chunk"),
        (CHUNKED + b"\r\n", "size of a chunk"),
        (CHUNKED + b"4\r\nhello\r\n0\r\n\r\n", "longer than its size"),
        (CHUNKED + b"0\r\nno colon\r\n\r\n", "a header is malformed"),
        (OK + b"A: b\r\n" * (MAX_HEAD // 6), "larger than 100 KiB"),
        (OK + b"A: " + b"b" * MAX_HEAD, "larger than 100 KiB"),
        (b"HTTP/1.1 102 X\r\n\r\n" * (MAX_HEAD // 18 + 1), "larger than 100 KiB"),
        (CHUNKED + b"1;" + b"a" * MAX_HEAD, "larger than 100 KiB"),
        (CHUNKED + b"0\r\n" + b"A: b\r\n" * (MAX_HEAD // 6 + 1), "larger than 100 KiB"),
    ],
)
def test_what_is_no_answer(data: bytes, why: str, size: int) -> None:
    if size == 1 and len(data) > MAX_HEAD:
        size = 1000
    with pytest.raises(UnusableResponse, match=why):
        read(data, size)


def test_switching_protocols_is_the_answer() -> None:
    """Nothing follows it that could be HTTP."""
    answer, _ = read(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
    assert (answer.status, answer.is_reusable) == (101, False)
