"""A fake Novita with minimal overhead: endpoints serialized in advance, a timer for latency, no rate limit.

`python -m benchmarks.fake --count N --latency MS [--changed]` prints its URL and serves until its input ends.
GET /counts returns the number of requests per operation.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections import Counter
from urllib.parse import parse_qs, urlsplit

from benchmarks.world import live

API = "/gpu-instance/openapi/v1"


class Fake:
    """The account. A created endpoint is listed as it was sent, with the types that Novita returns."""

    def __init__(self, count: int, *, changed: bool) -> None:
        self.counts: Counter[str] = Counter()
        self.items = [_bytes(_altered(live(number)) if changed else live(number)) for number in range(count)]
        self.by_id = {f"{number:016x}": item for number, item in enumerate(self.items)}

    def answer(self, method: str, target: str, body: bytes) -> bytes:
        parts = urlsplit(target)
        path, query = parts.path.removeprefix(API), parse_qs(parts.query)
        self.counts[path] += 1
        match method, path:
            case "GET", "/endpoints":
                size, page = int(query["pageSize"][0]), int(query["pageNum"][0])
                items = self.items[page * size : (page + 1) * size]
                return b'{"endpoints":[' + b",".join(items) + b'],"total":%d}' % len(self.items)
            case "GET", "/endpoint":
                return b'{"endpoint":' + self.by_id[query["id"][0]] + b"}"
            case "POST", "/endpoint/create":
                return _bytes({"id": self.created(json.loads(body)["endpoint"])})
            case "GET", "/counts":
                return _bytes(self.counts)
            case _:
                return b"{}"

    def created(self, sent: dict) -> str:
        object_id = f"{len(self.items):016x}"
        worker = {**sent["workerConfig"]}
        for key in ("freeTimeout", "maxConcurrent"):
            worker[key] = str(worker[key])
        item = _bytes(
            {
                **sent,
                "id": object_id,
                "state": {"state": "serving"},
                "workerConfig": worker,
                "policy": {**sent["policy"], "value": str(sent["policy"]["value"])},
            }
        )
        self.items.append(item)
        self.by_id[object_id] = item
        return object_id


class Connection(asyncio.Protocol):
    """The required part of HTTP/1.1: keep-alive, and bodies with a length."""

    def __init__(self, fake: Fake, latency: float) -> None:
        self.fake, self.latency, self.buffer = fake, latency, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while True:
            head, end, rest = self.buffer.partition(b"\r\n\r\n")
            if not end:
                return
            line, *headers = head.split(b"\r\n")
            length = next(
                (int(h.split(b":")[1]) for h in headers if h.lower().startswith(b"content-length:")), 0
            )
            if len(rest) < length:
                return
            self.buffer = rest[length:]
            method, target, _ = line.decode().split(" ")
            body = self.fake.answer(method, target, rest[:length])
            answer = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(
                body
            )
            if self.latency:
                asyncio.get_running_loop().call_later(self.latency, self._write, answer + body)
            else:
                self._write(answer + body)

    def _write(self, data: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(data)


def _altered(endpoint: dict) -> dict:
    endpoint["image"]["image"] += "-old"
    endpoint["workerConfig"]["maxNum"] += 1
    return endpoint


def _bytes(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


async def serve(fake: Fake, latency: float) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(fake, latency), "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=0)
    parser.add_argument("--latency", type=float, default=0.0, help="milliseconds")
    parser.add_argument("--changed", action="store_true")
    given = parser.parse_args()
    asyncio.run(serve(Fake(given.count, changed=given.changed), given.latency / 1000))


if __name__ == "__main__":
    main()
