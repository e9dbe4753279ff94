"""The routes of the API, and its requests, responses and refusals as plain values."""

import json
from collections.abc import Mapping
from dataclasses import field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from reconciler.model.lazy_dataclass import dataclass

BASE = "/gpu-instance/openapi/v1"
V2 = "/gpus/v2"
"""The path of the second API, of which only products and regions are served."""

ROUTES = {
    ("POST", BASE + "/endpoint/create"): "create",
    ("GET", BASE + "/endpoint"): "get",
    ("GET", BASE + "/endpoints"): "list",
    ("POST", BASE + "/endpoint/update"): "update",
    ("POST", BASE + "/endpoint/delete"): "delete",
    ("GET", BASE + "/endpoint/limit"): "limit",
    ("POST", BASE + "/endpoint/worker/drain"): "drain",
    ("GET", BASE + "/clusters"): "clusters",
    ("GET", BASE + "/products"): "products",
    ("GET", BASE + "/repository/auths"): "auths",
    ("POST", BASE + "/repository/auth/save"): "auth_save",
    ("POST", BASE + "/repository/auth/delete"): "auth_delete",
    ("GET", BASE + "/networkstorages/list"): "storages",
    ("POST", BASE + "/networkstorage/create"): "storage_create",
    ("POST", BASE + "/networkstorage/update"): "storage_update",
    ("POST", BASE + "/networkstorage/delete"): "storage_delete",
    ("GET", BASE + "/image/prewarm"): "prewarms",
    ("POST", BASE + "/image/prewarm"): "prewarm_create",
    ("POST", BASE + "/image/prewarm/edit"): "prewarm_edit",
    ("POST", BASE + "/image/prewarm/delete"): "prewarm_delete",
    ("GET", BASE + "/image/prewarm/quota"): "prewarm_quota",
    ("GET", "/openapi/v1/billing/balance/detail"): "balance",
    ("GET", V2 + "/products"): "market_products",
    ("GET", V2 + "/regions"): "market_regions",
}

UNKNOWN = "unknown"
CALL = "call"
"""A request to the URL of an endpoint."""
CALLS = "/run/"
"""The path of those URLs: `/run/<id>-<app name>`, and then the path that the worker sees."""
OPERATIONS = frozenset({*ROUTES.values(), CALL})
WRITES = frozenset(name for (method, _), name in ROUTES.items() if method == "POST")
_PATHS = frozenset(path for _, path in ROUTES)


def operation_of(method: str, path: str) -> str:
    """Return the name of the operation, or `unknown`."""
    if path.startswith(CALLS):
        return CALL
    return ROUTES.get((method, path), UNKNOWN)


def is_path(path: str) -> bool:
    """Return whether the path has an operation with any method."""
    return path in _PATHS


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request. `path` has no query string, `headers` have lower-case names."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @classmethod
    def parse(cls, method: str, target: str, headers: Mapping[str, str], body: bytes) -> "Request":
        """Return the request for a `target`: a path with a query string, or a full URL."""
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
    """One response. The sender adds Content-Length.

    A response with `pieces` has no other body: they are sent in chunks, with `pause` seconds before each one
    after the first.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    pieces: tuple[bytes, ...] = ()
    pause: float = 0.0


class Refusal(Exception):
    """A request that the API answers with an error status and a reason."""

    def __init__(self, reason: str, message: str, *, status: int = 400) -> None:
        super().__init__(f"{status} {reason}: {message}")
        self.reason = reason
        self.message = message
        self.status = status

    def response(self, style: str = "reason") -> Response:
        """Return the error with its reason, or with nothing but its message in the style `message`."""
        if style == "message":
            return answer({"message": self.message}, status=self.status)
        return error(self.status, self.reason, self.message)


def answer(payload: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a JSON response."""
    body = json.dumps(payload, separators=(",", ":"), ensure_ascii=False).encode()
    return Response(status=status, headers={"content-type": "application/json", **(headers or {})}, body=body)


def error_payload(status: int, reason: str, message: str) -> dict[str, Any]:
    """Return a go-kratos error object (docs error-code)."""
    return {"code": status, "reason": reason, "message": message, "metadata": {}}


def error(status: int, reason: str, message: str, *, headers: Mapping[str, str] | None = None) -> Response:
    return answer(error_payload(status, reason, message), status=status, headers=headers)
