"""Many creates at once are read back by listings, and none of them less carefully."""

from reconciler.simulator import Fault
from tests.e2e.desk import Sandbox, item

NAMES = [f"e-{number:03}" for number in range(80)]


def declare(desk: Sandbox, **more: object) -> None:
    desk.declare(*(item(name) for name in NAMES[1:]), item(NAMES[0], **more))


def test_a_few_listings_read_them_all_back(desk: Sandbox) -> None:
    """One for the plan, and one for each batch of 32; no endpoint is asked for by itself."""
    declare(desk)
    desk.apply()
    assert len(desk.live()) == len(desk.inventory) == 80
    assert desk.sent("get") == []
    assert len(desk.sent("list")) <= 3 * (1 + 3)  # each asks for a page, and for its end, perhaps twice
    assert desk.plan().code == 0


def test_few_are_read_one_by_one(desk: Sandbox) -> None:
    """So that each is told of as soon as it is made."""
    desk.declare(item("a"), item("b"))
    desk.apply()
    assert len(desk.sent("get")) == 2


def test_a_value_that_was_kept_is_found_among_many(desk: Sandbox) -> None:
    """The one that differs fails, all others are done."""
    desk.monkeypatch.setattr("reconciler.apply.read_back.VISIBLE_TIMEOUT", 1.0)
    desk.sim.world.switch(clamp={"workerConfig.freeTimeout": 1000}, update_lag_seconds=0.0)
    declare(desk, freeTimeout=2000)
    ran = desk.run("apply", "--yes", "--json")
    outcomes = {one["address"].split(".")[1]: one["outcome"] for one in ran.document["results"]}
    assert (ran.code, outcomes.pop(NAMES[0]), set(outcomes.values())) == (4, "failed", {"done"})


def test_a_listing_that_lags_is_made_up_for(desk: Sandbox) -> None:
    """What it does not show yet is asked for by its ID."""
    desk.sim.world.switch(list_lag_seconds=3600.0)
    declare(desk)
    desk.apply()
    assert len(desk.sent("get")) == 80


def test_a_listing_that_fails_is_made_up_for(desk: Sandbox) -> None:
    """The plan's own listing works; those afterwards do not."""
    declare(desk)
    broken = Fault(operation="list", status=400, reason="SOMETHING_ELSE", times=None)
    desk.sim.faults.after("create", lambda _request: desk.sim.faults.add(broken))
    desk.apply()
    assert len(desk.sent("get")) == 80
