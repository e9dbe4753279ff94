"""Requests as text, as curl commands and as JSON, exactly as they are sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from shlex import quote
from urllib.parse import urlencode

from reconciler.model.command import shell_quote
from reconciler.model.request import Request, encode_body
from reconciler.model.values import Json
from reconciler.reports.terminal.escape import in_json, plain


def url_of(base_url: str, request: Request) -> str:
    """Return the full URL of a request."""
    query = f"?{urlencode(request.query)}" if request.query else ""
    return f"{base_url}{request.path}{query}"


def body_text(request: Request, *, reveal: bool) -> str:
    """Return the body as it is sent, with secrets masked unless `reveal`."""
    return encode_body(request.revealed_body() if reveal else request.masked_body()).decode()


def request_lines(
    base_url: str, requests: Iterable[tuple[str, str, Request]], *, reveal: bool
) -> Iterator[str]:
    """Yield the lines of each request, given as (address, action, request)."""
    for address, action, request in requests:
        yield f"# {plain(address)}: {action}"
        yield f"{request.method} {url_of(base_url, request)}"
        yield in_json(body_text(request, reveal=reveal))
        yield ""


def curl_lines(base_url: str, requests: Iterable[tuple[str, str, Request]], *, reveal: bool) -> Iterator[str]:
    """Yield a curl command for each request, which takes the key from the environment.

    Comments are quoted as well, because interactive shells may not recognize comments.
    """
    for address, action, request in requests:
        yield f"# {shell_quote(plain(address))}: {action}"
        yield f"curl --fail-with-body -X {request.method} {shell_quote(url_of(base_url, request))} \\"
        yield '  -H "Authorization: Bearer $NOVITA_API_KEY" \\'
        yield "  -H 'Content-Type: application/json' \\"
        body = body_text(request, reveal=reveal)
        is_plain = all(map(str.isprintable, body.split("\n")))
        yield f"  --data-binary {quote(body) if is_plain else shell_quote(body)}"
        yield ""


def request_document(base_url: str, address: str, action: str, request: Request, *, reveal: bool) -> Json:
    """Return one element of `preview --json`."""
    return {
        "address": address,
        "action": action,
        "method": request.method,
        "url": url_of(base_url, request),
        "body": request.revealed_body() if reveal else request.masked_body(),
    }
