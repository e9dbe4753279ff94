"""The checks of every request before a handler sees it, and the headers of every answer."""

from __future__ import annotations

import asyncio
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reconciler.model.durations import BODY_TIMEOUT
from reconciler.server.responses import error_response
from reconciler.server.settings import MAX_BODY_SIZE, MAX_HEADER_SIZE, ServerSettings
from reconciler.server.tokens import Caller, find_caller

SECURITY_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self';"
    " img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""Headers of every answer that does not set them itself."""

_SAFE: Final = ("GET", "HEAD", "OPTIONS")
_CORS_METHODS: Final = "GET, POST, PUT, PATCH, DELETE, OPTIONS"


class BodyTooLarge(Exception):
    """The body of a request exceeds the limit."""


class Guard:
    """Middleware that answers requests for other hosts and from other origins itself.

    A page on another origin could otherwise send a write, which needs no permission of the browser, and after
    DNS rebinding read the answers too.
    """

    def __init__(self, app: ASGIApp, settings: ServerSettings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        is_named = origin is not None and origin in self._settings.cors_origins

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                fields = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    fields.setdefault(name, value)
                if is_named and origin:
                    fields["Access-Control-Allow-Origin"] = origin
                    fields["Cross-Origin-Resource-Policy"] = "cross-origin"
                    fields.add_vary_header("Origin")
            await send(message)

        refusal = self._refusal(scope, headers, is_named=is_named)
        await (refusal or self._app)(scope, receive, send_guarded)

    def _refusal(self, scope: Scope, headers: Headers, *, is_named: bool) -> Response | None:
        """Return the answer to a request that no handler may see."""
        if sum(len(name) + len(value) for name, value in headers.raw) > MAX_HEADER_SIZE:
            return error_response(
                431, "the head of the request is too large", "send fewer or shorter headers"
            )
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._settings.is_allowed_host(hosts[0]):
            return error_response(
                403, "the Host header does not name this server", "start it with --allowed-host NAME"
            )
        origins = headers.getlist("origin")
        if not is_named and (origins or _is_cross_site(scope, headers)):
            own = len(origins) == 1 and _is_own(origins[0], hosts[0])
            if not own or _is_cross_site(scope, headers):
                return error_response(
                    403, "the request comes from a page of another origin", "start it with --cors-origin URL"
                )
        if is_named and scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            return _preflight()
        if b"%2f" in scope.get("raw_path", b"").lower():  # a name is one segment of the path
            return PlainTextResponse("404 page not found", status_code=404)
        return None


def caller_of(request: Request, settings: ServerSettings) -> Caller | None:
    """Return the client of a request with its rights, or None for a token that is not known."""
    authorization = request.headers.get("authorization", "")
    if authorization and settings.tokens:
        return find_caller(settings.tokens, authorization)
    return Caller(may_read=settings.is_local, may_write=settings.is_local and settings.unauthenticated_writes)


def access_problem(request: Request, settings: ServerSettings, *, writes: bool) -> Response | None:
    """Return the refusal of a request, or None if its client has the right to read or to write.

    The client becomes `request.state.caller`.
    """
    caller = caller_of(request, settings)
    request.state.caller = caller or Caller()
    if caller is not None and (caller.may_write if writes else caller.may_read):
        return None
    if caller is not None and caller.name:
        return error_response(403, f"the token of {caller.name} may only read", "use a token with `:write`")
    hint = "send Authorization: Bearer TOKEN, with a token of RECONCILER_API_TOKENS"
    if settings.is_local and not settings.tokens:
        hint = (
            "start the server with RECONCILER_API_TOKENS=NAME:TOKEN:write and send"
            " Authorization: Bearer TOKEN, or start it with --allow-unauthenticated-writes"
        )
    answer = error_response(401, "unauthorized", hint)
    answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


async def read_body(request: Request) -> bytes:
    """Return the body. Raise BodyTooLarge, or TimeoutError if it does not arrive in time."""
    chunks: list[bytes] = []
    size = 0
    async with asyncio.timeout(BODY_TIMEOUT):
        async for chunk in request.stream():
            size += len(chunk)
            if size > MAX_BODY_SIZE:
                raise BodyTooLarge
            chunks.append(chunk)
    return b"".join(chunks)


def _is_cross_site(scope: Scope, headers: Headers) -> bool:
    """Return True if a browser says that another site sent the request; following a link is allowed."""
    site = headers.get("sec-fetch-site", "none")
    is_link = scope["method"] in _SAFE and headers.get("sec-fetch-mode") == "navigate"
    return site in ("cross-site", "same-site") and not is_link


def _is_own(origin: str, host: str) -> bool:
    address = urlsplit(origin)
    return address.scheme in ("http", "https") and address.netloc.lower() == host.lower()


def _preflight() -> Response:
    return Response(
        status_code=204,
        headers={
            "Access-Control-Allow-Methods": _CORS_METHODS,
            "Access-Control-Allow-Headers": "Content-Type, Authorization, X-Requested-With, X-Request-ID",
            "Access-Control-Max-Age": "3600",
        },
    )
