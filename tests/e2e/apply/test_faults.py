"""Novita on a bad day: waited out where that helps, told in a line where it does not, never without end."""

import time
from typing import Any

import pytest

from reconciler.simulator import Fault
from tests.e2e.desk import Ran, Sandbox, item


def lines(ran: Ran, name: str) -> list[str]:
    """What stderr says of an endpoint, without the time that it took."""
    start = f"novita_endpoint.{name}: "
    return [line.removeprefix(start) for line in ran.err.splitlines() if line.startswith(start)]


def failed(desk: Sandbox, *says: str, code: int = 4, within: float = 20.0, args: tuple[str, ...] = ()) -> Ran:
    """An apply whose one change of `chat` fails in time, with one line that says why."""
    started = time.monotonic()
    ran = desk.run("apply", "--auto-approve", *args)
    assert time.monotonic() - started < within
    assert ran.code == code, ran.err + ran.out
    first, *waiting, last = lines(ran, "chat")
    assert first.endswith("...")
    assert all(line.startswith("Waiting: ") for line in waiting)
    assert last.startswith("Failed after ")
    for text in says:
        assert text in last
    return ran


@pytest.mark.parametrize(
    ("operation", "retry_after"),
    [("create", None), ("create", 1), ("update", 1), ("delete", None), ("list", 0)],
)
def test_too_many_requests(desk: Sandbox, operation: str, retry_after: int | None) -> None:
    """Nothing was done, so anything is sent again, after as long as the server asks for; nobody is told."""
    desk.declare(item("chat"), item("old"))
    desk.apply()
    desk.declare(item("chat", replicas=2), item("new"))
    desk.sim.faults.add(Fault(operation=operation, status=429, retry_after=retry_after))
    calls = len(desk.sent(operation))
    started = time.monotonic()
    ran = desk.apply()
    assert time.monotonic() - started >= (retry_after or 0)
    assert len(desk.sent(operation)) > calls + 1
    assert "429" not in ran.err
    assert set(desk.live()) == {"chat", "new"}
    assert desk.plan().code == 0


@pytest.mark.slow
def test_a_quota_that_never_clears(desk: Sandbox) -> None:
    """A 429 that stays is given up after some tries, says what it may be, and holds up no other change."""
    desk.declare(item("chat"), item("embed"))
    desk.apply("--target", "embed")
    desk.declare(item("chat"), item("embed", replicas=2))
    quota = {"reason": "RATE_LIMIT_EXCEEDED", "message": "GPU quota exceeded"}
    desk.sim.faults.add(Fault(operation="create", status=429, times=None, **quota))  # type: ignore[arg-type]
    ran = failed(desk, "429", within=60)
    assert len(desk.sent("create")) == 1 + 5
    assert "1 done, 1 failed" in ran.out
    assert "ask Novita support for a higher GPU quota" in ran.out
    desk.sim.faults.clear()
    assert (desk.plan().actions, desk.plan().codes) == ({"chat": "create"}, [])


def test_a_cluster_that_wakes_up(desk: Sandbox) -> None:
    """`serverless cluster is not active` passes, and is waited for."""
    desk.sim.world.switch(cluster_inactive_tries=2)
    desk.declare(item("chat"))
    desk.apply()
    assert len(desk.sent("create")) == 3
    assert len(desk.sim.world.endpoints) == 1


@pytest.mark.parametrize("reason", ["OPERATION_LIMIT", "CLUSTER_STATUS", "DEPENDENT_RESOURCE_STATE"])
def test_an_endpoint_that_is_busy(desk: Sandbox, reason: str) -> None:
    """A conflict of states is asked again."""
    desk.declare(item("chat"))
    desk.apply()
    desk.declare(item("chat", replicas=2))
    desk.sim.faults.add(Fault(operation="update", status=400, reason=reason))
    desk.apply()
    assert len(desk.sent("update")) == 2


def test_an_app_name_that_a_replacement_frees(desk: Sandbox) -> None:
    """The old endpoint terminates for a while; its successor is made as soon as it is gone."""
    desk.sim.world.switch(terminating_seconds=1.0)
    desk.declare(item("chat"))
    desk.apply()
    old = desk.id("chat")
    desk.declare(item("chat", specName="large"))
    ran = desk.apply()
    assert "Waiting: until the old one is gone" in lines(ran, "chat")
    assert desk.id("chat") != old
    assert desk.plan().code == 0


def test_an_app_name_that_an_earlier_run_frees(desk: Sandbox) -> None:
    """Deleted by one run and declared again for the next, its name is waited for."""
    desk.sim.world.switch(terminating_seconds=1.5)
    desk.declare(item("chat"), item("embed"))
    desk.apply()
    desk.declare(item("embed"))
    desk.apply()
    desk.declare(item("chat"), item("embed"))
    ran = desk.apply()
    assert "Waiting: its app name is still taken by the one just deleted" in lines(ran, "chat")
    assert len(desk.sim.world.endpoints) == 2
    assert (desk.plan().code, desk.plan().codes) == (0, [])


