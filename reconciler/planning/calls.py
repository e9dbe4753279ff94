"""Every call that a change takes, reads included, in the order of sending, each with what it is for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, assert_never
from urllib.parse import urlencode

from reconciler.kinds.registry import KINDS
from reconciler.model.plan import Adopt, Change, Create, Delete, Forget, NoOp, Replace, Scale, Update
from reconciler.model.request import Request
from reconciler.planning.steps import asides_of, drains_of, requests_of

NEW_ID: Final = "NEW-ID"
"""Stands for the ID that only the answer to the create will tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call. `path` has its query; `purpose` is a clause such as `reads it back`."""

    method: str
    path: str
    purpose: str


def calls_of(change: Change, freed_by: str | None = None) -> Iterator[Call]:
    """The calls of one change. `freed_by` is the endpoint that has to give up the app name first.

    A look may take several tries, and a create whose answer is lost is looked for in the listing besides.
    """
    kind = KINDS[change.kind]

    def look(object_id: str, purpose: str) -> Call:
        return _call(kind.get_request(object_id), purpose)

    writes = requests_of(change)
    match change:
        case Create():
            after = f", once `{freed_by}` has given up the app name" if freed_by else ""
            yield _call(writes[0], f"makes it{after}")
            yield look(NEW_ID, "reads it back until it is as declared")
        case Update() | Scale() | Adopt():
            drains = drains_of(change)
            if drains:
                yield look(change.live.id, "makes sure that nobody has changed it since the plan")
            for drain in drains:
                yield _call(drain, "gives a worker that becomes too many no new work")
            asides = asides_of(change)
            for request in asides:
                yield _call(request, "gives the endpoint that has the name a temporary one")
            for write in writes[len(drains) + len(asides) :]:
                yield look(change.live.id, "makes sure that nobody has changed it since the plan")
                yield _call(write, "writes what is declared, and the live value of all else")
                yield look(change.live.id, "reads it back until it is as declared")
        case Replace(create_first=True):
            yield look(change.live.id, "makes sure that nobody has changed it since the plan")
            yield _call(writes[0], "makes the new one, under an app name of its own")
            yield look(NEW_ID, "reads it back until it is as declared")
            yield look(change.live.id, "makes sure that the old one is still called so")
            yield _call(writes[1], "deletes the old one, now that the new one is there")
            yield look(change.live.id, "waits until it is on its way out")
        case Replace():
            yield look(change.live.id, "makes sure that nobody has changed it since the plan")
            yield _call(writes[0], "deletes it, for only then is its app name free")
            yield look(change.live.id, "waits until it is gone and the app name is free")
            yield _call(writes[1], "makes the new one")
            yield look(NEW_ID, "reads it back until it is as declared")
        case Delete():
            yield look(change.live.id, "makes sure that it is still called so")
            yield _call(writes[0], "deletes it")
            yield look(change.live.id, "waits until it is on its way out")
        case Forget() | NoOp():
            return
        case _:
            assert_never(change)


def _call(request: Request, purpose: str) -> Call:
    query = f"?{urlencode(request.query)}" if request.query else ""
    return Call(method=request.method, path=request.path + query, purpose=purpose)
