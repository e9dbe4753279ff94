"""Workers by the clock: starting, rolling over, going away, and failing to come."""

from .api import Api, outcome, states, worker_config


def test_a_worker_boots_by_the_clock() -> None:
    """Pending, pulling, running: with it the endpoint goes from initializing to serving."""
    api = Api.of(worker_boot_seconds=100)
    endpoint_id = api.create()
    seen = []
    for seconds in (0, 30, 70):
        api.clock.now += seconds
        endpoint = api.read(endpoint_id)
        [worker] = endpoint["workers"]
        seen.append((worker["state"]["state"], worker["healthy"], endpoint["state"]["state"]))
    assert seen == [
        ("pending", False, "initializing"),
        ("pulling", False, "initializing"),
        ("running", True, "serving"),
    ]


def test_an_endpoint_without_workers_serves() -> None:
    """With minNum 0 there is no worker to wait for."""
    endpoint = (api := Api.of(worker_boot_seconds=100)).read(api.create(workerConfig=worker_config(minNum=0)))
    assert (endpoint["state"]["state"], endpoint["workers"]) == ("serving", [])


def test_scaling_down_leaves_tombstones() -> None:
    """Workers that went stay in the answer as removed, unhealthy ones; only a few are kept."""
    api = Api.of()
    endpoint_id = api.create(workerConfig=worker_config(minNum=3))
    api.update(endpoint_id, workerConfig=worker_config(minNum=1))
    endpoint = api.read(endpoint_id)
    assert sorted(states(endpoint)) == ["removed", "removed", "running"]
    assert [worker["healthy"] for worker in endpoint["workers"] if worker["log"] == ""] == [False, False]
    for _ in range(5):
        api.update(endpoint_id, workerConfig=worker_config(minNum=3))
        api.update(endpoint_id, workerConfig=worker_config(minNum=1))
    assert states(api.read(endpoint_id)).count("removed") == 5


def test_tombstones_can_be_switched_off() -> None:
    """Without them answers show living workers only."""
    api = Api.of(tombstones=False)
    endpoint_id = api.create(workerConfig=worker_config(minNum=3))
    api.update(endpoint_id, workerConfig=worker_config(minNum=1))
    assert states(api.read(endpoint_id)) == ["running"]


def test_a_new_image_rolls_over_with_overlap() -> None:
    """Old workers stay until new ones run, so that for a while there are more than maxNum, all serving."""
    api = Api.of(worker_boot_seconds=60)
    endpoint_id = api.create(workerConfig=worker_config(minNum=2, maxNum=2))
    api.clock.now += 60
    api.update(endpoint_id, workerConfig=worker_config(minNum=2, maxNum=2), image={"image": "new:2"})
    during = api.read(endpoint_id)
    assert states(during) == ["running", "running", "pending", "pending"]
    assert during["state"]["state"] == "serving"
    api.clock.now += 60
    assert states(api.read(endpoint_id)) == ["removed", "removed", "running", "running"]


def test_a_rollover_without_overlap_interrupts() -> None:
    """With the overlap switched off old workers go at once and the endpoint initializes again."""
    api = Api.of(worker_boot_seconds=60, rolling_overlap=False)
    endpoint_id = api.create()
    api.clock.now += 60
    api.update(endpoint_id, image={"image": "new:2"})
    endpoint = api.read(endpoint_id)
    assert states(endpoint) == ["removed", "pending"]
    assert endpoint["state"]["state"] == "initializing"


def test_scaling_and_renaming_keep_the_workers() -> None:
    """A change of name, policy, limits or timeouts starts nothing new."""
    api = Api.of()
    endpoint_id = api.create()
    before = api.read(endpoint_id)["workers"]
    config = worker_config(maxNum=9, freeTimeout=10, maxConcurrent=5, requestTimeout=60)
    api.update(endpoint_id, name="new", workerConfig=config, policy={"type": "concurrency", "value": 3})
    assert api.read(endpoint_id)["workers"] == before


def test_no_stock_shows_as_worker_failures_until_stock_returns() -> None:
    """Create succeeds, workers fail to be scheduled; with stock they boot without further ado."""
    api = Api.of(no_stock=True, worker_boot_seconds=10)
    endpoint_id = api.create()
    endpoint = api.read(endpoint_id)
    [worker] = endpoint["workers"]
    assert worker["state"]["state"] == "failed"
    assert "failed to schedule worker" in worker["state"]["message"]
    assert endpoint["state"]["state"] == "initializing"
    api.world.switch(no_stock=False)
    assert states(api.read(endpoint_id)) == ["pending"]
    api.clock.now += 10
    assert states(api.read(endpoint_id)) == ["running"]


def test_an_overdue_account_stops_and_resumes() -> None:
    """Overdue: no create, no update, no worker; reading and deleting go on; payment brings workers back."""
    api = Api.of()
    endpoint_id = api.create(workerConfig=worker_config(minNum=2))
    other = api.create(name="other")
    api.world.switch(overdue=True)
    assert api.try_create() == (400, "BALANCE_NOT_ENOUGH")
    assert api.update(endpoint_id) == (400, "BALANCE_NOT_ENOUGH")
    endpoint = api.read(endpoint_id)
    assert states(endpoint) == ["removed", "removed"]
    assert endpoint["state"]["state"] == "stopped"
    assert endpoint["workerConfig"]["minNum"] == 2
    assert api.delete(id=other) == (200, "")
    api.world.switch(overdue=False)
    assert states(api.read(endpoint_id)) == ["removed", "removed", "running", "running"]


def test_a_drained_worker_is_replaced_and_goes() -> None:
    """A drained worker stays some seconds while its replacement starts."""
    api = Api.of()
    endpoint_id = api.create()
    [worker] = api.read(endpoint_id)["workers"]
    drain = {"workerID": worker["id"], "drain": True}
    assert api.post("/endpoint/worker/drain", drain) == (200, {})
    assert states(api.read(endpoint_id)) == ["running", "running"]
    api.clock.now += 10
    assert states(api.read(endpoint_id)) == ["removed", "running"]
    assert outcome(api.post("/endpoint/worker/drain", drain)) == (400, "SERVERLESS_WORKER_NOT_FOUND")


def test_a_drain_can_be_undone() -> None:
    """Undone in time, the worker stays."""
    api = Api.of()
    endpoint_id = api.create()
    [worker] = api.read(endpoint_id)["workers"]
    for drain in (True, False):
        api.post("/endpoint/worker/drain", {"workerID": worker["id"], "drain": drain})
    api.clock.now += 10
    assert states(api.read(endpoint_id)) == ["running"]


def test_draining_may_not_be_offered() -> None:
    """No document mentions it, so a switch makes it an unknown page."""
    api = Api.of(drain_offered=False)
    assert outcome(api.post("/endpoint/worker/drain", {"workerID": "w"})) == (404, "NOT_FOUND")
