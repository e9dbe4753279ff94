"""A server between the command and the simulator that answers some calls by itself."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import monotonic


@dataclass(frozen=True, kw_only=True)
class Canned:
    """An answer; `acts` says whether the simulator is asked first all the same."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    acts: bool = False
    times: int | None = None


@dataclass
class Relay:
    """`canned` is by the last word of the path (`create`, `endpoints`); `seen` has when each call came."""

    url: str
    canned: dict[str, Canned] = field(default_factory=dict)
    seen: list[tuple[str, float]] = field(default_factory=list)
    guard: threading.Lock = field(default_factory=threading.Lock)

    def came(self, call: str) -> list[float]:
        """When calls of that kind came, in monotonic seconds."""
        return [when for name, when in self.seen if name == call]

    def take(self, call: str) -> Canned | None:
        """What to answer a call that has just come; None for what the simulator says."""
        with self.guard:
            self.seen.append((call, monotonic()))
            answer = self.canned.get(call)
            if answer is None or answer.times is None:
                return answer
            number = sum(name == call for name, _ in self.seen)
            return answer if number <= answer.times else None


@contextmanager
def relay(behind: str) -> Iterator[Relay]:
    """A relay to the server at `behind`, until the end of the `with`."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            call = self.path.partition("?")[0].rsplit("/", 1)[-1]
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            answer = found.take(call)
            if answer is None or answer.acts:
                real = self._ask(body)
                answer = answer or real
            self.send_response_only(answer.status)
            for name, value in {"Content-Length": str(len(answer.body)), **answer.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)

        do_POST = do_GET  # noqa: N815 - the base class says so

        def _ask(self, body: bytes) -> Canned:
            asked = http.client.HTTPConnection(behind.removeprefix("http://"), timeout=10)
            headers = {name: self.headers[name] for name in ("Authorization", "Content-Type", "User-Agent")}
            kept = {name: value for name, value in headers.items() if value}
            asked.request(self.command, self.path, body or None, kept)
            said = asked.getresponse()
            whole = Canned(status=said.status, body=said.read())
            asked.close()
            return whole

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class says so
            pass

    class Threads(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

    with Threads(("127.0.0.1", 0), Handler) as server:
        found = Relay(f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield found
        finally:
            server.shutdown()
            thread.join()
