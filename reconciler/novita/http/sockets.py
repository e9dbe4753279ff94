"""Sockets: opened by the first call that needs one, kept for the following ones, and replaced when stale.

One socket serves both clients of HTTP: reads go over it directly (`http1`), writes through httpx.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from reconciler.model.durations import MAX_IDLE_TIME, TIMEOUT_MARGIN
from reconciler.model.lazy_dataclass import dataclass
from reconciler.novita.http.limits import CallLimits, NotSendable, NotSent, TimedOut
from reconciler.novita.http.reasons import reason_of

if TYPE_CHECKING:
    import socket
    import ssl

READ_SIZE: Final = 1 << 16
WRITE_SIZE: Final = 4096
"""Bytes that are written at once. A writable socket takes as many without blocking."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """The address to connect to. `context` returns the TLS context, or None for plain HTTP.

    `connect_timeout`: seconds for TCP and again for TLS. `accepts` returns whether the host may have an IP
    address.
    """

    host: str
    port: int
    context: Callable[[], ssl.SSLContext | None]
    connect_timeout: float
    accepts: Callable[[str], bool] | None = None

    def connect(self, time_left: Callable[[float], float]) -> socket.socket:
        """Return a new socket. Raise OSError, or NotSendable for an IP address that is not accepted.

        `time_left` limits the seconds of a step.
        """
        import socket

        # As bytes, because a str is encoded with the codec idna, which is imported for it. A host is ASCII.
        host: Any = self.host.encode()
        opened = socket.create_connection((host, self.port), time_left(self.connect_timeout))
        try:
            if self.accepts is not None and not self.accepts(found := str(opened.getpeername()[0])):
                raise NotSendable(f"{self.host} has the address {found}, which is not public")
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            context = self.context()
            if context is not None:
                opened.settimeout(time_left(self.connect_timeout))
                opened = context.wrap_socket(opened, server_hostname=host)
        except BaseException:
            opened.close()
            raise
        return opened


class Socket:
    """A socket that one call at a time uses, with the limits of that call.

    `generation` counts the sockets that were opened one after the other.
    """

    def __init__(self, address: Address) -> None:
        self._address = address
        self._opening = threading.Lock()
        self._socket: socket.socket | None = None
        self._timeout = -1.0
        self._last_used = 0.0
        self.generation = 0
        self.limits = CallLimits()

    @property
    def is_open(self) -> bool:
        """Return whether there is a socket that the server has not closed, as far as is known here."""
        opened = self._socket
        if opened is None or time.monotonic() - self._last_used > MAX_IDLE_TIME:
            return False
        # Nothing is to be read between two calls, but under TLS the tickets of the session.
        if not _is_readable(opened):
            return True
        try:
            opened.settimeout(0)
            self._timeout = -1.0
            opened.recv(1)
        except BlockingIOError:
            return True
        except OSError as error:
            return _wants_more(error)
        return False

    def open(self) -> bool:
        """Make sure that there is a usable socket. Return whether it is an old one. Raise NotSent."""
        # Another thread may be opening it; see `warm`.
        if not self._opening.acquire(timeout=self._time_left(2 * self._address.connect_timeout)):
            raise NotSent("timed out")
        try:
            if self.is_open:
                return True
            self.close()
            self._connect(self._time_left)
        except OSError as error:
            raise NotSent(reason_of(error)) from error
        finally:
            self._opening.release()
        return False

    def warm(self) -> None:
        """Open the socket if there is none. Report no failure: the next call fails in the same way."""
        with self._opening, suppress(Exception):
            if self._socket is None:
                self._connect(lambda timeout: timeout)

    def _connect(self, time_left: Callable[[float], float]) -> None:
        self._socket = self._address.connect(time_left)
        self._timeout = -1.0
        self._last_used = time.monotonic()
        self.generation += 1

    def _time_left(self, timeout: float) -> float:
        try:
            return self.limits.time_left(timeout)
        except TimedOut as error:
            raise NotSent("timed out") from error

    def send(self, data: bytes) -> None:
        """Send all bytes. Raise OSError, or TimedOut."""
        for start in range(0, len(data), WRITE_SIZE):
            opened = self._ready()
            try:
                opened.sendall(data[start : start + WRITE_SIZE])
            except TimeoutError as error:
                raise self.limits.timed_out() from error

    def receive(self) -> bytes:
        """Return the next bytes, b"" at the end. Raise OSError, or UnusableResponse beyond a limit."""
        opened = self._ready()
        try:
            data = opened.recv(READ_SIZE)
        except TimeoutError as error:
            raise self.limits.timed_out() from error
        self.limits.receive(len(data))
        return data

    def _ready(self) -> socket.socket:
        """Return the socket, with the time that the call has left. Raise OSError if it was closed."""
        if self._socket is None:
            raise ConnectionAbortedError("the client was closed")
        left = self.limits.time_left()
        if not left <= self._timeout <= left + 2 * TIMEOUT_MARGIN:
            self._timeout = left + TIMEOUT_MARGIN
            self._socket.settimeout(self._timeout)
        return self._socket

    def release(self) -> None:
        """Note that a call is over, and the socket can serve another one."""
        self._last_used = time.monotonic()

    def close(self) -> None:
        """Close the socket. The next call opens a new one."""
        opened, self._socket = self._socket, None
        if opened is not None:
            opened.close()


def _is_readable(opened: socket.socket) -> bool:
    """Return whether there is something to read, or the other side has closed the socket."""
    import select

    found = select.poll()
    found.register(opened, select.POLLIN)
    return bool(found.poll(0))


def _wants_more(error: OSError) -> bool:
    """Return whether TLS has nothing to read yet. Only a TLS socket raises this error, so ssl is imported."""
    return type(error).__name__ == "SSLWantReadError"
