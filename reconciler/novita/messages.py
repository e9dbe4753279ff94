"""How messages speak of a request, and how everything secret is taken out of what others wrote."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from reconciler.model.request import Request
from reconciler.model.secrets import map_secrets

if TYPE_CHECKING:
    from reconciler.novita.http.masking import Secrets

CONSOLE = "https://console.novita.ai"
QUOTED = 200
"""How many characters of a foreign text a message may quote."""

LOOKED_AT = 4096
"""How many characters of a foreign text are looked at for that."""

_PURPOSES = {
    "endpoint": "read Novita endpoint",
    "endpoints": "list Novita endpoints",
    "limit": "read Novita endpoint limits",
    "clusters": "list Novita clusters",
}


def purpose(request: Request) -> str:
    """What the request was for, to follow "failed to"."""
    *_, noun, verb = request.path.split("/")
    if verb in ("create", "update", "delete"):
        return f"{verb} Novita {noun}"
    return _PURPOSES.get(verb, "call Novita")


def call(request: Request) -> str:
    """The call as one would type it: `GET /gpu-instance/openapi/v1/endpoint?id=abc`."""
    query = f"?{urlencode(request.query)}" if request.query else ""
    return f"{request.method} {request.path}{query}"


def status_line(status: int) -> str:
    """`401 Unauthorized`; the bare number where HTTP has no word for it."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def format_seconds(seconds: float) -> str:
    """`120 s`, rounded up; in words where no digits would help."""
    return f"{math.ceil(seconds)} s" if seconds < 1e9 else "more than 30 years"


class Masker:
    """Takes secrets out of what a server wrote: the API key, what was added, and what a request carried.

    Masking comes before cutting: the first half of a key is still a leak. Every method may be called from any
    thread.
    """

    def __init__(self, *values: str) -> None:
        self._guard = threading.Lock()
        self._secrets: Secrets | None = None  # nothing has to be masked as long as all goes well
        self._sources: list[Callable[[], Iterable[str]]] = [lambda: values]

    def add(self, source: Callable[[], Iterable[str]]) -> None:
        """Mask what it returns as well; it is asked each time that there is something to mask."""
        self._sources.append(source)

    def quote(self, text: str, request: Request, limit: int = QUOTED) -> str:
        """The text in one line without secrets, cut at `limit` characters."""
        carried: list[str] = []
        map_secrets(request.body, lambda secret: carried.extend((secret.value, *secret.parts)))
        is_whole, text = len(text) <= LOOKED_AT, text[:LOOKED_AT]
        with self._guard:
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
