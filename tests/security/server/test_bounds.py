"""No answer takes more than a bound of memory, and none more than a bound of time."""

import gzip
import json
import socket
import ssl
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.model.errors import AnswerLost, ApiError, Unreachable
from reconciler.model.request import Request
from reconciler.model.secrets import Secret
from reconciler.novita.http.client import Client
from tests.e2e.sandbox import Sandbox, item
from tests.scripted_server import scripted_server
from tests.tls_relay import make_certificate

GET = Request(method="GET", path="/x")
POST = Request(method="POST", path="/x", body={})
BOTH = pytest.mark.parametrize("request_", [GET, POST], ids=["read", "write"])
"""Reads and writes are sent by different code."""

KEY = Secret(value="k", source="test")
HEAD = b"HTTP/1.1 200 OK\r\n"
WITHIN = 0.6
"""Seconds that a call may take here."""

Connection = socket.socket


def drip(head: bytes, piece: bytes) -> Callable[[Connection, threading.Event], None]:
    """Sends the head, then a piece every now and then until the test is over."""

    def talk(connection: Connection, over: threading.Event) -> None:
        connection.sendall(head)
        while not over.wait(0.03):
            connection.sendall(piece)

    return talk


def flood(head: bytes, piece: bytes) -> Callable[[Connection, threading.Event], None]:
    """Sends the head, then pieces as fast as they are taken."""

    def talk(connection: Connection, over: threading.Event) -> None:
        connection.sendall(head)
        while not over.is_set():
            connection.sendall(piece * 1000)

    return talk


def says(body: bytes, *, coding: str = "") -> Callable[[Connection, threading.Event], None]:
    """One whole answer."""
    encoding = f"Content-Encoding: {coding}\r\n" if coding else ""
    head = f"Content-Length: {len(body)}\r\n{encoding}Connection: close\r\n\r\n".encode()
    return lambda connection, _over: connection.sendall(HEAD + head + body)


CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
SLOW = {
    "nothing": drip(b"", b""),
    "status": drip(b"H", b"T"),
    "headers": drip(HEAD + b"X-A: ", b"a"),
    "header lines": drip(HEAD, b"A: b\r\n"),
    "1xx": drip(b"", b"HTTP/1.1 102 Processing\r\n\r\n"),
    "100": drip(b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "body": drip(HEAD + b"Content-Length: 99999\r\n\r\n", b"x"),
    "body to the end of the connection": drip(HEAD + b"\r\n", b" "),
    "chunks": drip(CHUNKED, b"1\r\nx\r\n"),
    "chunk size": drip(CHUNKED, b"0"),
    "chunk extension": drip(CHUNKED + b"1;", b"a"),
    "trailers": drip(CHUNKED + b"0\r\n", b"A: b\r\n"),
    "gzip": drip(HEAD + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"")[:10], b"\x00\x00\x00\xff\xff"),
}


@BOTH
@pytest.mark.parametrize("how", SLOW)
def test_a_call_ends_in_time(how: str, request_: Request) -> None:
    """However often a byte comes, and wherever in the answer it belongs."""
    with scripted_server(SLOW[how]) as server, Client(server.url, KEY, read_timeout=WITHIN) as client:
        began = time.monotonic()
        with pytest.raises(AnswerLost) as caught:
            client.send(request_, retries=False)
        assert time.monotonic() - began < WITHIN + 1.5
    what = "no answer" if how == "nothing" else "(the answer was not complete|no usable answer)"
    assert caught.match(what)


@BOTH
def test_each_call_has_the_whole_time(request_: Request) -> None:
    """The bound is of a call, not of a connection that serves several."""

    def talk(connection: Connection, _over: threading.Event) -> None:
        for _ in range(4):
            time.sleep(WITHIN / 2)
            connection.sendall(HEAD + b"Content-Length: 2\r\n\r\n{}")
            connection.recv(65536)

    with scripted_server(talk) as server, Client(server.url, KEY, read_timeout=WITHIN) as client:
        assert [client.send(request_, retries=False) for _ in range(3)] == [{}] * 3
        assert len(server.received) == 1


@BOTH
def test_a_handshake_ends_in_time(request_: Request) -> None:
    """A server that accepts and then keeps silent, or speaks TLS a byte at a time."""
    record = b"\x16\x03\x03\x40\x00" + b"\x02\x00\x3f\xfc\x03\x03"
    for talk in (drip(b"", b""), drip(record, b"\x00")):
        with scripted_server(talk) as server:
            url = server.url.replace("http:", "https:")
            client = Client(url, KEY, read_timeout=WITHIN, connect_timeout=9.0)
            began = time.monotonic()
            with client, pytest.raises(Unreachable, match="cannot reach"):
                client.send(request_, retries=False)
            assert time.monotonic() - began < WITHIN + 1.5


@pytest.mark.parametrize("pause", [0.0, 0.02])
def test_a_server_that_does_not_read(pause: float) -> None:
    """A body that nobody takes, or that is taken a little at a time, ends the call as well."""

    def talk(connection: Connection, over: threading.Event) -> None:
        while not over.wait(pause or 5):
            connection.recv(512)

    body = {"x": "y" * 20_000_000}
    with scripted_server(talk) as server, Client(server.url, KEY, read_timeout=WITHIN) as client:
        began = time.monotonic()
        with pytest.raises(AnswerLost):
            client.send(Request(method="POST", path="/x", body=body, is_idempotent=False))
        assert time.monotonic() - began < WITHIN + 2


