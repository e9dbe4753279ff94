"""A fake Novita with minimal overhead: endpoints serialized in advance, a timer for latency, no rate limit.

`python -m benchmarks.fake --count N --latency MS [--changed N] [--lag SECONDS] [--tls FILE] [--all-kinds]`
prints its URL and serves until its input ends. As many endpoints as `--changed` says differ from their
declaration. Updates and deletes show after the lag. With `--all-kinds` there are storages and credentials.
GET /log returns the calls so far, each as its operation and the times (seconds) at which it was received and
answered; DELETE /log empties it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import ssl
import sys
import time
from urllib.parse import parse_qs, urlsplit

from benchmarks.world import live, other_kinds

API = "/gpu-instance/openapi/v1"


class Fake:
    """The account. An endpoint is listed as it was sent, with the types that Novita returns."""

    def __init__(
        self, count: int, *, changed: int = 0, lag: float = 0.0, has_all_kinds: bool = False
    ) -> None:
        self.lag = lag
        self.others = other_kinds() if has_all_kinds else {}
        self.log: list[tuple[str, float, float]] = []
        self.by_id: dict[str, bytes] = {}
        self.items: list[bytes] | None = None  # the values of `by_id` for the listing, until it changes
        for number in range(count):
            endpoint = live(number)
            self.by_id[endpoint["id"]] = _bytes(_altered(endpoint) if number < changed else endpoint)
        self.created = count

    def answer(self, method: str, target: str, body: bytes) -> tuple[int, bytes]:
        """Carry out a request. Return the status and the body of its answer."""
        parts = urlsplit(target)
        path, query = parts.path.removeprefix(API), parse_qs(parts.query)
        sent = json.loads(body) if body else {}
        match method, path:
            case "GET", "/endpoints":
                size, page = int(query["pageSize"][0]), int(query["pageNum"][0])
                self.items = self.items or list(self.by_id.values())
                items = self.items[page * size : (page + 1) * size]
                return 200, b'{"endpoints":[' + b",".join(items) + b'],"total":%d}' % len(self.items)
            case "GET", "/networkstorages/list":
                size, page = int(query["pageSize"][0]), int(query["pageNo"][0]) - 1
                storages = self.others.get(path, [])
                return 200, _bytes(
                    {"data": storages[page * size : (page + 1) * size], "total": len(storages)}
                )
            case "GET", "/repository/auths":
                return 200, _bytes({"data": self.others.get(path, [])})
            case "GET", "/endpoint" if query["id"][0] in self.by_id:
                return 200, b'{"endpoint":' + self.by_id[query["id"][0]] + b"}"
            case "GET", "/endpoint":
                return 404, _bytes({"code": 404, "reason": "NOT_FOUND", "message": "no such endpoint"})
            case "POST", "/endpoint/create":
                return 200, _bytes({"id": self._create(sent["endpoint"])})
            case "POST", "/endpoint/update":
                self._later(sent["id"], _listed(sent, sent["id"]))
            case "POST", "/endpoint/delete":
                self._later(sent["id"], None)
            case "GET", "/log":
                return 200, _bytes(self.log)
            case "DELETE", "/log":
                self.log.clear()
        return 200, b"{}"

    def _create(self, sent: dict) -> str:
        object_id = f"{self.created:016x}"
        self.created += 1
        self._put(object_id, _listed(sent, object_id))
        return object_id

    def _put(self, object_id: str, item: bytes | None) -> None:
        """Set an endpoint, or remove it."""
        self.items = None
        if item is None:
            self.by_id.pop(object_id, None)
        else:
            self.by_id[object_id] = item

    def _later(self, object_id: str, item: bytes | None) -> None:
        if self.lag:
            asyncio.get_running_loop().call_later(self.lag, self._put, object_id, item)
        else:
            self._put(object_id, item)


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
            call = (urlsplit(target).path.removeprefix(API), time.monotonic())
            status, body = self.fake.answer(method, target, rest[:length])
            head = b"HTTP/1.1 %d OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
            answer = head % (status, len(body)) + body
            if self.latency:
                asyncio.get_running_loop().call_later(self.latency, self._write, call, answer)
            else:
                self._write(call, answer)

    def _write(self, call: tuple[str, float], answer: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(answer)
        if call[0] != "/log":
            self.fake.log.append((*call, time.monotonic()))


def _listed(sent: dict, object_id: str) -> bytes:
    """Return an endpoint as Novita lists it: numbers of the worker and of the policy are strings."""
    worker = {**sent["workerConfig"]}
    for key in ("freeTimeout", "maxConcurrent"):
        worker[key] = str(worker[key])
    policy = {**sent["policy"], "value": str(sent["policy"]["value"])}
    serving = {"id": object_id, "state": {"state": "serving"}, "workerConfig": worker, "policy": policy}
    return _bytes({**sent, **serving})


def _altered(endpoint: dict) -> dict:
    endpoint["image"]["image"] += "-old"
    endpoint["workerConfig"]["maxNum"] += 1
    return endpoint


def _bytes(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


async def serve(fake: Fake, latency: float, certificate: str) -> None:
    loop = asyncio.get_running_loop()
    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    server = await loop.create_server(lambda: Connection(fake, latency), "127.0.0.1", 0, ssl=context)
    print(f"http{'s' if context else ''}://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=0)
    parser.add_argument("--latency", type=float, default=0.0, help="milliseconds")
    parser.add_argument("--changed", type=int, default=0, help="endpoints (count)")
    parser.add_argument("--lag", type=float, default=0.0, help="seconds until an update or delete shows")
    parser.add_argument("--tls", default="", help="file of a certificate and its key")
    parser.add_argument("--all-kinds", action="store_true")
    given = parser.parse_args()
    account = Fake(given.count, changed=given.changed, lag=given.lag, has_all_kinds=given.all_kinds)
    asyncio.run(serve(account, given.latency / 1000, given.tls))


if __name__ == "__main__":
    main()
