"""Requests, responses and refusals as plain values, so that the world knows nothing of sockets."""

import json
from collections.abc import Mapping
from dataclasses import field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from reconciler.model.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One call: `path` without the query string, `headers` with lower-case names."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @classmethod
    def parse(cls, method: str, target: str, headers: Mapping[str, str], body: bytes) -> "Request":
        """A request from its `target`, that is path plus query string; a full URL will do too."""
        parts = urlsplit(target)
        return cls(
            method=method,
            path=parts.path,
            query=dict(parse_qsl(parts.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in headers.items()},
            body=body,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """One answer; Content-Length is added by whoever sends it."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class Refusal(Exception):
    """A request the API answers with an error status and a reason."""

    def __init__(self, reason: str, message: str, *, status: int = 400) -> None:
        super().__init__(f"{status} {reason}: {message}")
        self.reason = reason
        self.message = message
        self.status = status

    def response(self) -> Response:
        return error(self.status, self.reason, self.message)


def answer(payload: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON response."""
    body = json.dumps(payload, separators=(",", ":"), ensure_ascii=False).encode()
    return Response(status=status, headers={"content-type": "application/json", **(headers or {})}, body=body)


def error_payload(status: int, reason: str, message: str) -> dict[str, Any]:
    """The go-kratos error object (docs error-code)."""
    return {"code": status, "reason": reason, "message": message, "metadata": {}}


def error(status: int, reason: str, message: str, *, headers: Mapping[str, str] | None = None) -> Response:
    return answer(error_payload(status, reason, message), status=status, headers=headers)