def test_an_app_name_that_changes_hands(desk: Sandbox) -> None:
    """One endpoint goes and another one takes its app name, in one apply."""
    desk.sim.world.switch(terminating_seconds=0.5)
    desk.declare(item("old", appName="shared"))
    desk.apply()
    desk.declare(item("new", appName="shared"))
    desk.apply()
    assert [one["name"] for one in desk.sim.world.endpoints] == ["new"]
    assert desk.plan().code == 0


def test_half_a_replacement_whose_old_half_still_goes(desk: Sandbox) -> None:
    """Killed after the delete and resumed at once, the create waits for the name."""
    desk.sim.world.switch(terminating_seconds=1.5)
    desk.declare(item("chat"))
    desk.apply()
    desk.declare(item("chat", specName="large"))
    desk.killed("delete")
    assert desk.run("apply", "--resume").code == 0
    assert [one["name"] for one in desk.sim.world.endpoints] == ["chat"]
    assert desk.plan().code == 0


def test_an_app_name_that_is_somebody_elses(desk: Sandbox) -> None:
    """It is not waited for: the line says that the name is taken."""
    desk.sim.world.console_create(name="theirs", appName="chat")
    desk.declare(item("chat"))
    ran = failed(desk, "SERVERLESS_APP_NAME_IS_EXIST", within=5)
    assert "choose another `appName`" in ran.out
    assert len(desk.sent("create")) == 1


REFUSED: dict[str, tuple[dict[str, Any], int, str]] = {
    "no stock": ({"reason": "INSUFFICIENT_RESOURCE"}, 4, "Novita has no GPU of that kind"),
    "no such product": ({"reason": "SERVERLESS_PRODUCT_NOT_FOUND"}, 4, "Invalid product ID or region"),
    "a bad image": ({"reason": "IMAGE_NOT_FOUND"}, 4, "cannot find or use the image"),
    "a bad value": ({"reason": "VALIDATOR_PARAM"}, 4, "does not accept a value"),
    "an unknown reason": ({"reason": "SOMETHING_NEW"}, 4, "asking again would not change that"),
    "an empty account": ({"reason": "BALANCE_NOT_ENOUGH"}, 8, "out of money or blocked"),
    "a banned account": ({"reason": "BANNED_USER"}, 8, "out of money or blocked"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_refusal_is_final(desk: Sandbox, case: str) -> None:
    """Sent once, told once, with the cause and what to do; nothing is left open."""
    fault, code, cause = REFUSED[case]
    desk.declare(item("chat"))
    desk.sim.faults.add(Fault(operation="create", status=400, times=None, **fault))
    ran = failed(desk, fault["reason"], code=code, within=5)
    assert len(desk.sent("create")) == 1
    assert ran.out.count(cause) == 1
    desk.sim.faults.clear()
    assert (desk.plan().actions, desk.plan().codes) == ({"chat": "create"}, [])


def test_an_overdue_account(desk: Sandbox) -> None:
    """Changes are refused until it is settled: exit 8, one line, nothing further tried; reads go on."""
    desk.declare(item("chat"), item("embed"))
    desk.apply("--target", "embed")
    desk.sim.world.switch(overdue=True)
    desk.declare(item("chat"), item("embed", replicas=2), item("more"))
    ran = failed(desk, "BALANCE_NOT_ENOUGH", code=8, within=5, args=("--parallelism", "1"))
    assert "0 done, 1 failed, 2 not attempted" in ran.out
    assert lines(ran, "more") == []
    assert desk.plan().code == 2
    desk.sim.world.switch(overdue=False)
    desk.apply()
    assert desk.plan().code == 0


def test_what_needs_no_leave_of_the_account(desk: Sandbox) -> None:
    """Deletes work on an overdue account, and they are how one stops paying."""
    desk.declare(item("chat"))
    desk.apply()
    desk.sim.world.switch(overdue=True)
    assert desk.plan().code == 0, "the workers are gone, the configuration is as declared"
    assert desk.run("destroy", "--auto-approve").code == 0
    assert desk.live() == {}


@pytest.mark.parametrize(
    ("operation", "kind"),
    [("get", "reset"), ("get", "truncated"), ("limit", "lost_answer"), ("limit", "html_502")],
)
def test_reads_that_stumble(desk: Sandbox, operation: str, kind: str) -> None:
    """A read that fails once is read again, and the limits are done without."""
    desk.declare(item("chat"))
    desk.sim.faults.add(Fault(operation=operation, kind=kind))  # type: ignore[arg-type]
    ran = desk.apply()
    assert lines(ran, "chat")[-1].startswith("Creation complete")
    assert desk.plan().code == 0
