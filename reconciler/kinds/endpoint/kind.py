"""The endpoint behind `kinds.base.Kind`: requests as values and parsers of answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from reconciler.kinds.base import Kind
from reconciler.kinds.endpoint.answer_reader import is_id, number
from reconciler.kinds.endpoint.codec import create_body, is_endpoint, parse, parse_all, update_body
from reconciler.model.request import API_ROOT, Request
from reconciler.model.resource import Desired, Live, Page
from reconciler.model.values import Fields, Json


class Endpoint:
    """Novita's serverless endpoint over the v1 API."""

    def list_request(self, page: int, size: int) -> Request:
        return Request(
            method="GET", path=f"{API_ROOT}/endpoints", query={"pageSize": str(size), "pageNum": str(page)}
        )

    def get_request(self, object_id: str) -> Request:
        return Request(method="GET", path=f"{API_ROOT}/endpoint", query={"id": object_id})

    def create_request(self, desired: Desired, fields: Fields | None = None) -> Request:
        body = create_body(desired.fields if fields is None else fields, desired.app_name)
        return Request(method="POST", path=f"{API_ROOT}/endpoint/create", body=body, safe=False)

    def update_request(self, live: Live, fields: Fields) -> Request:
        return Request(method="POST", path=f"{API_ROOT}/endpoint/update", body=update_body(live, fields))

    def drain_request(self, worker_id: str) -> Request:
        """No document knows this call, and one public client makes it."""
        body = {"workerID": worker_id, "drain": True}
        return Request(method="POST", path=f"{API_ROOT}/endpoint/worker/drain", body=body)

    def delete_requests(self, object_id: str) -> tuple[Request, ...]:
        """Both keys first, each holding the ID: the documentation says `name`, live users send `id`."""
        bodies = ({"id": object_id, "name": object_id}, {"id": object_id}, {"name": object_id})
        return tuple(Request(method="POST", path=f"{API_ROOT}/endpoint/delete", body=body) for body in bodies)

    def parse_page(self, answer: Json) -> Page:
        if not isinstance(answer, Mapping) or "endpoints" not in answer:
            raise ValueError("no `endpoints` in the answer")
        found = answer["endpoints"]
        if found is not None and not isinstance(found, list):
            raise ValueError("`endpoints` is not a list")
        if found and not any(map(is_endpoint, found)):
            raise ValueError("`endpoints` holds none")
        return Page(endpoints=parse_all(found or ()), total=number(answer.get("total")))

    def parse_one(self, answer: Json) -> Live:
        if isinstance(answer, Mapping) and isinstance(answer.get("endpoint"), Mapping):
            answer = answer["endpoint"]
        return parse(answer)

    def parse_created(self, answer: Json) -> str | None:
        if not isinstance(answer, Mapping):
            return None
        inner = answer.get("endpoint")
        found = answer.get("id") or (inner.get("id") if isinstance(inner, Mapping) else None)
        return found if is_id(found) else None


ENDPOINT: Final[Kind] = Endpoint()
