"""What a resource kind must offer: rules, requests as values, and parsers of answers."""

from __future__ import annotations

from typing import Protocol

from reconciler.model.request import Request
from reconciler.model.resource import Desired, Live, Page
from reconciler.model.values import Fields, Json


class Kind(Protocol):
    """One resource kind. All of it is pure; only `novita.client` sends what it returns."""

    def list_request(self, page: int, size: int) -> Request: ...

    def get_request(self, object_id: str) -> Request: ...

    def create_request(self, desired: Desired, fields: Fields | None = None) -> Request:
        """Create it; `fields` stands in for the desired ones where a replacement keeps live values."""
        ...

    def update_request(self, live: Live, fields: Fields) -> Request:
        """Bring a live object to `fields`, carrying the live value of all that `fields` leaves out."""
        ...

    def drain_request(self, worker_id: str) -> Request:
        """Give a worker no new work; it goes once it is idle."""
        ...

    def delete_requests(self, object_id: str) -> tuple[Request, ...]:
        """The preferred request first, then what to try if the server refuses its keys."""
        ...

    def parse_page(self, answer: Json) -> Page:
        """Raises ValueError when the answer is not a listing."""
        ...

    def parse_one(self, answer: Json) -> Live:
        """Raises ValueError when the answer is not one object."""
        ...

    def parse_created(self, answer: Json) -> str | None:
        """The new ID; None when the answer does not hold one."""
        ...
