"""`--wait`: applied is not serving yet."""

import pytest

from .desk import Desk, item


@pytest.fixture
def slow(desk: Desk) -> Desk:
    """Workers take a moment to boot, and are looked at often."""
    desk.write("config.yaml", {"novita": {"settle_seconds": 0.2, "poll_interval": 0.1}})
    desk.sim.world.switch(worker_boot_seconds=0.6)
    return desk


def listings(desk: Desk) -> int:
    return sum(one.operation == "list" for one in desk.sim.requests)


def test_it_waits_until_all_of_it_serves(slow: Desk) -> None:
    """One listing for all, the reason once per change, and Serving in the end."""
    slow.declare(*(item(f"e{n}") for n in range(5)))
    ran = slow.run("apply", "--auto-approve", "--wait", "30s")
    assert ran.code == 0, ran.err
    for n in range(5):
        assert f"novita_endpoint.e{n}: Serving after" in ran.err
        assert 1 <= ran.err.count(f"e{n}: Waiting:") <= 3
    assert sum(one.operation == "get" for one in slow.sim.requests) == 5, (
        "read back once, and waited for by listing"
    )


def test_without_a_duration_it_waits_for_long(slow: Desk) -> None:
    """`--wait` alone is half an hour at most."""
    slow.declare(item("a"))
    ran = slow.run("apply", "--auto-approve", "--wait")
    assert ran.code == 0
    assert "Serving after" in ran.err


def test_what_scales_to_zero_is_not_waited_for(slow: Desk) -> None:
    """No worker is due."""
    slow.declare(item("a", minReplicas=0, maxReplicas=1))
    ran = slow.run("apply", "--auto-approve", "--wait", "30s")
    assert ran.code == 0
    assert "Waiting" not in ran.err


def test_a_stuck_worker_is_told_with_its_reason(slow: Desk) -> None:
    """Time is up: exit 4, applied all the same, and what Novita says of the worker."""
    slow.sim.world.switch(no_stock=True)
    slow.declare(item("a"))
    ran = slow.run("apply", "--auto-approve", "--wait", "0.5")
    assert ran.code == 4
    assert "was applied and does not serve after" in ran.err
    assert "failed to schedule worker" in ran.err
    assert "Apply complete! Resources: 1 added" in ran.out
    document = slow.run("apply", "--auto-approve", "--json").document
    assert document["exit_code"] == 0, "nothing is left to apply"


def test_what_goes_away_meanwhile_is_told(slow: Desk) -> None:
    """Somebody deletes it in the console."""
    slow.sim.world.switch(worker_boot_seconds=60)
    slow.declare(item("a"))
    slow.sim.faults.after("list", lambda _: slow.sim.world.console_delete(slow.id("a")), nth=3)
    ran = slow.run("apply", "--auto-approve", "--wait", "20")
    assert ran.code == 4
    assert "it is gone" in ran.err
