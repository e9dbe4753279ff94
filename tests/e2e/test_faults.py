"""Each fault that Novita is known for: bounded in time, told in one line, and nothing made twice."""

import pytest

from reconciler.simulator import Fault

from .desk import Desk, item


@pytest.mark.parametrize("retry_after", [None, 0, 1])
def test_too_many_calls_are_tried_again(desk: Desk, retry_after: int | None) -> None:
    """With and without Retry-After; nothing was made, so a create too may be sent again."""
    desk.declare(item("a"))
    desk.sim.faults.add(
        Fault(operation="create", status=429, reason="RATE_LIMIT_EXCEEDED", times=1, retry_after=retry_after)
    )
    desk.apply()
    assert len(desk.sim.world.endpoints) == 1


def test_a_sleeping_cluster_is_waited_for(desk: Desk) -> None:
    """`serverless cluster is not active` passes."""
    desk.sim.world.switch(cluster_inactive_tries=2)
    desk.declare(item("a"))
    desk.apply()
    assert len(desk.sim.world.endpoints) == 1


def test_an_app_name_that_we_have_just_freed_is_waited_for(desk: Desk) -> None:
    """Of our own delete in this apply, in a replacement, or in the apply before."""
    desk.sim.world.switch(terminating_seconds=0.5)
    desk.declare(item("old", appName="shared"))
    desk.apply()
    desk.declare(item("new", appName="shared"))
    desk.apply()
    desk.declare(item("new", appName="shared", specName="large"))
    desk.apply()
    desk.declare()
    desk.run("destroy", "--auto-approve")
    desk.declare(item("again", appName="shared"))
    desk.apply()
    assert [one["name"] for one in desk.sim.world.endpoints] == ["again"]


@pytest.mark.parametrize(
    ("fault", "code", "says"),
    [
        (
            Fault(operation="create", status=400, reason="INSUFFICIENT_RESOURCE", times=None),
            4,
            "INSUFFICIENT",
        ),
        (
            Fault(operation="create", status=400, reason="BALANCE_NOT_ENOUGH", times=None),
            8,
            "BALANCE_NOT_ENOUGH",
        ),
    ],
    ids=["no stock", "overdue"],
)
def test_what_asking_again_does_not_change_is_told_once(
    desk: Desk, fault: Fault, code: int, says: str
) -> None:
    """No stock fails this one change; an account that must pay stops the whole apply."""
    desk.declare(item("a"), item("b"))
    desk.sim.faults.add(fault)
    ran = desk.run("apply", "--auto-approve", "--parallelism", "1")
    assert ran.code == code
    lines = [line for line in ran.err.splitlines() if "Failed after" in line]
    assert len(lines) == (1 if code == 8 else 2)
    assert all(says in line for line in lines)
    assert sum(one.operation == "create" for one in desk.sim.requests) == len(lines)


def test_an_overdue_account_is_not_repaired(desk: Desk) -> None:
    """Workers are gone and writes are refused; the plan stays empty, for the configuration is as declared."""
    desk.declare(item("a"))
    desk.apply()
    desk.sim.world.switch(overdue=True)
    assert desk.plan().code == 0
