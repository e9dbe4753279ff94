"""JSON responses in the form of Go's encoder, and errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from starlette.responses import Response

from reconciler.model.encoding import json_bytes
from reconciler.model.errors import EndpointNotFound, InvalidConfig, InventoryLocked, ReconcilerError
from reconciler.server.account_cache import Snapshot

AGE_HEADER: Final = "X-Reconciler-Age"
"""Seconds since the listing began that an answer is made of, with three decimals."""

_ESCAPES: Final = (
    (b"<", b"\\u003c"),
    (b">", b"\\u003e"),
    (b"&", b"\\u0026"),
    ("\u2028".encode(), b"\\u2028"),
    ("\u2029".encode(), b"\\u2029"),
)


def go_json(value: Any) -> bytes:
    """Return JSON as Go's encoder writes it. The escaped characters occur only in strings."""
    return escaped_as_go(json_bytes(value))


def escaped_as_go(encoded: bytes) -> bytes:
    """Return JSON with the characters escaped that Go escapes."""
    for character, escape in _ESCAPES:
        encoded = encoded.replace(character, escape)
    return encoded


def json_response(value: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a response with a JSON body."""
    return Response(
        go_json(value),
        status_code=status,
        headers=dict(headers or {}),
        media_type="application/json; charset=utf-8",
    )


def snapshot_headers(snapshot: Snapshot) -> dict[str, str]:
    """Return the headers of an answer that is made of a snapshot."""
    return {AGE_HEADER: f"{snapshot.age:.3f}"}


def failure(error: ReconcilerError, facts: Mapping[str, Any] | None = None) -> Response:
    """Return the response to an error: its summaries as `error`, how to go on as `hint`, and `problems`."""
    problems = [problem for problem in error.problems if problem.is_error] or list(error.problems)
    body: dict[str, Any] = {"error": "\n".join(problem.summary for problem in problems), **(facts or {})}
    if hints := [problem.hint for problem in problems if problem.hint]:
        body["hint"] = "\n".join(hints)
    body["problems"] = [
        {"code": problem.code, "summary": problem.summary, "detail": problem.detail, "hint": problem.hint}
        for problem in error.problems
    ]
    return json_response(body, status=status_of(error))


def status_of(error: ReconcilerError) -> int:
    """Return the HTTP status of an error."""
    match error:
        case InvalidConfig():
            return 400
        case EndpointNotFound():
            return 404
        case InventoryLocked():
            return 409
    return 500
