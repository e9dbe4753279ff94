"""What people see of a live endpoint, whatever Novita leaves out of it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from reconciler.kinds.endpoint.kind import ENDPOINT
from reconciler.kinds.endpoint.status import endpoint_info
from reconciler.kinds.endpoint.workers import LONGEST_MESSAGE
from reconciler.model.status import AppStatus, ConditionType, EndpointInfo, Managed, Status, Worker
from tests.builders import answer, parse_bare

SERVING = {"state": "serving"}
STARTING = {"state": "initializing"}
RUNNING = {"state": "running"}


def seen(
    state: Any = SERVING, workers: Any = None, *, low: int = 1, high: int = 3, **raw: Any
) -> EndpointInfo:
    """An endpoint that scales from `low` to `high`, as it is shown."""
    declared = answer(minReplicas=low, maxReplicas=high)
    return endpoint_info(ENDPOINT.parse_one({**declared, "state": state, "workers": workers, **raw}))


def worker(state: Any = RUNNING, *, healthy: Any = True, name: str = "w-1") -> dict[str, Any]:
    return {"id": name, "state": state, "healthy": healthy}


def holding(app: EndpointInfo) -> dict[str, str]:
    """The conditions that hold, with their reasons."""
    return {one.type.value: one.reason for one in app.conditions if one.status}


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("serving", Status.RUNNING),
        ("running", Status.RUNNING),
        ("initializing", Status.PENDING),
        ("pending", Status.PENDING),
        ("creating", Status.PENDING),
        ("unknown", Status.PENDING),
        ("", Status.PENDING),
        (None, Status.PENDING),
        ({"state": None}, Status.PENDING),
        ({}, Status.PENDING),
        ("updating", Status.UPDATING),
        ("stopped", Status.STOPPED),
        ("failed", Status.FAILED),
        ("error", Status.FAILED),
        ("terminating", Status.TERMINATING),
        ("deleting", Status.TERMINATING),
    ],
)
def test_every_state_has_a_status(said: Any, status: Status) -> None:
    """Novita's words, those missing and those nobody knows included."""
    assert seen(said).status is status


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("initializing", Status.RUNNING),
        ("stopped", Status.STOPPED),
        ("failed", Status.FAILED),
        ("terminating", Status.TERMINATING),
    ],
)
def test_scaled_to_zero(said: str, status: Status) -> None:
    """With minNum 0 it waits for a request, unless it is said to be out of service."""
    assert seen(said, low=0).status is status


def test_workers_are_counted() -> None:
    """Total lives, available runs, ready runs and is healthy; tombstones and failures are not counted."""
    app = seen(
        workers=[
            worker(name="ready"),
            worker(name="sick", healthy=False),
            worker({"state": "pulling"}, healthy=False, name="young"),
            worker({"state": "removed"}, name="old"),
            worker("terminating", name="going"),
            worker({"state": "deleted"}, name="gone"),
            worker({"state": "failed", "error": "no stock"}, healthy=False, name="failed"),
            "no worker",
        ]
    )
    counts = (app.desired_replicas, app.total_replicas, app.available_replicas, app.ready_replicas)
    assert counts == (3, 3, 2, 1)
    assert [one.id for one in app.workers] == ["ready", "sick", "young", "failed"]
    assert [one.is_ready for one in app.workers] == [True, False, False, False]
    assert app.workers[-1] == Worker(
        id="failed", state="failed", healthy=False, message="no stock", has_ended=True, has_failed=True
    )


CONDITIONS: list[tuple[Any, Any, int, dict[str, str]]] = [
    (SERVING, [worker()], 1, {"Available": "Running"}),
    (SERVING, None, 0, {"Available": "Running"}),
    (SERVING, [worker(healthy=False)], 1, {"Available": "Running", "Progressing": "WorkersStarting"}),
    (SERVING, [worker()], 2, {"Available": "Running", "Progressing": "WorkersStarting"}),
    (STARTING, [worker()], 2, {"Available": "Pending", "Progressing": "Pending"}),
    (STARTING, [], 1, {"Progressing": "Pending"}),
    ("updating", [], 1, {"Progressing": "Updating"}),
    (STARTING, [worker("failed")], 1, {"Progressing": "Pending", "Failed": "WorkersFailed"}),
    (STARTING, [worker("failed"), worker("pulling")], 1, {"Progressing": "Pending"}),
    (SERVING, [worker("failed"), worker()], 1, {"Available": "Running"}),
    ("failed", [], 1, {"Failed": "failed"}),
    ("failed", [worker("failed")], 1, {"Failed": "failed"}),
    ("stopped", [worker("failed")], 1, {}),
    ("terminating", [worker()], 1, {}),
]


