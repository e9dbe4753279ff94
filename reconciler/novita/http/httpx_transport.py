"""Calls through httpx: over a shared socket, or through a proxy with connections of its own."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Final, cast

from reconciler.model.durations import MAX_IDLE_TIME
from reconciler.model.lazy_dataclass import dataclass
from reconciler.novita.http.body import decode_body
from reconciler.novita.http.limits import CallLimits, NotSendable, NotSent, UnusableResponse
from reconciler.novita.http.reasons import reason_of
from reconciler.novita.http.sockets import WRITE_SIZE, Socket
from reconciler.novita.http.transport import MAX_BODY_SIZE, Message, Response

if TYPE_CHECKING:
    import ssl

    import httpcore
    import httpx

WITH_BODY: Final = frozenset({"PATCH", "POST", "PUT"})
"""Methods whose requests have a body, even if it is empty (RFC 9110, 8.6)."""

_importing = threading.Lock()


def import_httpx(*, with_cli: bool) -> None:
    """Import httpx. Its own command line would import rich and click as well (45 ms)."""
    with _importing:
        is_hidden = not with_cli and "httpx" not in sys.modules
        if is_hidden:
            sys.modules["httpx._main"] = None  # type: ignore[assignment]  # as if it were not installed
        import httpcore  # httpx imports it only for its first transport: all writes would wait for it
        import httpx

        assert httpx
        assert httpcore
        if is_hidden:
            del sys.modules["httpx._main"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenResponse:
    """A response whose body is still to be read: `pieces`, as they are received.

    Header names are in lower case. `codings` are the values of Content-Encoding.
    """

    status: int
    headers: Mapping[str, str]
    codings: Sequence[str]
    pieces: Iterable[bytes]


class HttpxConnection:
    """A transport of httpx with one connection, for one call at a time.

    socket: the socket to use; httpx opens its own ones if there is none, through `proxy`.
    origin: scheme, host and port.
    """

    def __init__(
        self,
        origin: str,
        *,
        context: ssl.SSLContext | None,
        connect_timeout: float,
        socket: Socket | None = None,
        proxy: httpx.Proxy | None = None,
    ) -> None:
        import httpx

        self._origin = origin
        self._connect_timeout = connect_timeout
        self._limits = socket.limits if socket else CallLimits()
        context = context or empty_trust_store()
        self._transport = httpx.HTTPTransport(
            verify=context,
            proxy=proxy,
            trust_env=False,
            limits=httpx.Limits(keepalive_expiry=MAX_IDLE_TIME),
        )
        # httpx has no public way to set its pool, nor the network backend of that.
        pool: Any = self._transport._pool
        if socket:
            self._transport._pool = cast(Any, _SharedConnection(socket, context))
        else:
            pool._network_backend = _LimitedBackend(pool._network_backend, self._limits)

    is_open = True

    def warm(self) -> None: ...

    def exchange(self, message: Message, seconds: float) -> Response:
        """Send a request and return its response within these seconds. Raise NotSent or UnusableResponse."""
        with self.open(message, seconds, MAX_BODY_SIZE) as response:
            # The raw bytes, because httpx unpacks without a size limit.
            body = decode_body(response.pieces, response.codings, max_size=MAX_BODY_SIZE)
        return Response(status=response.status, headers=response.headers, body=body)

    @contextmanager
    def open(self, message: Message, seconds: float, max_size: int) -> Iterator[OpenResponse]:
        """Send a request and yield its response as soon as its headers are there.

        The limits are for the whole response: seconds, and the bytes that are received. Raise NotSent or
        UnusableResponse, also while the body is read.
        """
        import httpx

        self._limits.start(seconds, max_size)
        headers = dict(message.headers)
        if message.body or message.method in WITH_BODY:
            headers["Content-Length"] = str(len(message.body))
        timeouts = {"connect": self._connect_timeout, "read": seconds, "write": seconds, "pool": seconds}
        try:
            request = httpx.Request(
                message.method,
                _parsed_url(self._origin + message.target),
                headers=headers,
                stream=httpx.ByteStream(message.body),  # with `content`, it would look for missing headers
                extensions={"timeout": timeouts},
            )
            response = self._transport.handle_request(request)
            try:
                assert isinstance(response.stream, httpx.SyncByteStream)
                headers = dict(response.headers)  # httpx gives their names in lower case
                codings = headers.get("content-encoding", "").split(",")
                yield OpenResponse(
                    status=response.status_code,
                    headers=headers,
                    codings=[coding.strip() for coding in codings],
                    pieces=response.stream,
                )
            finally:
                response.close()
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError) as error:
            raise NotSent(reason_of(error)) from error
        except httpx.ReadTimeout as error:
            raise self._limits.timed_out() from error
        except (httpx.InvalidURL, httpx.LocalProtocolError, UnicodeError) as error:
            raise NotSendable(reason_of(error)) from error
        except (httpx.RequestError, ValueError) as error:
            raise UnusableResponse(reason_of(error)) from error

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()


@lru_cache(maxsize=16)
def _parsed_url(url: str) -> httpx.URL:
    """Return a parsed URL. All writes of a kind have the same one."""
    import httpx

    return httpx.URL(url)


@cache
def empty_trust_store() -> ssl.SSLContext:
    """Return a TLS context for plain HTTP. It reads no root certificate, and would trust no server."""
    import ssl

    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class _SharedConnection:
    """A connection of httpcore over a shared socket, made anew when that was replaced.

    It takes the place of the pool of httpcore, which has nothing to choose from here. A shared socket is also
    kept alive by reads, so it says itself when it is stale.
    """

    def __init__(self, socket: Socket, context: ssl.SSLContext) -> None:
        self._backend: Any = _SharedBackend(socket)
        self._context = context
        self._connection: httpcore.HTTPConnection | None = None

    def handle_request(self, request: httpcore.Request) -> httpcore.Response:
        connection = self._connection
        if connection is None or not connection.is_available() or connection.has_expired():
            import httpcore

            self.close()
            connection = self._connection = httpcore.HTTPConnection(
                request.url.origin, self._context, network_backend=self._backend
            )
        return connection.handle_request(request)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()


class _SharedBackend:
    """A network backend of httpcore whose only connection is a shared socket, with TLS if it has any."""

    def __init__(self, socket: Socket) -> None:
        self._socket = socket

    def connect_tcp(self, *_address: Any, **_options: Any) -> _SharedStream:
        self._socket.open()
        return _SharedStream(self._socket)


class _SharedStream:
    """A stream of httpcore over the present socket. It counts as closed once that socket is replaced.

    httpcore writes the headers and the body one after the other. They leave together, when it reads.
    """

    def __init__(self, socket: Socket) -> None:
        self._socket = socket
        self._generation = socket.generation
        self._unsent = b""

    def read(self, _max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        unsent, self._unsent = self._unsent, b""
        try:
            with suppress(OSError):  # the server may have answered before it closed the connection
                self._socket.send(unsent)
            return self._socket.receive()
        except OSError as error:
            raise UnusableResponse(reason_of(error)) from error

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        self._unsent += buffer

    def start_tls(self, *_arguments: Any, **_options: Any) -> _SharedStream:
        return self  # the socket has it

    def close(self) -> None:
        if self._generation == self._socket.generation:
            self._socket.close()

    def get_extra_info(self, info: str) -> Any:
        """Return True for `is_readable`, which httpcore asks, if the connection cannot be used again."""
        if info == "is_readable":
            return self._generation != self._socket.generation or not self._socket.is_open
        return None


class _LimitedBackend:
    """A network backend of httpcore whose streams keep to the limits of the call."""

    def __init__(self, inner: Any, limits: CallLimits) -> None:
        self._inner = inner
        self._limits = limits

    def connect_tcp(self, host: str, port: int, timeout: float | None = None, **more: Any) -> _LimitedStream:
        left = self._limits.time_left(timeout)
        return _LimitedStream(self._inner.connect_tcp(host, port, timeout=left, **more), self._limits)


class _LimitedStream:
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
    ) -> _LimitedStream:
        left = self._limits.time_left(timeout)
        return _LimitedStream(self._inner.start_tls(ssl_context, server_hostname, left), self._limits)

    def close(self) -> None:
        self._inner.close()

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
