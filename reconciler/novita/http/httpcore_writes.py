"""Writes over a shared socket through httpcore, the engine of httpx, without the objects of httpx."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import httpcore

from reconciler.novita.http.body import decode_body
from reconciler.novita.http.http1 import header_text
from reconciler.novita.http.limits import NotSendable, NotSent, UnusableResponse
from reconciler.novita.http.reasons import reason_of
from reconciler.novita.http.sockets import Socket
from reconciler.novita.http.transport import MAX_BODY_SIZE, Message, Response

if TYPE_CHECKING:
    import ssl


_NOT_SENT: Final = (
    httpcore.ConnectError,
    httpcore.ConnectTimeout,
    httpcore.PoolTimeout,
    httpcore.ProxyError,
)
_LOST: Final = (httpcore.ProtocolError, httpcore.TimeoutException, httpcore.NetworkError)
"""Errors after which the request may have been received."""


class WriteConnection:
    """A pool of httpcore with one connection over a shared socket, for one call at a time.

    origin: scheme, host and port. context: the TLS context of an origin with https.
    """

    def __init__(self, origin: str, socket: Socket, context: ssl.SSLContext | None) -> None:
        parts = urlsplit(origin)
        self._url = (parts.scheme.encode(), (parts.hostname or "").encode(), parts.port)
        self._limits = socket.limits
        # The socket is also kept alive by reads, so it says itself when it is stale.
        self._pool = httpcore.ConnectionPool(ssl_context=context, network_backend=SharedBackend(socket))

    def exchange(self, message: Message, seconds: float) -> Response:
        """Send a request and return its response within these seconds. Raise NotSent or UnusableResponse."""
        self._limits.start(seconds, MAX_BODY_SIZE)
        try:
            scheme, host, port = self._url
            response = self._pool.handle_request(
                httpcore.Request(
                    message.method.encode(),
                    httpcore.URL(scheme=scheme, host=host, port=port, target=message.target.encode()),
                    headers=[*message.headers.items(), ("Content-Length", str(len(message.body)))],
                    content=message.body,
                    extensions={"timeout": {"read": seconds, "write": seconds, "pool": seconds}},
                )
            )
            try:
                headers = _merged(response.headers)
                # The raw bytes, because httpx unpacks without a size limit.
                pieces = response.iter_stream()
                codings = [one.strip() for one in headers.get("content-encoding", "").split(",")]
                body = decode_body(pieces, codings, max_size=MAX_BODY_SIZE)
            finally:
                response.close()
        except _NOT_SENT as error:
            raise NotSent(reason_of(error)) from error
        except httpcore.ReadTimeout as error:
            raise self._limits.timed_out() from error
        except (httpcore.LocalProtocolError, UnicodeError) as error:
            raise NotSendable(reason_of(error)) from error
        except (*_LOST, ValueError) as error:
            raise UnusableResponse(reason_of(error)) from error
        return Response(status=response.status, headers=headers, body=body)

    def close(self) -> None:
        """Close the connection."""
        self._pool.close()


def _merged(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return headers by their names in lower case. Values of the same name are joined with commas."""
    merged: dict[str, str] = {}
    for raw_name, raw_value in headers:
        name, value = raw_name.decode("ascii").lower(), header_text(raw_value)
        merged[name] = f"{merged[name]}, {value}" if name in merged else value
    return merged


class SharedBackend(httpcore.NetworkBackend):
    """A network backend of httpcore whose only connection is a shared socket, with TLS if it has any."""

    def __init__(self, socket: Socket) -> None:
        self._socket = socket

    def connect_tcp(self, *_address: Any, **_options: Any) -> _SharedStream:
        self._socket.open()
        return _SharedStream(self._socket)


class _SharedStream(httpcore.NetworkStream):
    """A stream of httpcore over the present socket. It counts as closed once that socket is replaced."""

    def __init__(self, socket: Socket) -> None:
        self._socket = socket
        self._generation = socket.generation

    def read(self, _max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        try:
            return self._socket.receive()
        except OSError as error:
            raise UnusableResponse(reason_of(error)) from error

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        try:
            self._socket.send(buffer)
        except OSError as error:
            # After this one httpcore looks for an answer that the server gave before it closed.
            raise httpcore.WriteError(reason_of(error)) from error

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
