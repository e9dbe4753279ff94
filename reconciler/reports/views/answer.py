"""The answer of an endpoint: the line about it, and its JSON document."""

from __future__ import annotations

import base64
import json
from http import HTTPStatus
from typing import Any

from reconciler.reports.terminal.escape import plain
from reconciler.serving.request import Called, EndpointAnswer, EndpointRequest


def answer_line(answer: EndpointAnswer, total: float) -> str:
    """Return the status and the times of an answer. `total` is the time of the command, in seconds."""
    times = [f"first byte after {answer.first_byte:.2f} s", f"{total:.2f} s in total"]
    if answer.waited >= 1:
        times.insert(0, f"waited {answer.waited:.0f} s for a worker")
    line = f"HTTP {status_text(answer.status)}: {', '.join(times)}"
    location = answer.headers.get("location")
    is_redirect = 300 <= answer.status < 400 and location
    return f"{line}. The redirect to {plain(str(location))} was not followed" if is_redirect else line


def status_text(status: int) -> str:
    """Return a status with its phrase, such as `404 Not Found`."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def answer_document(called: Called, request: EndpointRequest, body: bytes, total: float) -> dict[str, Any]:
    """Return the answer as JSON. `encoding` says what `body` is: a JSON value, a text, or base64."""
    answer = called.answer
    encoding, value = _decoded(body)
    return {
        "endpoint": called.name,
        "id": called.id,
        "url": called.url,
        "method": request.method,
        "path": request.path,
        "status": answer.status,
        "headers": dict(answer.headers),
        "encoding": encoding,
        "body": value,
        "seconds": {
            "waited": round(answer.waited, 3),
            "first_byte": round(answer.first_byte, 3),
            "total": round(total, 3),
        },
    }


def _decoded(body: bytes) -> tuple[str, Any]:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return "base64", base64.b64encode(body).decode()
    try:
        return "json", json.loads(text)
    except (ValueError, RecursionError):
        return "text", text
