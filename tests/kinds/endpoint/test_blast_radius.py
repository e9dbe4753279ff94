"""The effect of each change on the workers that run now."""

from dataclasses import replace
from typing import Any

import pytest

from reconciler.kinds.registry import ENDPOINT
from reconciler.model.plan import Replace
from reconciler.model.resource import Live
from reconciler.model.review.blast_radius import BlastRadius, Effect
from reconciler.planning.options import create_first
from tests.builders import LARGER, answer, change, endpoint, live, tracked


def running(*states: str, **declared: Any) -> Live:
    """A live endpoint with a worker in each of these states."""
    workers = [
        {"id": f"w-{number}", "state": {"state": state}, "healthy": True}
        for number, state in enumerate(states)
    ]
    return ENDPOINT.parse_one({**answer(**declared), "workers": workers})


def effect(at: Live, /, **declared: Any) -> BlastRadius:
    found = ENDPOINT.blast_radius(change(endpoint(**declared), tracked(), at))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ({"replicas": 4}, Effect.NO_RESTART),
        ({"image": "ubuntu:24.04"}, Effect.ROLLING_RESTART),
        ({"command": "serve"}, Effect.ROLLING_RESTART),
        ({"imageAuthId": "a-1"}, Effect.ROLLING_RESTART),
        ({"env": {"A": "1"}}, Effect.ROLLING_RESTART),
        ({"port": 9000}, Effect.ROLLING_RESTART),
        ({"healthPath": "/ready"}, Effect.ROLLING_RESTART),
        ({"freeTimeout": 60}, Effect.MAY_RESTART),
        ({"requestTimeout": 60}, Effect.MAY_RESTART),
        ({"policy": {"type": "queue", "value": 5}}, Effect.MAY_RESTART),
        ({"freeTimeout": 60, "image": "ubuntu:24.04"}, Effect.ROLLING_RESTART),
        ({"replicas": 4, "freeTimeout": 60}, Effect.MAY_RESTART),
        ({"spec": LARGER}, Effect.REPLACED),
    ],
)
def test_the_fields_decide(declared: dict[str, Any], expected: Effect) -> None:
    """What a container gets at its start takes new workers; counts do not; of the rest nothing is known."""
    found = effect(running("running", "running"), **declared)
    assert (found.effect, found.workers) == (expected, 2)
    assert found.disrupts == (expected is not Effect.NO_RESTART)


def test_only_workers_that_run_or_start_count() -> None:
    """Those that are gone or have ended restart no more; without any, an update disrupts nothing."""
    found = effect(running("running", "pulling", "removed", "failed"), image="a:2", replicas=2)
    assert (found.workers, found.peak_workers) == (2, 4)
    asleep = effect(running("removed"), image="ubuntu:24.04")
    assert (asleep.workers, asleep.disrupts) == (0, False)
    assert effect(running("removed"), spec=LARGER).disrupts


@pytest.mark.parametrize(
    ("at", "declared", "peak", "surplus"),
    [
        (running("running"), {"image": "a:2"}, 2, 0),
        (running("running"), {"image": "a:2", "replicas": 3}, 4, 0),
        (running("running", "running", replicas=2), {"image": "a:2", "replicas": 1}, 3, 1),
        (running("running"), {"replicas": 3}, 3, 0),
        (running("running", "running", replicas=2), {"replicas": 1}, 2, 1),
        (running(replicas=1), {"image": "a:2"}, 1, 0),
    ],
)
def test_old_and_new_workers_are_billed_at_one_time(
    at: Live, declared: dict[str, Any], peak: int, surplus: int
) -> None:
    """The new ones start first. A scale starts what is missing, and stops what is beyond the maximum."""
    found = effect(at, **declared)
    assert (found.peak_workers, found.surplus) == (peak, surplus)


def test_what_a_replacement_loses() -> None:
    """ID and URL, and the data of local storage; with --create-first both endpoints run at one time."""
    local = {"storage": [{"type": "local", "sizeGb": 30, "mountPath": "/data"}]}
    network = {"storage": [{"type": "network", "id": "s-1", "mountPath": "/data"}]}
    assert effect(running("running", **network), spec=LARGER).lost == ("ID", "URL")
    found = effect(running("running", **local), spec=LARGER)
    assert (found.lost, found.peak_workers) == (("ID", "URL", "data of local storage"), 1)
    made = change(endpoint(spec=LARGER, appName="new"), tracked(), running("running"))
    ((first,), _) = create_first([made])
    assert isinstance(first, Replace)
    found = ENDPOINT.blast_radius(first)  # type: ignore[assignment]
    assert found.peak_workers == 2


def test_a_delete_ends_the_url() -> None:
    found = ENDPOINT.blast_radius(change(None, tracked(), running("running")))
    assert found is not None
    assert (found.effect, found.workers, found.disrupts) == (Effect.DELETED, 1, True)


def test_nothing_that_runs_is_changed() -> None:
    """A create, a no-op, an adoption that writes nothing, a record that is dropped."""
    for made in (
        change(endpoint(), None, None),
        change(endpoint(), tracked(), live()),
        change(endpoint(), None, live()),
        change(None, tracked(), None),
    ):
        assert ENDPOINT.blast_radius(made) is None


def test_an_adoption_that_overwrites_restarts_as_an_update_does() -> None:
    found = ENDPOINT.blast_radius(change(endpoint(port=1), None, running("running")))
    assert found is not None
    assert found.effect is Effect.ROLLING_RESTART


def test_an_answer_without_readable_counts() -> None:
    """The running workers are the best that is known."""
    at = running("running", "running")
    fields = {**at.fields, "workerConfig": {**at.fields["workerConfig"], "minNum": "?", "maxNum": "?"}}
    found = effect(replace(at, fields=fields), image="a:2")
    assert (found.workers, found.peak_workers) == (2, 3)
