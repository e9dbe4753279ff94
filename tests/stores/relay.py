"""A TCP relay in front of a store: it kills clients at a request, loses connections, is slow, or lies."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from tests.scripted_server import SocketServer, serving

Fate = Literal["arrives", "is lost", "answer is lost"]
"""What happens to a piece. If it or its answer is lost, so is the connection."""

Hook = Callable[[int], Fate]
"""Called with the number of each piece that a client sends, counted from 1."""


@dataclass
class Relay(SocketServer):
    """A relay to the server at `behind`. A piece is what one read of a client's connection returns.

    hook: see `Hook`. delay: seconds before each piece is passed on. answer: sent in place of the server's.
    """

    behind: tuple[str, int]
    hook: Hook = lambda _: "arrives"
    delay: float = 0.0
    answer: bytes | None = None
    pieces: int = 0
    clients: int = 0
    guard: threading.Condition = field(default_factory=threading.Condition)
    connections: list[socket.socket] = field(default_factory=list)

    def calm(self) -> None:
        """Pass everything on again."""
        self.hook, self.delay, self.answer = (lambda _: "arrives"), 0.0, None

    def count_again(self, hook: Hook) -> None:
        """Call this hook from now on, with numbers from 1."""
        with self.guard:
            self.pieces, self.hook = 0, hook

    def drop(self) -> None:
        """Close all connections, on both sides."""
        with self.guard:
            dropped, self.connections = self.connections, []
        for one in dropped:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def settle(self) -> None:
        """Wait until the clients are gone and the server has answered all that they sent.

        A request of a client that was killed may still be on its way. All clients must have ended.
        """
        with socket.create_connection(("127.0.0.1", self.port)) as last:  # accepted after all the others
            last.shutdown(socket.SHUT_WR)
            last.recv(1)
        with self.guard:
            assert self.guard.wait_for(lambda: not self.clients, 10), "a client of the relay has not ended"

    def accepted(self, connection: socket.socket) -> None:
        with self.guard:
            self.clients += 1
        super().accepted(connection)

    def handle(self, connection: socket.socket) -> None:
        try:
            self._connect(connection)
        finally:
            with self.guard:
                self.clients -= 1
                self.guard.notify_all()

    def _connect(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError), socket.create_connection(self.behind) as server:
            for one in (connection, server):
                one.settimeout(None)
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.guard:
                self.connections += [connection, server]
            back = threading.Thread(target=_copy, args=(server, connection), daemon=True)
            back.start()
            try:
                self._pass_on(connection, server)
            finally:
                with contextlib.suppress(OSError):
                    server.shutdown(socket.SHUT_WR)
                back.join(5)

    def _pass_on(self, connection: socket.socket, server: socket.socket) -> None:
        while data := connection.recv(1 << 20):
            with self.guard:
                self.pieces += 1
                number = self.pieces
            fate = self.hook(number)
            if fate != "arrives":
                connection.shutdown(socket.SHUT_RDWR)
                if fate == "answer is lost":
                    server.sendall(data)
                return
            if self.answer is not None:
                connection.sendall(self.answer)
                connection.shutdown(socket.SHUT_RDWR)
                return
            if self.delay:
                time.sleep(self.delay)
            server.sendall(data)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 20):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


@contextmanager
def relay(port: int) -> Iterator[Relay]:
    """Yield a relay to a port of this machine."""
    server = Relay(("127.0.0.1", port))
    with serving(server.serve, server.listener, server.over):
        try:
            yield server
        finally:
            server.drop()
