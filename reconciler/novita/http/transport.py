"""The connections of httpx: without cookies, and with limits on the time and the size of each call."""

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

WRITE_SIZE: Final = 4096
"""Bytes that are written at once. A writable socket takes as many without blocking."""


class UnusableResponse(Exception):
    """An answer beyond a limit. Its text is the reason, to follow "the answer was lost"."""


class CallLimits:
    """The limits of the current call of one connection. `is_answered` once a byte of the answer has come."""

    def __init__(self) -> None:
        self._deadline = 0.0
        self._seconds = 0.0
        self._bytes_left = 0
        self._max_size = 0
        self.is_answered = False

    def start(self, seconds: float, max_size: int) -> None:
        """Start a new call with its time in seconds and the maximum size of its answer (bytes)."""
        self._seconds, self._deadline = seconds, time.monotonic() + seconds
        self._max_size = self._bytes_left = max_size
        self.is_answered = False

    def time_left(self, timeout: float | None) -> float:
        """Return the seconds for one step of the call. Raise UnusableResponse if none are left."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise UnusableResponse(self.timeout_message())
        return left if timeout is None else min(left, timeout)

    def timeout_message(self) -> str:
        """Return the reason of a call that took all of its time."""
        what = "the answer was not complete" if self.is_answered else "no answer"
        return f"{what} within {self._seconds:g} s"

    def receive(self, count: int) -> None:
        """Count received bytes. Raise UnusableResponse if they are too many."""
        self.is_answered = True
        self._bytes_left -= count
        if self._bytes_left < 0:
            raise too_large(self._max_size)


def too_large(max_size: int) -> UnusableResponse:
    return UnusableResponse(f"the answer is larger than {max_size >> 20} MiB")


class _Stream:
    """A stream of httpcore that keeps to the limits of the call."""

    def __init__(self, inner: Any, limits: CallLimits) -> None:
        self._inner = inner
        self._limits = limits

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        data: bytes = self._inner.read(max_bytes, self._limits.time_left(timeout))
        self._limits.receive(len(data))
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), WRITE_SIZE):
            self._inner.write(buffer[start : start + WRITE_SIZE], self._limits.time_left(timeout))

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> _Stream:
        left = self._limits.time_left(timeout)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, left), self._limits)

    def close(self) -> None:
        self._inner.close()

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _Backend:
    """A network backend of httpcore that opens such streams."""

    def __init__(self, inner: Any, limits: CallLimits) -> None:
        self._inner = inner
        self._limits = limits

    def connect_tcp(self, host: str, port: int, timeout: float | None = None, **more: Any) -> _Stream:
        left = self._limits.time_left(timeout)
        return _Stream(self._inner.connect_tcp(host, port, timeout=left, **more), self._limits)


def import_httpx_without_cli() -> None:
    """Import httpx without its own command line, which would import rich and click (45 ms)."""
    if "httpx" not in sys.modules:
        sys.modules["httpx._main"] = None  # type: ignore[assignment]  # as if it were not installed
        import httpx

        del sys.modules["httpx._main"], httpx


class Connection:
    """An httpx client with one connection, for one call at a time, and the limits of that call."""

    def __init__(
        self, transport: httpx.BaseTransport, headers: Mapping[str, str], timeout: httpx.Timeout
    ) -> None:
        import httpx

        self.limits = CallLimits()
        if isinstance(transport, httpx.HTTPTransport):
            # httpx has no public way to set the network backend.
            pool: Any = transport._pool
            pool._network_backend = _Backend(pool._network_backend, self.limits)
        self.http = _client_without_cookies()(
            transport=transport, headers=headers, timeout=timeout, follow_redirects=False, trust_env=False
        )

    def close(self) -> None:
        """Close the connection."""
        self.http.close()


@cache
def _client_without_cookies() -> type[httpx.Client]:
    """Return a client class without cookies. Handling them takes a third of httpx's own time."""
    import httpx

    class NoCookies(httpx.Cookies):
        def extract_cookies(self, response: httpx.Response) -> None: ...

        def set_cookie_header(self, request: httpx.Request) -> None: ...

    no_cookies = NoCookies()

    class Client(httpx.Client):
        cookies = property(lambda _self: no_cookies)

    return Client


def empty_trust_store() -> ssl.SSLContext:
    """Return a TLS context for plain HTTP. It reads no root certificate, and would trust no server."""
    import ssl

    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def app_transport(app: App) -> httpx.BaseTransport:
    """Return a transport that calls the app. Its errors become those of a network."""
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
