"""Options that modify a plan."""

from typing import Any

import pytest

from reconciler.kinds.endpoint.codec import parse
from reconciler.model.plan import Replace, Scale
from reconciler.model.resource import Desired, Live
from reconciler.planning.options import create_first, drain_first
from reconciler.planning.steps import create_request, requests_of, steps_of
from tests.builders import LARGER, answer, change, endpoint, live, tracked


def replaced(**declared: str) -> Replace:
    """A move to a larger product, with perhaps another app name."""
    found = change(endpoint("a", spec=LARGER, **declared), tracked("a"), live("a"))
    assert isinstance(found, Replace)
    return found


def test_another_app_name_lets_the_new_one_come_first() -> None:
    """The order of the calls turns round, and what they say stays the same."""
    before = replaced(appName="a-2")
    (after,), notes = create_first([before])
    assert notes == ()
    assert isinstance(after, Replace)
    assert requests_of(after) == tuple(reversed(requests_of(before)))
    assert create_request(after) == create_request(before) == requests_of(after)[0]


def test_the_same_app_name_cannot_be_had_twice() -> None:
    """It stays as it was, and the user is told what to do."""
    before = replaced()
    (after,), (note,) = create_first([before])
    assert after == before
    assert (note.code, note.severity.value, note.address) == (
        "not-created-first",
        "note",
        "novita_endpoint.a",
    )
    assert "`appName`" in note.hint


def test_other_changes_stay_as_they_are() -> None:
    """Only replacements have two halves."""
    update = change(endpoint("a", image="x:2"), tracked("a"), live("a"))
    assert create_first([update]) == ((update,), ())


RUNNING = {"state": "running"}


def worker(name: str, state: Any = RUNNING, *, healthy: bool = True) -> dict[str, Any]:
    return {"id": name, "state": state, "healthy": healthy}


def with_workers(*workers: Any) -> Live:
    return parse({**answer(replicas=4), "workers": list(workers)})


def scaled(there: Live, **counts: int) -> Scale:
    partial = Desired(name="base-test", app_name="", fields={"workerConfig": counts}, is_partial=True)
    found = change(partial, tracked(replicas=4), there)
    assert isinstance(found, Scale)
    (after,) = drain_first([found])
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
    """The drains are steps like others, after a check that the endpoint has not changed since the plan."""
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
        Desired(name="base-test", app_name="", fields={"image": {"image": "new:1"}}, is_partial=True),
        tracked(),
        live(),
    )
    assert drain_first([update]) == (update,)
