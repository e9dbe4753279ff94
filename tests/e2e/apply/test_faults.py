"""Novita on a bad day: waited out where that helps, told in a line where it does not, never without end."""

import time
from typing import Any

import pytest

from reconciler.simulator import Fault
from tests.e2e.sandbox import CommandResult, Sandbox, item


def lines(ran: CommandResult, name: str) -> list[str]:
    """What stderr says of an endpoint, without the time that it took."""
    start = f"novita_endpoint.{name}: "
    return [line.removeprefix(start) for line in ran.err.splitlines() if line.startswith(start)]


def failed(
    sandbox: Sandbox, *says: str, code: int = 4, within: float = 60.0, args: tuple[str, ...] = ()
) -> CommandResult:
    """An apply whose one change of `chat` fails in time, with one line that says why."""
    started = time.monotonic()
    ran = sandbox.run("apply", "--auto-approve", *args)
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
def test_too_many_requests(sandbox: Sandbox, operation: str, retry_after: int | None) -> None:
    """Nothing was done, so anything is sent again, after as long as the server asks for; nobody is told."""
    sandbox.declare(item("chat"), item("old"))
    sandbox.apply()
    sandbox.declare(item("chat", replicas=2), item("new"))
    sandbox.sim.faults.add(Fault(operation=operation, status=429, retry_after=retry_after))
    calls = len(sandbox.sent(operation))
    started = time.monotonic()
    ran = sandbox.apply()
    assert time.monotonic() - started >= (retry_after or 0)
    assert len(sandbox.sent(operation)) > calls + 1
    assert "429" not in ran.err
    assert set(sandbox.live()) == {"chat", "new"}
    assert sandbox.plan().code == 0


@pytest.mark.slow
def test_a_quota_that_never_clears(sandbox: Sandbox) -> None:
    """A 429 that stays is given up after some tries, says what it may be, and holds up no other change."""
    sandbox.declare(item("chat"), item("embed"))
    sandbox.apply("--target", "embed")
    sandbox.declare(item("chat"), item("embed", replicas=2))
    quota = {"reason": "RATE_LIMIT_EXCEEDED", "message": "GPU quota exceeded"}
    sandbox.sim.faults.add(Fault(operation="create", status=429, times=None, **quota))  # type: ignore[arg-type]
    ran = failed(sandbox, "429", within=60)
    assert len(sandbox.sent("create")) == 1 + 5
    assert "1 done, 1 failed" in ran.out
    assert "ask Novita support for a higher GPU quota" in ran.out
    sandbox.sim.faults.clear()
    assert (sandbox.plan().actions, sandbox.plan().codes) == ({"chat": "create"}, [])


def test_a_cluster_that_wakes_up(sandbox: Sandbox) -> None:
    """`serverless cluster is not active` passes, and is waited for."""
    sandbox.sim.world.switch(cluster_inactive_tries=2)
    sandbox.declare(item("chat"))
    sandbox.apply()
    assert len(sandbox.sent("create")) == 3
    assert len(sandbox.sim.world.endpoints) == 1


@pytest.mark.parametrize("reason", ["OPERATION_LIMIT", "CLUSTER_STATUS", "DEPENDENT_RESOURCE_STATE"])
def test_an_endpoint_that_is_busy(sandbox: Sandbox, reason: str) -> None:
    """A conflict of states is asked again."""
    sandbox.declare(item("chat"))
    sandbox.apply()
    sandbox.declare(item("chat", replicas=2))
    sandbox.sim.faults.add(Fault(operation="update", status=400, reason=reason))
    sandbox.apply()
    assert len(sandbox.sent("update")) == 2


def test_an_app_name_that_a_replacement_frees(sandbox: Sandbox) -> None:
    """The old endpoint terminates for a while; its successor is made as soon as it is gone."""
    sandbox.sim.world.switch(terminating_seconds=1.0)
    sandbox.declare(item("chat"))
    sandbox.apply()
    old = sandbox.id("chat")
    sandbox.declare(item("chat", specName="large"))
    ran = sandbox.apply()
    assert "Waiting: until the old one is gone" in lines(ran, "chat")
    assert sandbox.id("chat") != old
    assert sandbox.plan().code == 0


