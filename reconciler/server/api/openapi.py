"""The OpenAPI 3.1 document, made of the table of operations."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from reconciler import __version__
from reconciler.server.api.route_table import Access, Operation
from reconciler.server.api.schemas import SCHEMAS

_DESCRIPTION: Final = (
    "Endpoints on Novita AI Serverless, with the paths and shapes of Waverless. On this machine reading is"
    " free, and writing needs a token of RECONCILER_API_TOKENS. Every error is an object with `error`."
)

_STATUSES: Final = {
    400: "The request is invalid",
    401: "A token is missing or unknown",
    403: "The token, or the page that sent the request, has no right to it",
    404: "There is no such object",
    408: "The body did not arrive in time",
    409: "Another run holds the inventory; the answer says who",
    413: "The body is too large",
    500: "Novita refused the request, failed, or does not offer it",
    501: "There is no such function here",
    503: "The server is busy",
}

_PARAMETERS: Final[dict[str, dict[str, Any]]] = {
    "fresh": {"description": "1 asks Novita instead of the cache.", "schema": {"type": "string"}},
    "reveal": {"description": "`env` shows the values of variables.", "schema": {"type": "string"}},
    "category": {"description": "Only specs of this category.", "schema": {"type": "string"}},
    "limit": {"description": "The most events (default 50).", "schema": {"type": "string"}},
}


def openapi_document(operations: Sequence[Operation], title: str) -> dict[str, Any]:
    """Return the document of these operations of a server."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": __version__, "description": _DESCRIPTION},
        "paths": paths,
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(operation: Operation) -> dict[str, Any]:
    path = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in re.findall(r"{(\w+)}", operation.path)
    ]
    query = [{"name": name, "in": "query", **_PARAMETERS[name]} for name in operation.query]
    body = {"required": True, "content": _content("application/json", operation.body)}
    return {
        "operationId": operation.id,
        "summary": operation.summary,
        "tags": [operation.tag],
        **({"parameters": [*path, *query]} if path or query else {}),
        **({"requestBody": body} if operation.body else {}),
        "responses": {str(status): answer for status, answer in sorted(_answers(operation).items())},
        **({"security": [{"token": []}]} if operation.access is Access.WRITE else {}),
    }


def _answers(operation: Operation) -> dict[int, dict[str, Any]]:
    statuses = set(operation.statuses)
    if operation.access is not Access.OPEN:
        statuses |= {401, 403, 500}
    if operation.body:
        statuses |= {400, 408, 413}
    answers = {
        status: {"description": _STATUSES[status], "content": _content("application/json", "Error")}
        for status in statuses
    }
    if operation.succeeds:
        answers[operation.success] = {
            "description": "Done",
            "content": _content(operation.media, operation.answer),
        }
    return answers


def _content(media: str, schema: str) -> dict[str, Any]:
    return {media: {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
