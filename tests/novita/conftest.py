"""Fixtures of the HTTP package: a socket server that misbehaves below HTTP."""

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from tests.scripted_server import serving

Behaviour = Callable[[socket.socket], None]


@dataclass
class RawServer:
    """Each request meets the next behaviour, the last one for ever; the connection closes after it."""

    behaviours: list[Behaviour] = field(default_factory=list)
    requests: list[bytes] = field(default_factory=list)
    listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    stopping: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                self.requests.append(_read_request(connection))
                number = min(len(self.requests), len(self.behaviours)) - 1
                self.behaviours[number](connection)

    def hang(self, connection: socket.socket) -> None:
        self.stopping.wait(10)


def _read_request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def says(raw: bytes) -> Behaviour:
    return lambda connection: connection.sendall(raw)


def resets(connection: socket.socket) -> None:
    """Closes with RST instead of FIN."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def answers(body: bytes, *, length: int | None = None) -> Behaviour:
    size = len(body) if length is None else length
    return says(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (size, body))


@pytest.fixture
def raw_server() -> Iterator[RawServer]:
    server = RawServer()
    with serving(server.serve, server.listener, server.stopping):
        yield server