@pytest.mark.parametrize(("state", "workers", "low", "expected"), CONDITIONS)
def test_conditions(state: Any, workers: Any, low: int, expected: dict[str, str]) -> None:
    """Available when something serves; progressing until all is there; failed when nothing more comes."""
    app = seen(state, workers, low=low)
    assert holding(app) == expected
    assert {one.type for one in app.conditions} == set(ConditionType)
    assert app.is_settled == (expected.keys() == {"Available"})


MESSAGES: list[tuple[Any, Any, str]] = [
    ({"state": "failed", "error": "E", "message": "no stock"}, None, "E - no stock"),
    ({"state": "stopped", "message": "account overdue"}, [worker("failed")], "account overdue"),
    (SERVING, [worker()], ""),
    (SERVING, [worker(healthy=False)], "worker w-1 running, but not healthy yet"),
    (STARTING, [worker({"state": "pulling"})], "worker w-1 pulling"),
    (STARTING, [worker({"state": "failed", "error": "no stock"})], "worker w-1 failed: no stock"),
    (
        SERVING,
        [worker(healthy=False), worker({"state": "failed", "error": "no stock"}, name="w-0")],
        "worker w-0 failed: no stock; worker w-1 running, but not healthy yet",
    ),
    (SERVING, [worker(), worker("failed", name="w-0"), worker("exited", name="w-2")], ""),
    (
        STARTING,
        [worker("pulling"), worker("pending", name="w-2"), worker("pulling", name="w-3")],
        "2 workers pulling; worker w-2 pending",
    ),
    (STARTING, [], ""),
    ("terminating", [worker("stopping")], ""),
]


@pytest.mark.parametrize(("state", "workers", "message"), MESSAGES)
def test_messages(state: Any, workers: Any, message: str) -> None:
    """Novita's word on the endpoint, else what keeps workers from serving: failures with a reason first."""
    assert seen(state, workers).message == message


def test_a_message_of_many_workers_is_cut() -> None:
    """A hundred of them may each have something to say."""
    workers = [worker({"state": "failed", "error": f"reason {number}"}) for number in range(100)]
    message = seen(STARTING, workers).message
    assert len(message) == LONGEST_MESSAGE + 3
    assert message.endswith("...")


def test_all_else_is_carried_over() -> None:
    """Image, address, app name, product, region, creation time in UTC, and labels."""
    app = seen()
    assert (app.name, app.id, app.state) == ("base-test", "id-base-test", "serving")
    assert (app.image, app.app_name, app.product) == ("ubuntu:22.04", "base-test", "SL-serverless-3")
    assert (app.min_replicas, app.max_replicas) == (1, 3)
    assert app.url == "https://id-base-test-base-test.runsync.novita.dev"
    assert app.created_at == datetime.fromtimestamp(1_750_000_000, UTC)
    assert app.labels == {
        "provider": "novita",
        "endpoint-id": "id-base-test",
        "region": "us-dallas-nas-2",
    }


@pytest.mark.parametrize("created", [None, "", "soon", "0", "-5", "1750000000000000", 10**30, {}])
def test_a_time_that_is_none(created: Any) -> None:
    """A creation time that cannot be read is no reason to show nothing."""
    assert seen(createdAt=created).created_at is None


def test_an_endpoint_without_anything() -> None:
    """ID and name are enough."""
    app = endpoint_info(parse_bare(), Managed.UNMANAGED)
    assert (app.status, app.message, app.image, app.product, app.region) == (Status.PENDING, "", "", "", "")
    assert (app.min_replicas, app.max_replicas, app.total_replicas, app.workers) == (0, 0, 0, ())
    assert (app.created_at, app.managed) == (None, Managed.UNMANAGED)


def test_a_worker_without_anything() -> None:
    """It is there, and that is all that can be said."""
    assert seen(workers=[{}]).workers == (Worker(id="?", state="unknown", healthy=False),)


def test_the_status_alone() -> None:
    """The seed's AppStatus."""
    assert seen(STARTING, [worker(), worker(healthy=False, name="w-2")]).app_status() == AppStatus(
        endpoint="base-test",
        status=Status.PENDING,
        total_replicas=2,
        ready_replicas=1,
        available_replicas=2,
        message="worker w-2 running, but not healthy yet",
    )
