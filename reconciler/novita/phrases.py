"""How messages speak of a request, and how everything secret is taken out of what others wrote."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from urllib.parse import quote, urlencode

from reconciler.model.values import MASK, Secret, replace_secrets
from reconciler.model.wire import Request

CONSOLE = "https://console.novita.ai"
QUOTED = 200
"""How many characters of a foreign text a message may quote."""

_PURPOSES = {
    "create": "create Novita endpoint",
    "update": "update Novita endpoint",
    "delete": "delete Novita endpoint",
    "endpoint": "read Novita endpoint",
    "endpoints": "list Novita endpoints",
    "limit": "read Novita endpoint limits",
    "clusters": "list Novita clusters",
}


def purpose(request: Request) -> str:
    """What the request was for, to follow "failed to"."""
    return _PURPOSES.get(request.path.rsplit("/", 1)[-1], "call Novita")


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


class Masker:
    """Takes the API key, and every secret that a request carried, out of a text that a server wrote.

    Masking comes before cutting: the first half of a key is still a leak.
    """

    def __init__(self, api_key: Secret) -> None:
        self._api_key = api_key

    def quote(self, text: str, request: Request, limit: int = QUOTED) -> str:
        """The text in one line without secrets, cut at `limit` characters."""
        for secret in sorted(self._spellings(request), key=len, reverse=True):
            text = text.replace(secret, MASK)
        text = " ".join("".join(char if char.isprintable() else " " for char in text).split())
        return text if len(text) <= limit else f"{text[:limit]}..."

    def _spellings(self, request: Request) -> set[str]:
        """Each secret as it is, and as an URL or a JSON string would hold it."""
        values = {self._api_key.value, self._api_key.value.strip()}
        replace_secrets(request.body, lambda secret: values.update((secret.value, *secret.parts)))
        return set(_spelled(values)) - {""}


def _spelled(values: Iterable[str]) -> Iterable[str]:
    for value in values:
        yield value
        yield quote(value, safe="")
        yield value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