def test_an_app_name_that_an_earlier_run_frees(sandbox: Sandbox) -> None:
    """Deleted by one run and declared again for the next, its name is waited for."""
    sandbox.sim.world.switch(terminating_seconds=1.5)
    sandbox.declare(item("chat"), item("embed"))
    sandbox.apply()
    sandbox.declare(item("embed"))
    sandbox.apply()
    sandbox.declare(item("chat"), item("embed"))
    ran = sandbox.apply()
    assert "Waiting: its app name is still taken by the one just deleted" in lines(ran, "chat")
    assert len(sandbox.sim.world.endpoints) == 2
    assert (sandbox.plan().code, sandbox.plan().codes) == (0, [])


def test_an_app_name_that_changes_hands(sandbox: Sandbox) -> None:
    """One endpoint goes and another one takes its app name, in one apply."""
    sandbox.sim.world.switch(terminating_seconds=0.5)
    sandbox.declare(item("old", appName="shared"))
    sandbox.apply()
    sandbox.declare(item("new", appName="shared"))
    sandbox.apply()
    assert [one["name"] for one in sandbox.sim.world.endpoints] == ["new"]
    assert sandbox.plan().code == 0


def test_half_a_replacement_whose_old_half_still_goes(sandbox: Sandbox) -> None:
    """Killed after the delete and resumed at once, the create waits for the name."""
    sandbox.sim.world.switch(terminating_seconds=1.5)
    sandbox.declare(item("chat"))
    sandbox.apply()
    sandbox.declare(item("chat", specName="large"))
    sandbox.killed("delete")
    assert sandbox.run("apply", "--resume").code == 0
    assert [one["name"] for one in sandbox.sim.world.endpoints] == ["chat"]
    assert sandbox.plan().code == 0


def test_an_app_name_that_is_somebody_elses(sandbox: Sandbox) -> None:
    """It is not waited for: the line says that the name is taken."""
    sandbox.sim.world.console_create(name="theirs", appName="chat")
    sandbox.declare(item("chat"))
    ran = failed(sandbox, "SERVERLESS_APP_NAME_IS_EXIST", within=5)
    assert "choose another `appName`" in ran.out
    assert len(sandbox.sent("create")) == 1


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
def test_a_refusal_is_final(sandbox: Sandbox, case: str) -> None:
    """Sent once, told once, with the cause and what to do; nothing is left open."""
    fault, code, cause = REFUSED[case]
    sandbox.declare(item("chat"))
    sandbox.sim.faults.add(Fault(operation="create", status=400, times=None, **fault))
    ran = failed(sandbox, fault["reason"], code=code, within=5)
    assert len(sandbox.sent("create")) == 1
    assert ran.out.count(cause) == 1
    sandbox.sim.faults.clear()
    assert (sandbox.plan().actions, sandbox.plan().codes) == ({"chat": "create"}, [])


def test_an_overdue_account(sandbox: Sandbox) -> None:
    """Changes are refused until it is settled: exit 8, one line, nothing further tried; reads go on."""
    sandbox.declare(item("chat"), item("embed"))
    sandbox.apply("--target", "embed")
    sandbox.sim.world.switch(overdue=True)
    sandbox.declare(item("chat"), item("embed", replicas=2), item("more"))
    ran = failed(sandbox, "BALANCE_NOT_ENOUGH", code=8, within=5, args=("--parallelism", "1"))
    assert "0 done, 1 failed, 2 not attempted" in ran.out
    assert lines(ran, "more") == []
    assert sandbox.plan().code == 2
    sandbox.sim.world.switch(overdue=False)
    sandbox.apply()
    assert sandbox.plan().code == 0


def test_what_needs_no_leave_of_the_account(sandbox: Sandbox) -> None:
    """Deletes work on an overdue account, and they are how one stops paying."""
    sandbox.declare(item("chat"))
    sandbox.apply()
    sandbox.sim.world.switch(overdue=True)
    assert sandbox.plan().code == 0, "the workers are gone, the configuration is as declared"
    assert sandbox.run("destroy", "--auto-approve").code == 0
    assert sandbox.live() == {}


@pytest.mark.parametrize(
    ("operation", "kind"),
    [("get", "reset"), ("get", "truncated"), ("limit", "lost_answer"), ("limit", "html_502")],
)
def test_reads_that_stumble(sandbox: Sandbox, operation: str, kind: str) -> None:
    """A read that fails once is read again, and the limits are done without."""
    sandbox.declare(item("chat"))
    sandbox.sim.faults.add(Fault(operation=operation, kind=kind))  # type: ignore[arg-type]
    ran = sandbox.apply()
    assert lines(ran, "chat")[-1].startswith("Creation complete")
    assert sandbox.plan().code == 0
