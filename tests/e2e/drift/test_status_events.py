"""The events between two polls."""

from dataclasses import replace
from typing import Any

import pytest

from reconciler.kinds.endpoint.status import endpoint_info
from reconciler.kinds.registry import ENDPOINT
from reconciler.model.status import EndpointInfo, Happening, ReplicaEvent, Status
from reconciler.workflow.watch import events_between
from tests.builders import answer

CREATED, SCALED, READY = Happening.CREATED, Happening.SCALED, Happening.READY
FAILED, CHANGED, DELETED = Happening.FAILED, Happening.CHANGED, Happening.DELETED
WORKER_FAILED = Happening.WORKER_FAILED


def app(name: str = "chat", object_id: str = "1", *, ready: int = 0, of: int = 1, **raw: Any) -> EndpointInfo:
    """An endpoint of `of` workers, the first `ready` of which serve and the others are being made."""
    workers = [{"id": f"w-{n}", "state": "running" if n < ready else "pulling", "healthy": n < ready}
               for n in range(of)]  # fmt: skip
    state = "serving" if ready == of else "initializing"
    said = {**answer(name, object_id, replicas=of), "state": state, "workers": workers, **raw}
    return endpoint_info(ENDPOINT.parse_one(said))


def with_failed_worker(name: str = "w-9", reason: str = "out of memory") -> EndpointInfo:
    """An endpoint that serves, beside a worker that failed."""
    workers = [
        {"id": "w-0", "state": "running", "healthy": True},
        {"id": name, "state": {"state": "failed", "error": reason}, "healthy": False},
    ]
    return app(ready=1, workers=workers)


def failed(**raw: Any) -> EndpointInfo:
    return app(state="failed", **raw)


def happened(before: EndpointInfo | None, now: EndpointInfo | None) -> list[tuple[Happening, ...]]:
    found = events_between([before] if before else [], [now] if now else [])
    return [event.happenings for event in found]


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (None, app(), [(CREATED,)]),
        (None, app(ready=1), [(CREATED, READY)]),
        (None, failed(), [(CREATED, FAILED)]),
        (app(), app(), []),
        (app(), app(ready=1), [(READY,)]),
        (app(), app(of=2), [(SCALED,)]),
        (app(), app(ready=2, of=2), [(SCALED, READY)]),
        (app(ready=2, of=2), app(ready=1), [(SCALED,)]),
        (app(ready=1), failed(), [(FAILED,)]),
        (failed(), failed(of=2), [(SCALED,)]),
        (failed(), app(), [(CHANGED,)]),
        (app(of=2), app(ready=1, of=2), [(CHANGED,)]),
        (app(ready=1), app("talk", ready=1), [(CHANGED,)]),
        (app(ready=1), app(ready=1, state="terminating"), [(CHANGED,)]),
        (app(ready=1), None, [(DELETED,)]),
        (app(ready=1), with_failed_worker(), [(WORKER_FAILED,)]),
        (app(ready=1), with_failed_worker(reason=""), []),
        (with_failed_worker(), with_failed_worker(), []),
        (with_failed_worker(), with_failed_worker("w-10"), [(WORKER_FAILED,)]),
        (None, with_failed_worker(), [(CREATED, READY, WORKER_FAILED)]),
        (app("chat", "1"), app("chat", "2"), [(DELETED,), (CREATED,)]),
    ],
)
def test_happenings(
    before: EndpointInfo | None, now: EndpointInfo | None, expected: list[tuple[Happening, ...]]
) -> None:
    """Each change has its name, once; those of one look stand in the order in which they can happen."""
    assert happened(before, now) == expected


def test_what_is_no_change() -> None:
    """Words alone, worker IDs and ages are not: a boot that goes on is told when it ends."""
    before = app()
    assert (
        events_between([before], [replace(before, message="worker w-0 pending", workers=(), created_at=None)])
        == ()
    )


def test_an_event_is_how_it_is_now() -> None:
    """Desired is maxNum, ready the healthy workers, available the running ones."""
    (event,) = events_between(
        [app(of=2)], [app(ready=1, of=2, state={"state": "updating", "message": "soon"})]
    )
    now = app(ready=1, of=2, state="updating")
    assert event == ReplicaEvent(
        name="chat",
        desired_replicas=2,
        ready_replicas=1,
        available_replicas=1,
        conditions=now.conditions,
        id="1",
        status=Status.UPDATING,
        message="soon",
        happenings=(CHANGED,),
    )


def test_the_order() -> None:
    """Those that are gone come first; then all by name, whatever order they were listed in."""
    before = [app("d", "4"), app("b", "2"), app("a", "1")]
    now = [app("c", "3"), app("a", "9"), app("b", "2", ready=1)]
    assert [(event.name, event.id) for event in events_between(before, now)] == [
        ("a", "1"), ("d", "4"), ("a", "9"), ("b", "2"), ("c", "3")]  # fmt: skip
