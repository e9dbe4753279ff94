"""Texts about a request for error messages, and the masking of secrets in texts of the server."""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from reconciler.model.request import Request
from reconciler.model.secrets import map_secrets

if TYPE_CHECKING:
    from reconciler.novita.http.masking import Secrets

CONSOLE = "https://console.novita.ai"
MAX_QUOTED = 200
"""Characters of a server's text that a message may quote."""

NOT_QUOTED = "(not shown, because it may hold passwords)"
"""Stands for any text of a confidential answer."""

MAX_SCANNED = 4096
"""Characters of a server's text that are searched for secrets."""

_ERROR_CODE = re.compile(r"[A-Z][A-Z0-9_]{1,79}")

_PURPOSES = {
    "endpoint": "read Novita endpoint",
    "endpoints": "list Novita endpoints",
    "limit": "read Novita endpoint limits",
    "clusters": "list Novita clusters",
    "list": "list Novita network storages",
    "auths": "list the registry credentials of Novita",
    "save": "save a registry credential in Novita",
}

_NOUNS = {"auth": "registry credential", "networkstorage": "network storage"}


def purpose(request: Request) -> str:
    """Return the purpose of a request, to follow "failed to"."""
    *_, noun, verb = request.path.split("/")
    if verb in ("create", "update", "delete"):
        return f"{verb} Novita {_NOUNS.get(noun, noun)}"
    return _PURPOSES.get(verb, "call Novita")


def call(request: Request) -> str:
    """Return method, path and query: `GET /gpu-instance/openapi/v1/endpoint?id=abc`."""
    query = f"?{urlencode(request.query)}" if request.query else ""
    return f"{request.method} {request.path}{query}"


def status_line(status: int) -> str:
    """Return `401 Unauthorized`, or the number alone if HTTP does not define it."""
    from http import HTTPStatus

    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def format_seconds(seconds: float) -> str:
    """Return `120 s`, rounded up. An endless time is in words."""
    return f"{math.ceil(seconds)} s" if seconds < 1e9 else "more than 30 years"


class Masker:
    """Masks secrets in texts of the server: the API key, added values, and the secrets of a request.

    A text is masked before it is cut, because half a key is a leak too. Thread-safe.
    """

    def __init__(self, *values: str) -> None:
        self._lock = threading.Lock()
        self._secrets: Secrets | None = None  # imported when the first message is masked
        self._sources: list[Callable[[], Iterable[str]]] = [lambda: values]

    def add(self, source: Callable[[], Iterable[str]]) -> None:
        """Add a source of secrets. It is called for each message that is masked."""
        self._sources.append(source)

    def quote_answer(self, text: str, request: Request, limit: int = MAX_QUOTED) -> str:
        """Return a text of the answer as `quote` does; of a confidential one, only an error code.

        Masks know the secrets that were read before, and this answer may hold others.
        """
        if request.is_confidential and text and not _ERROR_CODE.fullmatch(text):
            return NOT_QUOTED
        return self.quote(text, request, limit)

    def quote(self, text: str, request: Request, limit: int = MAX_QUOTED) -> str:
        """Return the text in one line with secrets masked, cut at `limit` characters."""
        carried: list[str] = []
        map_secrets(request.body, lambda secret: carried.extend((secret.value, *secret.parts)))
        is_whole, text = len(text) <= MAX_SCANNED, text[:MAX_SCANNED]
        with self._lock:
            if self._secrets is None:
                from reconciler.novita.http.masking import Secrets

                self._secrets = Secrets()
            for values in (carried, *(source() for source in self._sources)):
                self._secrets.add(values)
            text = self._secrets.masked(text)
        text = " ".join("".join(char if char.isprintable() else " " for char in text).split())
        if len(text) > limit:
            return f"{text[:limit]}..."
        return text if is_whole else f"{text.rpartition(' ')[0]} ..."  # the last word may be half a secret
