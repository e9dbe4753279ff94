"""D7: workers that drain, that have ended or failed, and when they started."""

from datetime import UTC, datetime
from typing import Any

import pytest

from reconciler.kinds.endpoint.codec import parse
from reconciler.kinds.endpoint.status import endpoint_info
from reconciler.kinds.endpoint.workers import surplus
from reconciler.model.status import EndpointInfo, Status
from tests.builders import answer

GO_ZERO = "0001-01-01T00:00:00Z"


def worker(name: str, state: Any = "running", *, healthy: Any = True, **fields: Any) -> dict[str, Any]:
    return {
        "id": name,
        "state": {"state": state, "error": fields.pop("error", "")},
        "healthy": healthy,
    } | fields


def shown(*workers: dict[str, Any], low: int = 1, **raw: Any) -> EndpointInfo:
    answered = {**answer(minReplicas=low, maxReplicas=5), "state": "Serving", "workers": list(workers), **raw}
    return endpoint_info(parse(answered))


@pytest.mark.parametrize(
    "state", ["exited", "stopped", "unscheduling", "failed", "error", "Exited", "FAILED"]
)
def test_dead_workers_are_shown_and_not_counted(state: str) -> None:
    info = shown(worker("up"), worker("dead", state, healthy=False))
    assert (info.total_replicas, info.available_replicas, info.ready_replicas) == (1, 1, 1)
    assert [one.id for one in info.workers] == ["up", "dead"]
    assert info.workers[1].has_ended


@pytest.mark.parametrize("state", ["removed", "deleted", "terminating", "stopping", "Removed", "STOPPING"])
def test_workers_that_go_are_not_shown(state: str) -> None:
    assert [one.id for one in shown(worker("up"), worker("old", state)).workers] == ["up"]


def test_a_worker_with_an_end_is_gone() -> None:
    """Unless the time is the one that stands for no time."""
    times = {"a": "2026-11-28T10:00:00Z", "b": GO_ZERO, "c": "", "d": None}
    info = shown(*(worker(name, deletedAt=time) for name, time in times.items()))
    assert [one.id for one in info.workers] == ["b", "c", "d"]


def test_a_draining_worker_is_no_capacity() -> None:
    """It is shown, is not missed while it ends, and is not counted as ready, running or in total."""
    info = shown(worker("up"), worker("going", drain=True), worker("young", "pulling", drain="true"))
    assert (info.total_replicas, info.available_replicas, info.ready_replicas) == (1, 1, 1)
    assert [one.is_draining for one in info.workers] == [False, True, True]
    assert (info.message, info.is_settled) == ("", True)
    assert not shown(worker("going", drain=True)).is_settled


def test_states_count_in_any_case() -> None:
    info = shown(worker("up", "Running"), worker("young", "PULLING", healthy="false"))
    assert (info.status, info.ready_replicas, info.available_replicas) == (Status.RUNNING, 1, 1)
    assert [one.state for one in info.workers] == ["running", "pulling"]
    assert info.message == "worker young pulling"
    assert shown(state={"state": "FAILED", "error": "no stock"}).status is Status.FAILED
    assert parse({**answer(), "state": "Terminating"}).is_terminating


def test_failures_with_a_reason_come_first() -> None:
    info = shown(
        worker("young", "pulling", healthy=False),
        worker("dead", "exited", error="out of memory"),
        worker("odd", "exited"),
        worker("stuck", "Failed", error="no stock"),
    )
    assert (
        info.message
        == "worker dead exited: out of memory; worker stuck failed: no stock; worker young pulling"
    )


@pytest.mark.parametrize(
    ("value", "time"),
    [
        (1_750_000_000, datetime(2025, 6, 15, 15, 6, 40, tzinfo=UTC)),
        ("1750000000", datetime(2025, 6, 15, 15, 6, 40, tzinfo=UTC)),
        ("2025-06-15T15:06:40Z", datetime(2025, 6, 15, 15, 6, 40, tzinfo=UTC)),
        ("2025-06-15T17:06:40.123456789+02:00", datetime(2025, 6, 15, 15, 6, 40, 123456, tzinfo=UTC)),
        ("2025-06-15T15:06:40", datetime(2025, 6, 15, 15, 6, 40, tzinfo=UTC)),
        (GO_ZERO, None),
        ("0001-01-01T00:00:00+01:00", None),
        ("yesterday", None),
        (10**30, None),
        ("", None),
        (None, None),
    ],
)
def test_times_are_read_in_each_form(value: Any, time: datetime | None) -> None:
    info = shown(worker("up", createdAt=value, readyAt=value), createdAt=value)
    assert (info.created_at, info.workers[0].created_at, info.workers[0].ready_at) == (time, time, time)
    is_unread = ("createdAt",) in parse({**answer(), "createdAt": value}).unread
    assert is_unread == (value in ("yesterday", 10**30))


def test_the_youngest_goes_first() -> None:
    """After those that are not ready; without a time, the last of the list is the youngest."""
    times = {"old": "2026-11-28T08:00:00Z", "young": "2026-11-28T10:00:00Z", "middle": "2026-11-28T09:00:00Z"}
    workers = [worker(name, createdAt=time) for name, time in times.items()]
    workers += [worker("sick", healthy=False), worker("dead", "exited"), worker("going", drain=True)]
    live = parse({**answer(), "workers": workers})
    assert surplus(live, 0) == ("sick", "young", "middle", "old")
    assert surplus(live, 2) == ("sick", "young")
    unknown = parse({**answer(), "workers": [worker("a"), worker("b"), worker("c")]})
    assert surplus(unknown, 1) == ("c", "b")
