"""A change -> the calls that it takes, in the order of sending. Preview prints these and apply sends them."""

from __future__ import annotations

from typing import assert_never

from reconciler.kinds.registry import KINDS
from reconciler.model.plan import Adopt, Change, Create, Delete, Forget, NoOp, Replace, Scale, Update
from reconciler.model.request import Request


def create_of(change: Create | Replace) -> Request:
    """The request that makes the new endpoint."""
    return next(request for request in requests_of(change) if not request.is_idempotent)


def drains_of(change: Change) -> tuple[Request, ...]:
    """Those of its requests that Novita may not offer, and that come first."""
    workers = change.drain if isinstance(change, Scale) else ()
    return tuple(KINDS[change.kind].drain_request(worker) for worker in workers)


def asides_of(change: Change) -> tuple[Request, ...]:
    """The request that gives the endpoint in its way a temporary name; none where it has that already."""
    aside = change.aside if isinstance(change, Update) else None
    if aside is None or aside.live.name == aside.name:
        return ()
    return (KINDS[change.kind].update_request(aside.live, {"name": aside.name}),)


def requests_of(change: Change) -> tuple[Request, ...]:
    """The writes of one change; empty when only the inventory is touched."""
    kind = KINDS[change.kind]
    match change:
        case Create():
            return (kind.create_request(change.desired),)
        case Update():
            return (*asides_of(change), kind.update_request(change.live, change.target))
        case Scale():
            return (*drains_of(change), kind.update_request(change.live, change.target))
        case Replace():
            delete = kind.delete_requests(change.live.id)[0]
            create = kind.create_request(change.desired, change.target)
            return (create, delete) if change.create_first else (delete, create)
        case Delete():
            return kind.delete_requests(change.live.id)[:1]
        case Adopt():
            return (kind.update_request(change.live, change.target),) if change.fields else ()
        case Forget() | NoOp():
            return ()
        case _:
            assert_never(change)
