"""How httpx carries the calls: without cookies, within a bound on the time and the bytes of each."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    import ssl

    import httpx

App: TypeAlias = Callable[
    [str, str, Mapping[str, str], bytes], tuple[int, Mapping[str, str] | Iterable[tuple[str, str]], bytes]
]
"""A server in this process: (method, target, headers, body) -> (status, headers, body)."""

PIECE: Final = 4096
"""Bytes that are written at once: what a socket that can be written to always takes."""


class UnusableResponse(Exception):
    """An answer that goes beyond a bound. Its text is the reason, to follow "the answer was lost"."""


class CallLimits:
    """The bounds of the call under way on one connection. `is_answered`: a byte of the answer has come."""

    def __init__(self) -> None:
        self._end = 0.0
        self._seconds = 0.0
        self._room = 0
        self._most = 0
        self.is_answered = False

    def begin(self, seconds: float, most: int) -> None:
        """A new call has so many seconds, and so many bytes of an answer (count)."""
        self._seconds, self._end = seconds, time.monotonic() + seconds
        self._most = self._room = most
        self.is_answered = False

    def left(self, most: float | None) -> float:
        """The seconds that one step of the call may take. Raises UnusableResponse when none are left."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise UnusableResponse(self.overdue())
        return left if most is None else min(left, most)

    def overdue(self) -> str:
        """Why a call that took all of its time was given up."""
        what = "the answer was not complete" if self.is_answered else "no answer"
        return f"{what} within {self._seconds:g} s"

    def take(self, count: int) -> None:
        """Bytes have come. Raises UnusableResponse when they are too many."""
        self.is_answered = True
        self._room -= count
        if self._room < 0:
            raise too_large(self._most)


def too_large(most: int) -> UnusableResponse:
    return UnusableResponse(f"the answer is larger than {most >> 20} MiB")


class _Stream:
    """A connection of httpcore, each step of which is within the bounds."""

    def __init__(self, inner: Any, bounds: CallLimits) -> None:
        self._inner = inner
        self._bounds = bounds

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        data: bytes = self._inner.read(max_bytes, self._bounds.left(timeout))
        self._bounds.take(len(data))
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), PIECE):
            self._inner.write(buffer[start : start + PIECE], self._bounds.left(timeout))

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> _Stream:
        left = self._bounds.left(timeout)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, left), self._bounds)

    def close(self) -> None:
        self._inner.close()

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _Backend:
    """Makes the connections of one client of httpx, for httpcore."""

    def __init__(self, inner: Any, bounds: CallLimits) -> None:
        self._inner = inner
        self._bounds = bounds

    def connect_tcp(self, host: str, port: int, timeout: float | None = None, **more: Any) -> _Stream:
        left = self._bounds.left(timeout)
        return _Stream(self._inner.connect_tcp(host, port, timeout=left, **more), self._bounds)


def spare_the_command_line_of_httpx() -> None:
    """Import httpx without its own command line, which would load rich and click for nothing (45 ms)."""
    if "httpx" not in sys.modules:
        sys.modules["httpx._main"] = None  # type: ignore[assignment]  # reads as not installed, which is allowed
        import httpx

        del sys.modules["httpx._main"], httpx


class Connection:
    """A client of httpx with one connection, for one call at a time, and the bounds of that call."""

    def __init__(
        self, transport: httpx.BaseTransport, headers: Mapping[str, str], timeout: httpx.Timeout
    ) -> None:
        import httpx

        self.bounds = CallLimits()
        if isinstance(transport, httpx.HTTPTransport):
            # httpx has no public way to say how its connections are made.
            pool: Any = transport._pool
            pool._network_backend = _Backend(pool._network_backend, self.bounds)
        self.http = _cookieless()(
            transport=transport, headers=headers, timeout=timeout, follow_redirects=False, trust_env=False
        )

    def close(self) -> None:
        """Close the connection."""
        self.http.close()


@cache
def _cookieless() -> type[httpx.Client]:
    """httpx's client without a jar: Novita is told who calls by the key alone.

    Looking for cookies takes a third of what httpx adds to a call.
    """
    import httpx

    class Nothing(httpx.Cookies):
        def extract_cookies(self, response: httpx.Response) -> None: ...

        def set_cookie_header(self, request: httpx.Request) -> None: ...

    nothing = Nothing()

    class Client(httpx.Client):
        cookies = property(lambda _self: nothing)

    return Client


def empty_trust_store() -> ssl.SSLContext:
    """For plain HTTP: saves reading every root certificate, and fails closed if TLS is met after all."""
    import ssl

    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def mounted(app: App) -> httpx.BaseTransport:
    """The app as httpx calls it. What it raises reads as on a network: refused, timed out, or cut off."""
    import httpx

    def handle(request: httpx.Request) -> httpx.Response:
        target = request.url.raw_path.decode("ascii")
        try:
            status, headers, body = app(request.method, target, dict(request.headers), request.content)
        except ConnectionRefusedError as error:
            raise httpx.ConnectError(str(error), request=request) from error
        except TimeoutError as error:
            raise httpx.ReadTimeout(str(error), request=request) from error
        except ConnectionError as error:
            raise httpx.ReadError(str(error), request=request) from error
        pairs = headers.items() if isinstance(headers, Mapping) else headers
        return httpx.Response(status, headers=list(pairs), stream=httpx.ByteStream(body))

    return httpx.MockTransport(handle)
