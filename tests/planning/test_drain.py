"""Workers that become too many get no new work first."""

from typing import Any

import pytest

from reconciler.kinds.endpoint.codec import parse
from reconciler.model.plan import Scale
from reconciler.model.resource import Desired, Live
from reconciler.planning.drain import drained
from reconciler.planning.steps import requests_of, steps_of
from tests.builders import answer, change, live, tracked

RUNNING = {"state": "running"}


def worker(name: str, state: Any = RUNNING, *, healthy: bool = True) -> dict[str, Any]:
    return {"id": name, "state": state, "healthy": healthy}


def with_workers(*workers: Any) -> Live:
    return parse({**answer(replicas=4), "workers": list(workers)})


def scaled(there: Live, **counts: int) -> Scale:
    hand = Desired(name="base-test", app_name="", fields={"workerConfig": counts}, partial=True)
    found = change(hand, tracked(replicas=4), there)
    assert isinstance(found, Scale)
    (after,) = drained([found])
    assert isinstance(after, Scale)
    return after


FOUR = (worker("oldest"), worker("starting", "pulling"), worker("sick", healthy=False), worker("youngest"))
GONE = (worker("gone", {"state": "removed"}), worker("no-stock", "failed"), "junk")


@pytest.mark.parametrize(
    ("most", "drains"),
    [
        (4, ()),
        (3, ("sick",)),
        (2, ("sick", "starting")),
        (1, ("sick", "starting", "youngest")),
    ],
)
def test_not_ready_ones_first_then_the_youngest(most: int, drains: tuple[str, ...]) -> None:
    """As many as are beyond the most; what is gone already does not count."""
    assert scaled(with_workers(*GONE, *FOUR), minNum=0, maxNum=most).drain == drains


def test_it_is_sent_before_the_counts_are_lowered() -> None:
    """Each worker by itself, and then the update."""
    *drains, update = requests_of(scaled(with_workers(*FOUR), minNum=2, maxNum=2))
    assert [request.body for request in drains] == [
        {"workerID": "sick", "drain": True},
        {"workerID": "starting", "drain": True},
    ]
    assert {request.path.rpartition("/endpoint/")[2] for request in drains} == {"worker/drain"}
    assert update.path.endswith("/endpoint/update")


def test_an_explanation_tells_of_it() -> None:
    """The drains are calls like others, and nobody may have changed the endpoint since the plan."""
    calls = [
        call.path.partition("?")[0] for call in steps_of(scaled(with_workers(*FOUR), minNum=2, maxNum=2))
    ]
    ends = [path.rpartition("/v1/")[2] for path in calls]
    look, drain = "endpoint", "endpoint/worker/drain"
    assert ends == [look, drain, drain, look, "endpoint/update", look]


def test_where_the_most_stays_nothing_is_too_many() -> None:
    """Also when the least is lowered: idle workers go by themselves. Other changes are left as they are."""
    assert scaled(with_workers(*FOUR), minNum=0).drain == ()
    update = change(
        Desired(name="base-test", app_name="", fields={"image": {"image": "new:1"}}, partial=True),
        tracked(),
        live(),
    )
    assert drained([update]) == (update,)
