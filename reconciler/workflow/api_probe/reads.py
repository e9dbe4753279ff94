"""The reads of `doctor --probe-api`: only GET, each once, with a small page where there are pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from reconciler.kinds.registry import ENDPOINT
from reconciler.model.errors import ApiError
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.request import API_ROOT, Request
from reconciler.model.values import Json
from reconciler.novita.http.client import Client
from reconciler.novita.optional_reads import products_request

SMALL: Final = 2
"""Endpoints of a small page (count)."""

LARGE: Final = 1000
"""Endpoints of a large page (count)."""

FAR: Final = 100_000
"""The number of a page past the end of any account."""

UNKNOWN_ID: Final = "reconcilerprobe0"
"""An ID in the form of Novita's, which no endpoint has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One answer. status: the HTTP status, 0 without an answer. reason: Novita's reason code, or ""."""

    status: int
    json: Json = None
    reason: str = ""

    @property
    def is_refused(self) -> bool:
        return 400 <= self.status < 500


def read_all(client: Client, on_read: Callable[[str], None]) -> dict[str, Reading]:
    """Return the answers by the name of the read. on_read: gets each request line before it is sent.

    A read that is refused or fails is an answer too; an endpoint is read by its ID only if there is one.
    """
    readings: dict[str, Reading] = {}
    for name, request in _requests(readings):
        on_read(f"GET {request.path}{_query(request)}")
        readings[name] = _read(client, request)
    return readings


def _requests(readings: dict[str, Reading]) -> Iterator[tuple[str, Request]]:
    for page in range(3):
        yield f"page {page}", ENDPOINT.list_request(page, SMALL)
    yield "past end", ENDPOINT.list_request(FAR, SMALL)
    yield "default page", Request(method="GET", path=f"{API_ROOT}/endpoints")
    # A server that counts from 0 has other endpoints on page 1.
    is_from_one = readings["page 0"].is_refused or readings["page 0"].json == readings["page 1"].json
    yield "large page", ENDPOINT.list_request(int(is_from_one), LARGE)
    yield "next large page", ENDPOINT.list_request(int(is_from_one) + 1, LARGE)
    if object_id := first_id(readings["page 1"]) or first_id(readings["page 0"]):
        yield "endpoint", ENDPOINT.get_request(object_id)
    yield "unknown endpoint", ENDPOINT.get_request(UNKNOWN_ID)
    yield "limits", Request(method="GET", path=f"{API_ROOT}/endpoint/limit")
    yield "products", products_request()
    yield "refused products", Request(method="GET", path=products_request().path, query={"type": "none"})
    yield "prewarm quota", Request(method="GET", path=f"{API_ROOT}/image/prewarm/quota")
    for page in (0, 1):
        query = {"pageNo": str(page), "pageSize": str(SMALL)}
        yield (
            f"storages {page}",
            Request(method="GET", path=f"{API_ROOT}/networkstorages/list", query=query),
        )


def items(reading: Reading, key: str) -> list[Json] | None:
    """Return the list of an answer, or None if it has none."""
    found = reading.json.get(key) if isinstance(reading.json, dict) else None
    return found if isinstance(found, list) else None


def first_id(reading: Reading) -> str:
    """Return the ID of the first endpoint of a page, or ""."""
    first = next(iter(items(reading, "endpoints") or ()), None)
    return str(first.get("id") or "") if isinstance(first, dict) else ""


def _read(client: Client, request: Request) -> Reading:
    try:
        return Reading(status=200, json=client.send(request, retries=False))
    except ApiError as error:
        return Reading(status=error.status, reason=error.reason)


def _query(request: Request) -> str:
    shown = "&".join(f"{key}={'ID' if key == 'id' else value}" for key, value in request.query.items())
    return f"?{shown}" if shown else ""
