"""The outermost middleware: it counts every request, and writes one line of JSON about it to stderr.

A line has neither a query nor a header nor a body, since each of them may hold a secret.
"""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from typing import Any, TextIO

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reconciler.model.encoding import json_bytes
from reconciler.server.metrics import RequestMetrics

UNKNOWN_ROUTE = "other"
"""The route of a request that none matches; its path could be any text."""


class AccessLog:
    """Middleware that logs to `stream`, or nowhere if it is None."""

    def __init__(self, app: ASGIApp, metrics: RequestMetrics, stream: TextIO | None) -> None:
        self._app, self._metrics, self._stream = app, metrics, stream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status, size = time.perf_counter(), 0, 0

        async def send_counted(message: Message) -> None:
            nonlocal status, size
            if message["type"] == "http.response.start":
                status = message["status"]
            else:
                size += len(message.get("body", b""))
            await send(message)

        self._metrics.begin()
        try:
            await self._app(scope, receive, send_counted)
        finally:
            seconds = time.perf_counter() - started
            route = scope.get("state", {}).get("route", UNKNOWN_ROUTE)
            method = scope["method"] if scope["method"].isalpha() else "other"
            self._metrics.end(method if route != UNKNOWN_ROUTE else "other", route, status, seconds)
            if self._stream is not None:
                self._log(scope, status, size, seconds)

    def _log(self, scope: Scope, status: int, size: int, seconds: float) -> None:
        caller = scope.get("state", {}).get("caller")
        client = scope.get("client")
        line: dict[str, Any] = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "method": scope["method"][:20],
            "path": scope["path"][:500].encode("utf-8", "replace").decode(),
            "status": status,
            "ms": round(seconds * 1000, 1),
            "bytes": size,
            "client": client[0] if client else "",
            "who": caller.name if caller else "",
        }
        stream = self._stream or sys.stderr
        stream.write(json_bytes(line).decode() + "\n")
        stream.flush()
