"""Signed-in browsers. The cookie has a random ID; the token itself is never kept."""

from __future__ import annotations

import hmac
import secrets
import time
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from reconciler.model import durations
from reconciler.model.lazy_dataclass import dataclass
from reconciler.server.guard import caller_of
from reconciler.server.settings import ServerSettings
from reconciler.server.tokens import Caller, find_caller

MAX_SESSIONS: Final = 1000
"""Sessions that are kept (count). The oldest one is dropped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A browser. form_key: what its forms must contain, which no page of another origin can read.

    places: the paths and the words of the bar at the top.
    """

    caller: Caller
    form_key: str
    places: tuple[tuple[str, str], ...]
    ends: float = 0.0

    @property
    def is_signed_in(self) -> bool:
        return self.ends > 0

    def sent(self, form_key: str) -> bool:
        """Return True if a form came from a page that this session was shown."""
        return hmac.compare_digest(self.form_key.encode(), form_key.encode())


class Sessions:
    """The sessions of one server. A restart ends them."""

    def __init__(self, settings: ServerSettings, places: tuple[tuple[str, str], ...]) -> None:
        self._settings = settings
        self._places = places
        self._sessions: dict[str, Session] = {}
        self._form_key = secrets.token_urlsafe(32)

    def of(self, request: Request) -> Session:
        """Return the session of a request; without a cookie, one with the rights of the request itself."""
        session = self._sessions.get(request.cookies.get(_cookie(request), ""))
        if session is not None and session.ends > time.monotonic():
            return session
        caller = caller_of(request, self._settings) or Caller()
        return Session(caller=caller, form_key=self._form_key, places=self._places)

    def sign_in(self, request: Request, response: Response, token: str) -> bool:
        """Begin a session of the holder of a token. Return False for an unknown token."""
        caller = find_caller(self._settings.tokens, f"Bearer {token}")
        if caller is None:
            return False
        while len(self._sessions) >= MAX_SESSIONS:
            del self._sessions[next(iter(self._sessions))]
        session_id = secrets.token_urlsafe(32)
        self._sessions[session_id] = Session(
            caller=caller,
            form_key=secrets.token_urlsafe(32),
            places=self._places,
            ends=time.monotonic() + durations.SESSION_LIFETIME,
        )
        response.set_cookie(
            _cookie(request),
            session_id,
            max_age=durations.SESSION_LIFETIME,
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return True

    def sign_out(self, request: Request, response: Response) -> None:
        """End the session of a request."""
        self._sessions.pop(request.cookies.get(_cookie(request), ""), None)
        response.delete_cookie(_cookie(request), httponly=True, samesite="strict")


def _cookie(request: Request) -> str:
    """Return the name of the cookie. It has the port, because all ports of a host share cookies."""
    return f"reconciler-{request.url.port or 80}"
