"""A proxy in front of the simulator that replaces some responses."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from time import monotonic
from urllib.parse import parse_qs

from tests.http_server import http_server


@dataclass(frozen=True, kw_only=True)
class CannedResponse:
    """A response to send. `forwards`: the simulator handles the request as well."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    forwards: bool = False
    times: int | None = None


@dataclass
class ResponseProxy:
    """`canned`: the last word of a path (`create`) -> its response. `seen`: each call and its time.

    `endpoints` is the first page of a listing; the others are `endpoints-1`, `endpoints-2`, ...
    """

    url: str
    canned: dict[str, CannedResponse] = field(default_factory=dict)
    seen: list[tuple[str, float]] = field(default_factory=list)
    guard: threading.Lock = field(default_factory=threading.Lock)

    def times_of(self, call: str) -> list[float]:
        """Return the times of the calls of that kind, in monotonic seconds."""
        return [when for name, when in self.seen if name == call]

    def take(self, call: str) -> CannedResponse | None:
        """Record a call and return its response; None for the response of the simulator."""
        with self.guard:
            self.seen.append((call, monotonic()))
            response = self.canned.get(call)
            if response is None or response.times is None:
                return response
            number = sum(name == call for name, _ in self.seen)
            return response if number <= response.times else None


@contextmanager
def response_proxy(behind: str) -> Iterator[ResponseProxy]:
    """Yield a proxy to the server at `behind`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            page = parse_qs(query).get("pageNum", ["0"])[0]
            call = path.rsplit("/", 1)[-1] + (f"-{page}" if page != "0" else "")
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            response = proxy.take(call)
            if response is None or response.forwards:
                real = self._ask(body)
                response = response or real
            self.send_response_only(response.status)
            for name, value in {"Content-Length": str(len(response.body)), **response.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(response.body)

        do_POST = do_GET  # noqa: N815 - the base class says so

        def _ask(self, body: bytes) -> CannedResponse:
            connection = http.client.HTTPConnection(behind.removeprefix("http://"), timeout=10)
            headers = {name: self.headers[name] for name in ("Authorization", "Content-Type", "User-Agent")}
            kept = {name: value for name, value in headers.items() if value}
            connection.request(self.command, self.path, body or None, kept)
            reply = connection.getresponse()
            whole = CannedResponse(status=reply.status, body=reply.read())
            connection.close()
            return whole

    with http_server(Handler) as port:
        proxy = ResponseProxy(f"http://127.0.0.1:{port}")
        yield proxy
