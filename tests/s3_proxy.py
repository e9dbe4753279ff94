"""A proxy in front of an S3 server that loses, delays, refuses or changes some requests."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.http_server import http_server


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What happens to a request.

    before: called before anything else, and may wait. forwards: the server gets the request. without: headers
    that the server does not get. status: the answer in place of the server's; 0 closes the connection without
    an answer; None passes the answer on.
    """

    before: Callable[[], Any] = lambda: None
    forwards: bool = True
    without: tuple[str, ...] = ()
    status: int | None = None
    body: str = ""


LOST_ANSWER = Fault(status=0)
LOST_REQUEST = Fault(forwards=False, status=0)


def refusal(status: int, code: str = "") -> Fault:
    """Return the answer with which an S3 server refuses a request."""
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>no</Message></Error>" if code else ""
    return Fault(forwards=False, status=status, body=body)


@dataclass
class S3Proxy:
    """`fault`: returns the fault of a request, by its method and its path with the query; None for none.

    `seen`: each request as `PUT /bucket/prefix/head.json`.
    """

    url: str
    fault: Callable[[str, str], Fault | None] = lambda method, path: None
    seen: list[str] = field(default_factory=list)

    def count(self, start: str) -> int:
        """Return how many requests began with this text."""
        return sum(request.startswith(start) for request in self.seen)

    def fail_next(self, method: str, part: str, *faults: Fault) -> None:
        """Let the next requests of a method, whose path has that part, meet these faults in turn."""
        left, guard = list(faults), threading.Lock()

        def fault(its_method: str, path: str) -> Fault | None:
            with guard:
                return left.pop(0) if left and its_method == method and part in path else None

        self.fault = fault


@contextmanager
def s3_proxy(behind: str) -> Iterator[S3Proxy]:
    """Yield a proxy to the server at `behind`."""

    class Handler(BaseHTTPRequestHandler):
        wbufsize = -1  # headers and body in one packet: the second one would wait for an acknowledgement

        def do_GET(self) -> None:
            proxy.seen.append(f"{self.command} {self.path}")
            data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            fault = proxy.fault(self.command, self.path) or Fault()
            fault.before()
            status, headers, body = (0, {}, b"")
            if fault.forwards:
                status, headers, body = self._ask(data, fault.without)
            if fault.status is not None:
                status, headers, body = fault.status, {}, fault.body.encode()
            if status == 0:
                self.close_connection = True
                return
            self.send_response_only(status)
            for name, value in headers.items():
                if name.lower() not in ("content-length", "connection", "transfer-encoding"):
                    self.send_header(name, value)
            if self.command != "HEAD":
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_PUT = do_POST = do_HEAD = do_DELETE = do_GET  # noqa: N815 - the base class says so

        def _ask(self, data: bytes, without: tuple[str, ...]) -> tuple[int, dict[str, str], bytes]:
            kept = {name: value for name, value in self.headers.items() if name.lower() not in without}
            connection = http.client.HTTPConnection(behind.removeprefix("http://"), timeout=20)
            try:
                connection.request(self.command, self.path, data, kept)
                reply = connection.getresponse()
                return reply.status, dict(reply.getheaders()), reply.read()
            finally:
                connection.close()

    with http_server(Handler) as port:
        proxy = S3Proxy(f"http://127.0.0.1:{port}")
        yield proxy
