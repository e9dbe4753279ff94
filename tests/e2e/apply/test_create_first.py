"""`--create-first`: the new endpoint serves before the old one goes, and neither is ever lost."""

import pytest

from reconciler.simulator import Fault
from tests.e2e.sandbox import Sandbox, item


def moved(sandbox: Sandbox) -> str:
    """Applied, then declared on another product under another app name; returns the old ID."""
    sandbox.declare(item("chat", appName="chat-1"))
    sandbox.apply()
    sandbox.declare(item("chat", appName="chat-2", specName="large"))
    return sandbox.id("chat")


def test_the_new_one_comes_before_the_old_one_goes(sandbox: Sandbox) -> None:
    """Create, then delete, and one record in the end; the plan says so in Terraform's symbol."""
    old = moved(sandbox)
    shown = sandbox.run("plan", "--create-first")
    assert f"+/- chat  [id={old}]" in shown.out
    document = sandbox.run("plan", "--create-first", "--json").document
    assert document["resource_changes"][0]["change"]["actions"] == ["create", "delete"]
    first = len(sandbox.sent())
    sandbox.apply("--create-first")
    assert [one.operation for one in sandbox.sent()[first:]] == ["create", "delete"]
    assert sandbox.id("chat") != old
    assert sandbox.run("state", "list").out.split() == ["chat", sandbox.id("chat")]
    assert sandbox.plan().code == 0


def test_one_app_name_cannot_be_had_twice(sandbox: Sandbox) -> None:
    """Without another appName the old one goes first, and that is said."""
    sandbox.declare(item("chat"))
    sandbox.apply()
    sandbox.declare(item("chat", specName="large"))
    ran = sandbox.run("apply", "--create-first", "--auto-approve")
    assert ran.code == 0
    assert "`chat` is deleted first" in ran.err
    assert [one.operation for one in sandbox.sent()[-2:]] == ["delete", "create"]


def test_a_saved_plan_keeps_the_order(sandbox: Sandbox) -> None:
    """What was reviewed is what is done."""
    moved(sandbox)
    assert sandbox.run("plan", "--create-first", "--out", "the.plan").code == 0
    assert sandbox.run("apply", "the.plan").code == 0
    assert [one.operation for one in sandbox.sent()[-2:]] == ["create", "delete"]


def test_a_create_that_fails_leaves_the_old_one_as_it_was(sandbox: Sandbox) -> None:
    """Nothing is deleted, and the record stays."""
    old = moved(sandbox)
    sandbox.sim.faults.add(Fault(operation="create", status=400, reason="INSUFFICIENT_RESOURCE"))
    assert sandbox.run("apply", "--create-first", "--auto-approve").code == 4
    assert sandbox.run("state", "list").out.split() == ["chat", old]
    assert [one["id"] for one in sandbox.sim.world.endpoints] == [old]


@pytest.mark.parametrize(
    "fault",
    [
        Fault(operation="delete", status=400, reason="OPERATION_REFUSED"),
        Fault(operation="create", kind="lost_answer"),
    ],
    ids=["the delete fails", "the create's answer is lost"],
)
def test_whatever_fails_the_old_one_is_not_forgotten(sandbox: Sandbox, fault: Fault) -> None:
    """It stays recorded until it is gone, and the next apply sees to that."""
    old = moved(sandbox)
    sandbox.sim.faults.add(fault)
    sandbox.run("apply", "--create-first", "--auto-approve")
    sandbox.apply()
    assert len(sandbox.sim.world.endpoints) == 1
    assert sandbox.id("chat") != old
    assert sandbox.run("state", "list").out.split() == ["chat", sandbox.id("chat")]
    assert sandbox.plan().code == 0


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("operation", ["create", "delete"])
def test_a_kill_at_any_call_loses_neither(sandbox: Sandbox, operation: str, when: str) -> None:
    """Two further runs leave the new one alone, whatever the first was doing when it died."""
    moved(sandbox)
    sandbox.killed(operation, "--create-first", when=when)
    sandbox.apply("--create-first")
    sandbox.apply("--create-first")
    assert [one["appName"] for one in sandbox.sim.world.endpoints] == ["chat-2"]
    assert sandbox.plan().code == 0


def test_a_new_one_that_is_not_as_declared_takes_nobodys_place(sandbox: Sandbox) -> None:
    """The old one stays in service, and in the inventory."""
    sandbox.monkeypatch.setattr("reconciler.model.durations.VISIBLE_TIMEOUT", 1.0)
    old = moved(sandbox)
    sandbox.sim.world.switch(clamp={"workerConfig.freeTimeout": 100})
    assert sandbox.run("apply", "--create-first", "--auto-approve").code == 4
    assert old in {one["id"] for one in sandbox.sim.world.endpoints}
    assert f"chat (deposed {old})" in sandbox.run("state", "list").out
