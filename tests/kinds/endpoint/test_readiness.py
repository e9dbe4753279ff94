"""Whether an endpoint serves, is getting there, or is stuck."""

from typing import Any

import pytest

from reconciler.kinds.endpoint.codec import parse
from reconciler.kinds.endpoint.status import readiness
from reconciler.model.status import Phase, Readiness
from tests.builders import answer

READY = Readiness(phase=Phase.READY)


def waiting(reason: str) -> Readiness:
    return Readiness(phase=Phase.WAITING, reason=reason)


def failed(reason: str) -> Readiness:
    return Readiness(phase=Phase.FAILED, reason=reason)


def worker(state: Any, *, healthy: bool = False) -> dict[str, Any]:
    return {"id": "w-1", "state": state, "healthy": healthy}


UP = worker("running", healthy=True)
IDLE = Readiness(phase=Phase.READY, reason="idle: nothing has started yet")
LONG = "x" * 300
CASES: list[tuple[Any, list[Any] | None, dict[str, Any], Readiness]] = [
    ({"state": "serving"}, [UP], {}, READY),
    ("Running", [UP], {}, READY),
    ("serving", [UP], {"minReplicas": 0}, READY),
    ("serving", None, {"minReplicas": 0}, IDLE),
    ("serving", None, {}, waiting("no worker is ready yet")),
    ("serving", [worker("pulling")], {}, waiting("worker w-1 pulling")),
    ("serving", [{**UP, "drain": True}], {}, waiting("no worker is ready yet")),
    ("stopped", None, {"minReplicas": 0}, waiting("stopped")),
    ({"state": "failed", "error": "E", "message": "no stock"}, None, {}, failed("E - no stock")),
    ({"state": "failed", "error": "same", "message": "same"}, None, {}, failed("same")),
    ({"state": "failed", "message": LONG}, None, {}, failed(LONG[:200])),
    ("error", None, {}, failed("error")),
    ({"state": "terminating"}, None, {}, failed("it is terminating")),
    ({"state": "initializing"}, None, {}, waiting("initializing")),
    ({}, None, {}, waiting("unknown")),
    ({"state": "initializing"}, None, {"minReplicas": 0}, IDLE),
    ({"state": "initializing"}, [worker({"state": "removed"})], {}, waiting("initializing")),
    ({"state": "initializing"}, [worker({"state": "running"}, healthy=True)], {}, waiting("initializing")),
    (
        {"state": "initializing"},
        [worker({"state": "running"})],
        {},
        waiting("worker w-1 running, but not healthy yet"),
    ),
    (
        {"state": "initializing"},
        [worker({"state": "error", "message": "failed to schedule worker"}), "noise"],
        {},
        waiting("worker w-1 error: failed to schedule worker"),
    ),
    (
        {"state": "initializing"},
        [worker("pulling"), {"state": None}],
        {},
        waiting("worker w-1 pulling; worker ? without a state"),
    ),
]


@pytest.mark.parametrize(("state", "workers", "declared", "expected"), CASES)
def test_readiness_follows_from_the_answer(
    state: Any, workers: list[Any] | None, declared: dict[str, Any], expected: Readiness
) -> None:
    """A worker that failed is told of and not given up on; with minNum 0 none is waited for."""
    assert readiness(parse({**answer(**declared), "state": state, "workers": workers})) == expected


def test_an_endpoint_scaled_to_zero_needs_an_address() -> None:
    """Without a URL nobody could wake it."""
    bare = {**answer(minReplicas=0), "state": {"state": "creating"}, "url": "", "workers": None}
    assert readiness(parse(bare)) == waiting("creating")
