"""Many creates at once are read back by listings, and none of them less carefully."""

from reconciler.simulator import Fault
from tests.e2e.sandbox import Sandbox, item

NAMES = [f"e-{number:03}" for number in range(80)]


def declare(sandbox: Sandbox, **more: object) -> None:
    sandbox.declare(*(item(name) for name in NAMES[1:]), item(NAMES[0], **more))


def test_a_few_listings_read_them_all_back(sandbox: Sandbox) -> None:
    """One for the plan, and one for each batch of 32; no endpoint is asked for by itself."""
    declare(sandbox)
    sandbox.apply()
    assert len(sandbox.live()) == len(sandbox.inventory) == 80
    assert sandbox.sent("get") == []
    assert len(sandbox.sent("list")) <= 3 * (1 + 3)  # each asks for a page, and for its end, perhaps twice
    assert sandbox.plan().code == 0


def test_few_are_read_one_by_one(sandbox: Sandbox) -> None:
    """So that each is told of as soon as it is made."""
    sandbox.declare(item("a"), item("b"))
    sandbox.apply()
    assert len(sandbox.sent("get")) == 2


def test_a_value_that_was_kept_is_found_among_many(sandbox: Sandbox) -> None:
    """The one that differs fails, all others are done."""
    sandbox.monkeypatch.setattr("reconciler.model.durations.VISIBLE_TIMEOUT", 1.0)
    sandbox.sim.world.switch(clamp={"workerConfig.freeTimeout": 1000}, update_lag_seconds=0.0)
    declare(sandbox, freeTimeout=2000)
    ran = sandbox.run("apply", "--yes", "--json")
    outcomes = {one["address"].split(".")[1]: one["outcome"] for one in ran.document["results"]}
    assert (ran.code, outcomes.pop(NAMES[0]), set(outcomes.values())) == (4, "failed", {"done"})


def test_a_listing_that_lags_is_made_up_for(sandbox: Sandbox) -> None:
    """What it does not show yet is asked for by its ID."""
    sandbox.sim.world.switch(list_lag_seconds=3600.0)
    declare(sandbox)
    sandbox.apply()
    assert len(sandbox.sent("get")) == 80


def test_a_listing_that_fails_is_made_up_for(sandbox: Sandbox) -> None:
    """The plan's own listing works; those afterwards do not."""
    declare(sandbox)
    broken = Fault(operation="list", status=400, reason="SOMETHING_ELSE", times=None)
    sandbox.sim.faults.after("create", lambda _request: sandbox.sim.faults.add(broken))
    sandbox.apply()
    assert len(sandbox.sent("get")) == 80
