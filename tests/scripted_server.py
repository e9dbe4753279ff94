"""Servers that send exactly the bytes that a test wants, and record the requests."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

Script = Callable[[socket.socket, threading.Event], None]
"""The function that serves one connection; the event is set at the end of the test."""


@dataclass(kw_only=True)
class SocketServer:
    """A listener on a free port that handles each connection in a thread. `over`: the end of the test."""

    over: threading.Event = field(default_factory=threading.Event)
    listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))

    @property
    def port(self) -> int:
        return int(self.listener.getsockname()[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            connection.settimeout(20)
            self.accepted(connection)

    def accepted(self, connection: socket.socket) -> None:
        """Handle a new connection in a thread."""
        threading.Thread(target=self.handle, args=(connection,), daemon=True).start()

    def handle(self, connection: socket.socket) -> None:
        """Serve a connection, and close it."""
        raise NotImplementedError


@dataclass
class ScriptedServer(SocketServer):
    """A server that serves each connection by `talk`. `received`: the first bytes of each."""

    talk: Script
    received: list[bytes] = field(default_factory=list)

    def handle(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            self.received.append(connection.recv(65536))
            self.talk(connection, self.over)


@contextmanager
def serving(serve: Callable[[], None], listener: socket.socket, over: threading.Event) -> Iterator[None]:
    """Serve in a thread inside the block; then set the event, close the listener and join the thread."""
    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        over.set()
        # shutdown, as closing alone does not wake a thread inside accept()
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(60)


@contextmanager
def scripted_server(talk: Script = lambda _connection, _over: None) -> Iterator[ScriptedServer]:
    """Yield a server on a free port; without `talk` it closes each connection."""
    server = ScriptedServer(talk)
    with serving(server.serve, server.listener, server.over):
        yield server
