"""A server that receives notifications, and answers as a test wants."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.http_server import http_server


@dataclass(kw_only=True)
class Receiver:
    """The received requests. answers: statuses of the next answers, before all others are 204."""

    port: int = 0
    answers: list[int] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    arrived: threading.Condition = field(default_factory=threading.Condition)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook/THE-SECRET-PATH?token=THE-SECRET-TOKEN"

    @property
    def documents(self) -> list[Any]:
        return [json.loads(body) for _, _, body in self.requests]

    def wait_for(self, count: int) -> None:
        """Wait until so many requests have arrived."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.requests) >= count, 10)


@contextmanager
def receiver(*answers: int, **headers: str) -> Iterator[Receiver]:
    """Yield a receiver on a free port. headers: of each answer, such as retry_after="1"."""
    found = Receiver(answers=list(answers), headers=headers)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with found.arrived:
                found.requests.append((self.path, dict(self.headers), body))
                found.arrived.notify_all()
            status = found.answers.pop(0) if found.answers else 204
            self.send_response(status)
            for name, value in found.headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", "0")
            self.end_headers()

    with http_server(Handler) as port:
        found.port = port
        yield found
