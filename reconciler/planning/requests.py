"""A change -> the calls that it takes, in the order of sending. Preview prints these and apply sends them."""

from __future__ import annotations

from typing import assert_never

from reconciler.kinds.endpoint.kind import ENDPOINT
from reconciler.model.plan import Adopt, Change, Create, Delete, Forget, NoOp, Replace, Scale, Update
from reconciler.model.wire import Request


def requests_of(change: Change) -> tuple[Request, ...]:
    """The writes of one change; empty when only the inventory is touched."""
    match change:
        case Create():
            return (ENDPOINT.create_request(change.desired),)
        case Update() | Scale():
            return (ENDPOINT.update_request(change.live, change.target),)
        case Replace():
            return (
                ENDPOINT.delete_requests(change.live.id)[0],
                ENDPOINT.create_request(change.desired, change.target),
            )
        case Delete():
            return ENDPOINT.delete_requests(change.live.id)[:1]
        case Adopt():
            return (ENDPOINT.update_request(change.live, change.target),) if change.fields else ()
        case Forget() | NoOp():
            return ()
        case _:
            assert_never(change)
