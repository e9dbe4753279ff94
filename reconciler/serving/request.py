"""A request to the URL of an endpoint, and the answer to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import Final

from reconciler.model.lazy_dataclass import dataclass

MAX_ANSWER: Final = 1 << 30
"""Bytes of an answer that is written as it comes."""

MAX_DOCUMENT: Final = 32 << 20
"""Bytes of an answer that is kept in memory."""

JSON_TYPE: Final = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointRequest:
    """One request. `path` begins with a slash and may have a query. `headers` may hold secrets."""

    method: str
    path: str = "/"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """The endpoint that was called, and its answer."""

    name: str
    id: str
    url: str
    answer: EndpointAnswer


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointAnswer:
    """An answer whose body is still to be read from `pieces`, which may raise NotCalled.

    Header names are in lower case. `first_byte` is the time from the start of this request to its answer, and
    `waited` the time before it, until a worker was there; both in seconds.
    """

    status: int
    headers: Mapping[str, str]
    pieces: Iterable[bytes]
    first_byte: float
    waited: float

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300


def streaming(body: bytes) -> bytes:
    """Return the JSON object with `stream` set to true. Raise ValueError if it is not a JSON object."""
    import json

    data = json.loads(body)
    if not isinstance(data, dict):
        raise ValueError("not an object")  # noqa: TRY004 - as for a text that is not JSON
    return json.dumps({**data, "stream": True}, ensure_ascii=False).encode()


def content_type(body: bytes) -> str:
    """Return the content type of a body: JSON, text or bytes."""
    import json

    try:
        json.loads(body)
    except (ValueError, RecursionError):
        pass
    else:
        return JSON_TYPE
    try:
        body.decode()
    except UnicodeDecodeError:
        return "application/octet-stream"
    return "text/plain; charset=utf-8"