FLOODS = {
    "1xx": flood(b"", b"HTTP/1.1 102 Processing\r\n\r\n"),
    "header lines": flood(HEAD, b"A: b\r\n"),
    "one header": flood(HEAD + b"A: ", b"bbbbbbbb"),
    "body": flood(HEAD + b"\r\n", b"x" * 64),
    "length that lies": flood(HEAD + b"Content-Length: 9999999999999\r\n\r\n", b"x" * 64),
    "chunks": flood(CHUNKED, b"40\r\n" + b"x" * 64 + b"\r\n"),
    "empty members after gzip": flood(
        HEAD + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"{}"), gzip.compress(b"")
    ),
    "trailers": flood(CHUNKED + b"0\r\n", b"A: b\r\n"),
}


def bomb(size: int, times: int = 1, wbits: int = 31) -> bytes:
    """Zeros, compressed so many times over."""
    packer = zlib.compressobj(9, zlib.DEFLATED, wbits)
    block = bytes(1 << 20)
    found = b"".join(packer.compress(block) for _ in range(size >> 20)) + packer.flush()
    for _ in range(times - 1):
        found = gzip.compress(found, 9)
    return found


BOMBS = {
    "gzip": (lambda: bomb(1 << 28), "gzip"),
    "deflate": (lambda: bomb(1 << 28, wbits=15), "deflate"),
    "gzip twice": (lambda: bomb(1 << 28, 2), "gzip, gzip"),
    "gzip three times": (lambda: bomb(1 << 28, 3), "gzip, gzip, gzip"),
    "brotli": (lambda: b"\x5b\xff\xff" * 100, "br"),
    "zstd": (lambda: b"\x28\xb5\x2f\xfd" * 100, "zstd"),
}
MEASURE = """
import resource, sys
from reconciler.model.errors import ApiError
from reconciler.model.secrets import Secret
from reconciler.model.request import Request
from reconciler.novita.http.client import Client
with Client(sys.argv[1], Secret(value="k", source="t"), read_timeout=5) as client:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        body = {} if sys.argv[2] == "POST" else None
        client.send(Request(method=sys.argv[2], path="/x", body=body), retries=False)
    except ApiError as error:
        print(error.problem.summary)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def grown(url: str, method: str) -> tuple[str, int]:
    """What one call to an address ended with, and by how many KiB it made a process grow."""
    found = subprocess.run(
        [sys.executable, "-c", MEASURE, url, method], capture_output=True, text=True, timeout=60, check=True
    )
    *said, kib = found.stdout.splitlines()
    return " ".join(said), int(kib)


@BOTH
@pytest.mark.parametrize("how", [*FLOODS, *BOMBS])
def test_memory_stays_flat(how: str, request_: Request) -> None:
    """What is too much is given up long before it is whole, and the message says so."""
    talk = FLOODS.get(how)
    if talk is None:
        make, coding = BOMBS[how]
        talk = says(make(), coding=coding)
    with scripted_server(talk) as server:
        said, kib = grown(server.url, request_.method)
    assert "the answer was lost" in said
    assert kib < 120_000


@pytest.mark.parametrize(
    ("body", "coding", "words"),
    [
        (lambda: bomb(1 << 26), "gzip", "larger than 32 MiB"),
        (lambda: bomb(1 << 20, 2), "gzip, gzip", "compressed more than once"),
        (lambda: b"x", "br", "its encoding was not requested"),
        (lambda: gzip.compress(b"{}" * 99)[:-9], "gzip", "compressed data is incomplete"),
        (lambda: b"nope", "gzip", "cannot be decompressed"),
    ],
)
@BOTH
def test_the_message_says_which_bound(
    body: Callable[[], bytes], coding: str, words: str, request_: Request
) -> None:
    """Size, coding or a broken stream: the reason is in the summary."""
    with scripted_server(says(body(), coding=coding)) as server, Client(server.url, KEY) as client:
        with pytest.raises(AnswerLost) as caught:
            client.send(request_, retries=False)
        assert words in caught.value.problem.summary


@pytest.mark.parametrize(
    ("pack", "coding"),
    [
        (lambda text: text, ""),
        (lambda text: text, "identity"),
        (gzip.compress, "gzip"),
        (gzip.compress, "X-GZip"),
        (gzip.compress, "identity, gzip"),
        (zlib.compress, "deflate"),
        (lambda _text: b"", "gzip"),
    ],
)
@BOTH
def test_answers_are_still_unpacked(pack: Callable[[bytes], bytes], coding: str, request_: Request) -> None:
    """What a server may well send is read as before."""
    body = json.dumps({"a": "b" * 100_000}).encode()
    with scripted_server(says(pack(body), coding=coding)) as server, Client(server.url, KEY) as client:
        assert client.send(request_) in ({"a": "b" * 100_000}, {})
        assert b"accept-encoding: gzip\r\n" in server.received[0].lower()


def test_a_plan_says_it(sandbox: Sandbox) -> None:
    """End to end: an answer that never ends is one problem with its reason."""
    sandbox.declare(item("chat"))
    with scripted_server(flood(HEAD + b"\r\n", b" " * 64)) as server:
        sandbox.monkeypatch.setenv("NOVITA_BASE_URL", server.url)
        ran = sandbox.run("doctor")
    assert ran.code == 1
    assert "the answer is larger than 32 MiB" in ran.out


@BOTH
def test_bounds_hold_under_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request_: Request) -> None:
    """The same bound of time once TLS is spoken."""
    cert, key = make_certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    monkeypatch.setenv("SSL_CERT_FILE", str(cert))
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with context.wrap_socket(connection, server_side=True) as secure:
                secure.recv(65536)
                secure.sendall(HEAD + b"X: ")
                while not over.wait(0.03):
                    secure.sendall(b"x")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        with Client(url, KEY, read_timeout=WITHIN) as client:
            began = time.monotonic()
            with pytest.raises(ApiError, match="not complete within"):
                client.send(request_, retries=False)
            assert time.monotonic() - began < WITHIN + 1.5
        over.set()
        thread.join(60)
