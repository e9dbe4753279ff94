"""`--create-first`: the new endpoint serves before the old one goes, and neither is ever lost."""

import pytest

from reconciler.simulator import Fault
from tests.e2e.desk import Sandbox, item


def moved(desk: Sandbox) -> str:
    """Applied, then declared on another product under another app name; returns the old ID."""
    desk.declare(item("chat", appName="chat-1"))
    desk.apply()
    desk.declare(item("chat", appName="chat-2", specName="large"))
    return desk.id("chat")


def test_the_new_one_comes_before_the_old_one_goes(desk: Sandbox) -> None:
    """Create, then delete, and one record in the end; the plan says so in Terraform's symbol."""
    old = moved(desk)
    shown = desk.run("plan", "--create-first")
    assert f"+/- chat  [id={old}]" in shown.out
    document = desk.run("plan", "--create-first", "--json").document
    assert document["resource_changes"][0]["change"]["actions"] == ["create", "delete"]
    first = len(desk.sent())
    desk.apply("--create-first")
    assert [one.operation for one in desk.sent()[first:]] == ["create", "delete"]
    assert desk.id("chat") != old
    assert desk.run("state", "list").out.split() == ["chat", desk.id("chat")]
    assert desk.plan().code == 0


def test_one_app_name_cannot_be_had_twice(desk: Sandbox) -> None:
    """Without another appName the old one goes first, and that is said."""
    desk.declare(item("chat"))
    desk.apply()
    desk.declare(item("chat", specName="large"))
    ran = desk.run("apply", "--create-first", "--auto-approve")
    assert ran.code == 0
    assert "`chat` is deleted first" in ran.err
    assert [one.operation for one in desk.sent()[-2:]] == ["delete", "create"]


def test_a_saved_plan_keeps_the_order(desk: Sandbox) -> None:
    """What was reviewed is what is done."""
    moved(desk)
    assert desk.run("plan", "--create-first", "--out", "the.plan").code == 0
    assert desk.run("apply", "the.plan").code == 0
    assert [one.operation for one in desk.sent()[-2:]] == ["create", "delete"]


def test_a_create_that_fails_leaves_the_old_one_as_it_was(desk: Sandbox) -> None:
    """Nothing is deleted, and the record stays."""
    old = moved(desk)
    desk.sim.faults.add(Fault(operation="create", status=400, reason="INSUFFICIENT_RESOURCE"))
    assert desk.run("apply", "--create-first", "--auto-approve").code == 4
    assert desk.run("state", "list").out.split() == ["chat", old]
    assert [one["id"] for one in desk.sim.world.endpoints] == [old]


@pytest.mark.parametrize(
    "fault",
    [
        Fault(operation="delete", status=400, reason="OPERATION_REFUSED"),
        Fault(operation="create", kind="lost_answer"),
    ],
    ids=["the delete fails", "the create's answer is lost"],
)
def test_whatever_fails_the_old_one_is_not_forgotten(desk: Sandbox, fault: Fault) -> None:
    """It stays recorded until it is gone, and the next apply sees to that."""
    old = moved(desk)
    desk.sim.faults.add(fault)
    desk.run("apply", "--create-first", "--auto-approve")
    desk.apply()
    assert len(desk.sim.world.endpoints) == 1
    assert desk.id("chat") != old
    assert desk.run("state", "list").out.split() == ["chat", desk.id("chat")]
    assert desk.plan().code == 0


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("operation", ["create", "delete"])
def test_a_kill_at_any_call_loses_neither(desk: Sandbox, operation: str, when: str) -> None:
    """Two further runs leave the new one alone, whatever the first was doing when it died."""
    moved(desk)
    desk.killed(operation, "--create-first", when=when)
    desk.apply("--create-first")
    desk.apply("--create-first")
    assert [one["appName"] for one in desk.sim.world.endpoints] == ["chat-2"]
    assert desk.plan().code == 0


def test_a_new_one_that_is_not_as_declared_takes_nobodys_place(desk: Sandbox) -> None:
    """The old one stays in service, and in the inventory."""
    desk.monkeypatch.setattr("reconciler.apply.read_back.VISIBLE_TIMEOUT", 1.0)
    old = moved(desk)
    desk.sim.world.switch(clamp={"workerConfig.freeTimeout": 100})
    assert desk.run("apply", "--create-first", "--auto-approve").code == 4
    assert old in {one["id"] for one in desk.sim.world.endpoints}
    assert f"chat (deposed {old})" in desk.run("state", "list").out
