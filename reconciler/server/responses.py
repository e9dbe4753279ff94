"""JSON responses in the form of Go's encoder, and errors."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from starlette.responses import Response

from reconciler.model.encoding import json_bytes
from reconciler.model.errors import (
    EndpointNotFound,
    InvalidConfig,
    InventoryLocked,
    ReconcilerError,
    RenamedElsewhere,
)
from reconciler.server.account_cache import Snapshot

AGE_HEADER: Final = "X-Reconciler-Age"
"""Seconds since the listing began that an answer is made of, with three decimals."""

IGNORED_HEADER: Final = "X-Reconciler-Ignored"
"""Fields of a request that Novita does not have, which were not sent."""

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
    return raw_json(go_json(value), status=status, headers=headers)


def raw_json(encoded: bytes, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a response with a body that is JSON already."""
    return Response(
        encoded,
        status_code=status,
        headers=dict(headers or {}),
        media_type="application/json; charset=utf-8",
    )


def snapshot_headers(snapshot: Snapshot) -> dict[str, str]:
    """Return the headers of an answer that is made of a snapshot."""
    return {AGE_HEADER: f"{snapshot.age:.3f}"}


def error_response(status: int, error: str, hint: str = "", **facts: Any) -> Response:
    """Return the response to an error: `error` is what happened, `hint` how to go on."""
    body = {"error": error, **({"hint": hint} if hint else {}), **facts}
    return json_response(dict(sorted(body.items())), status=status)


def failure(error: ReconcilerError, **facts: Any) -> Response:
    """Return the response to an error of the core. `details` of the facts is what failed, such as Update."""
    problems = [problem for problem in error.problems if problem.is_error] or list(error.problems)
    summary = "\n".join(problem.summary for problem in problems)
    if "details" in facts:
        facts["details"] = f"{facts['details']} failed: {summary}"
    return error_response(
        status_of(error),
        summary,
        "\n".join(problem.hint for problem in problems if problem.hint),
        **facts,
        problems=[
            {
                "code": problem.code,
                "detail": problem.detail,
                "hint": problem.hint,
                "severity": problem.severity.value,
                "summary": problem.summary,
            }
            for problem in error.problems
        ],
    )


def status_of(error: ReconcilerError) -> int:
    """Return the HTTP status of an error."""
    match error:
        case InvalidConfig():
            return 400
        case EndpointNotFound():
            return 404
        case InventoryLocked() | RenamedElsewhere():
            return 409
    return 500


def crashed(error: Exception) -> Response:
    """Report a defect by its kind and its place, without its text, which could hold anything."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{type(error).__name__} at {Path(place.filename).name}:{place.lineno}"
    sys.stderr.write(f"internal error: {where}\n")
    return error_response(500, f"internal error: {where}", "please report it with the request that caused it")
