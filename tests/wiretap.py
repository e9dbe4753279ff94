"""Servers on this machine that do as they are told, byte by byte, and append_versions who came."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

Talk = Callable[[socket.socket, threading.Event], None]
"""What is done with one connection; the event says that the test is over."""


@dataclass
class Tap:
    """A listener whose connections are each handled by `talk` in a thread. `came` is what each sent first."""

    talk: Talk
    came: list[bytes] = field(default_factory=list)
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
            threading.Thread(target=self._handle, args=(connection,), daemon=True).start()

    def _handle(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            self.came.append(connection.recv(65536))
            self.talk(connection, self.over)


@contextmanager
def tap(talk: Talk = lambda _connection, _over: None) -> Iterator[Tap]:
    """A server on a free port; without `talk` it hangs up on everybody."""
    server = Tap(talk)
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        # shutdown, as closing alone does not wake a thread inside accept()
        with contextlib.suppress(OSError):
            server.listener.shutdown(socket.SHUT_RDWR)
        server.listener.close()
        thread.join(5)
