"""One call over a connection: read directly from its socket, through httpx, or by an app in this process.

All of them keep to the limits of a call. None handles cookies or follows a redirect.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

from reconciler.model.lazy_dataclass import dataclass
from reconciler.novita.http.body import decode_body
from reconciler.novita.http.http1 import AnswerReader
from reconciler.novita.http.limits import NotSent, TimedOut, UnusableResponse
from reconciler.novita.http.reasons import reason_of
from reconciler.novita.http.sockets import Socket

if TYPE_CHECKING:
    from reconciler.novita.http.httpx_transport import HttpxConnection

App: TypeAlias = Callable[
    [str, str, Mapping[str, str], bytes], tuple[int, Mapping[str, str] | Iterable[tuple[str, str]], bytes]
]
"""A server in this process: (method, target, headers, body) -> (status, headers, body)."""

MAX_BODY_SIZE: Final = 32 << 20
"""Bytes, once unpacked. A hundred endpoints take a few hundred KB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A request as it is sent. `target`: path and query, percent-encoded. `headers` include Host.

    The transport adds Content-Length.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A response. Header names are in lower case, the body is unpacked."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Connection(Protocol):
    """A connection, used by one call at a time."""

    @property
    def is_open(self) -> bool:
        """Return whether a call needs no new socket."""

    def warm(self) -> None:
        """Do ahead of a write what it needs: open the socket, import httpx.

        A failure is not reported: the write fails in the same way.
        """

    def exchange(self, message: Message, seconds: float) -> Response:
        """Send a request and return its response within these seconds. Raise NotSent or UnusableResponse."""

    def close(self) -> None:
        """Close the socket."""


class AppConnection:
    """A connection to an app in this process. Its errors become those of a network."""

    is_open = True

    def __init__(self, app: App) -> None:
        self._app = app

    def warm(self) -> None: ...

    def exchange(self, message: Message, seconds: float) -> Response:
        headers = {name.lower(): value for name, value in message.headers.items()}
        try:
            status, answered, body = self._app(message.method, message.target, headers, message.body)
        except ConnectionRefusedError as error:
            raise NotSent(str(error)) from error
        except TimeoutError as error:
            raise TimedOut(f"no answer within {seconds:g} s") from error
        except ConnectionError as error:
            raise UnusableResponse(reason_of(error)) from error
        pairs = answered.items() if isinstance(answered, Mapping) else answered
        found = {name.lower(): value for name, value in pairs}
        body = decode_body([body], found.get("content-encoding", "").split(","), max_size=MAX_BODY_SIZE)
        return Response(status=status, headers=found, body=body)

    def close(self) -> None: ...


class DirectConnection:
    """A connection to Novita: reads go over its socket directly, writes through httpx over the same socket.

    `new_httpx` makes the httpx client for the socket; httpx is imported at the first write.
    """

    def __init__(self, socket: Socket, new_httpx: Callable[[Socket], HttpxConnection]) -> None:
        self._socket = socket
        self._new_httpx = new_httpx
        self._httpx: HttpxConnection | None = None

    @property
    def is_open(self) -> bool:
        return self._socket.is_open

    def warm(self) -> None:
        self._socket.warm()
        with suppress(Exception):
            self._httpx = self._httpx or self._new_httpx(self._socket)

    def exchange(self, message: Message, seconds: float) -> Response:
        try:
            is_read = message.method == "GET" and not message.body
            send = self._read if is_read else self._write
            response = send(message, seconds)
        except BaseException:
            self._socket.close()  # the rest of the answer may still come
            raise
        self._socket.release()
        return response

    def _write(self, message: Message, seconds: float) -> Response:
        self._httpx = self._httpx or self._new_httpx(self._socket)
        return self._httpx.exchange(message, seconds)

    def _read(self, message: Message, seconds: float) -> Response:
        """Send a GET, and once more if the server was just closing the socket that an earlier call left."""
        self._socket.limits.start(seconds, MAX_BODY_SIZE)
        is_reused = self._socket.open()
        try:
            return self._read_once(message)
        except TimedOut:
            raise
        except (OSError, UnusableResponse) as error:
            if not is_reused or self._socket.limits.is_answered:
                raise _lost(error) from error
        self._socket.close()
        self._socket.open()
        try:
            return self._read_once(message)
        except OSError as error:
            raise _lost(error) from error

    def _read_once(self, message: Message) -> Response:
        headers = (f"{name}: {value}\r\n" for name, value in message.headers.items())
        head = f"{message.method} {message.target} HTTP/1.1\r\n{''.join(headers)}\r\n"
        self._socket.send(head.encode("ascii"))
        answer = AnswerReader(self._socket.receive)
        body = decode_body(answer.body(), answer.codings, max_size=MAX_BODY_SIZE)
        if not answer.is_reusable:
            self._socket.close()
        return Response(status=answer.status, headers=answer.headers, body=body)

    def close(self) -> None:
        if self._httpx is not None:
            self._httpx.close()
        self._socket.close()


def _lost(error: OSError | UnusableResponse) -> UnusableResponse:
    return UnusableResponse(reason_of(error))
