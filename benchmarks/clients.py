"""Clients that load a server, in a process of their own and with as little work as possible.

`python -m benchmarks.clients URL --clients N --seconds S [--pause P]` lets N connections ask for the URL
again and again, with a pause (seconds) between, or follow it if it is a stream of server-sent events. It
prints JSON: answers and events (count), those of the client with the fewest, and the 50th and 99th percentile
of the times of answers (seconds). An answer that is no 200, or a connection that breaks, ends the process
with an error.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import time
from urllib.parse import urlsplit


class Client(asyncio.BufferedProtocol):
    """A connection that reads answers, or a stream of events, without keeping their bodies."""

    def __init__(self, request: bytes, pause: float, done: asyncio.Future[None]) -> None:
        self._request, self._pause, self._done = request, pause, done
        self._space = bytearray(1 << 18)
        self._head = b""
        self._missing: int | None = None  # bytes of the body; of a stream, more than ever come
        self._is_stream = self._is_ending = False
        self.times: list[float] = []
        self.events = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._ask()

    def end(self) -> None:
        """Close the connection after the answer that is under way, or the first event of a stream."""
        self._is_ending = True
        if self.events:
            self._close()

    def get_buffer(self, _size: int) -> bytearray:
        return self._space

    def buffer_updated(self, count: int) -> None:
        if self._missing is None:
            count = self._read_head(count)
        if self._is_stream:
            self.events += self._space.count(b"\ndata:", 0, count)
            if self.events and self._is_ending:
                self._close()
        elif self._missing is not None:
            self._missing -= count
            if not self._missing:
                self.times.append(time.perf_counter() - self._asked)
                self._next()

    def connection_lost(self, error: Exception | None) -> None:
        self._fail(f"the connection was closed: {error}")

    def _read_head(self, count: int) -> int:
        """Return the number of bytes that follow the head, once it is complete."""
        self._head += self._space[:count]
        head, end, body = self._head.partition(b"\r\n\r\n")
        if not end:
            return 0
        if not head.startswith(b"HTTP/1.1 200"):
            self._fail(head.split(b"\r\n")[0].decode())
        length = re.search(rb"(?i)\ncontent-length: *(\d+)", head)
        self._is_stream, self._missing = length is None, int(length[1]) if length else 0
        return len(body)

    def _next(self) -> None:
        if self._is_ending:
            self._close()
        elif self._pause:
            asyncio.get_running_loop().call_later(self._pause, self._ask)
        else:
            self._ask()

    def _ask(self) -> None:
        if self._is_ending:
            self._close()
            return
        self._head, self._missing, self._asked = b"", None, time.perf_counter()
        self._transport.write(self._request)

    def _close(self) -> None:
        if not self._done.done():
            self._done.set_result(None)
        self._transport.close()

    def _fail(self, why: str) -> None:
        if not self._done.done():
            self._done.set_exception(RuntimeError(why))


async def load(url: str, count: int, seconds: float, pause: float) -> dict[str, float]:
    """Run the clients, and return what they saw. Raise RuntimeError if one of them failed."""
    parts, loop = urlsplit(url), asyncio.get_running_loop()
    request = f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode()
    ends = [loop.create_future() for _ in range(count)]
    clients: list[Client] = []
    for end in ends:
        _, client = await loop.create_connection(
            lambda end=end: Client(request, pause, end), parts.hostname, parts.port
        )
        await asyncio.sleep(pause / count)
        clients.append(client)
    await asyncio.wait(ends, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
    for client in clients:
        client.end()
    await asyncio.wait_for(asyncio.gather(*ends), 60)
    times = sorted(taken for client in clients for taken in client.times) or [0.0]
    return {
        "answers": sum(len(client.times) for client in clients),
        "events": sum(client.events for client in clients),
        "fewest": min(len(client.times) + client.events for client in clients),
        "p50": times[len(times) // 2],
        "p99": times[len(times) * 99 // 100],
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--clients", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--pause", type=float, default=0.0)
    given = parser.parse_args()
    print(json.dumps(asyncio.run(load(given.url, given.clients, given.seconds, given.pause))))


if __name__ == "__main__":
    main()
