"""Creates whose answer was lost: any command resolves them, recover and apply write it down."""

import json

from reconciler.simulator import Fault

from .desk import Desk, item


def orphaned(desk: Desk, name: str = "chat") -> None:
    """An apply that is killed right after Novita made the endpoint and before it could say so."""
    desk.declare(item(name))
    desk.killed("create")
    assert len(desk.sim.world.endpoints) == 1
    assert name not in json.loads(desk.run("state", "list", "--json").out or "[]")


def test_nothing_open_is_nothing_to_do(desk: Desk) -> None:
    """A no-op that asks nobody and writes nothing."""
    before = desk.files()
    ran = desk.run("recover")
    assert (ran.code, ran.out) == (0, "Nothing to recover.\n")
    assert desk.files() == before
    assert desk.sim.requests == []


def test_a_plan_sees_what_was_made(desk: Desk) -> None:
    """It is told, nothing is created twice, and nothing is written by looking."""
    orphaned(desk)
    before = desk.files()
    ran = desk.plan()
    assert ran.code == 0
    assert ran.codes == ["open-create"]
    assert desk.files() == before


def test_an_apply_writes_the_outcome(desk: Desk) -> None:
    """Without sending anything, and once."""
    orphaned(desk)
    writes = len(desk.sent())
    desk.apply()
    assert len(desk.sent()) == writes
    assert desk.run("state", "list").out.split() == ["chat", desk.id("chat")]
    assert desk.plan().codes == []


def test_what_was_made_is_ours_even_when_the_files_moved_on(desk: Desk) -> None:
    """Edited, it is updated; no longer declared, it is deleted and not left to bill."""
    orphaned(desk)
    desk.declare(item("chat", port=9000))
    assert desk.plan().actions == {"chat": "update"}
    desk.declare(item("other"))
    assert desk.plan().actions == {"chat": "delete", "other": "create"}
    desk.apply()
    assert set(desk.live()) == {"other"}


def test_recover_records_what_was_made_and_sends_nothing(desk: Desk) -> None:
    """By hand, it is the same look."""
    orphaned(desk)
    writes = len(desk.sent())
    ran = desk.run("recover")
    assert ran.code == 0
    assert f"chat was made as {desk.id('chat')}" in ran.out
    assert len(desk.sent()) == writes
    assert desk.run("recover").out == "Nothing to recover.\n"


def test_recover_closes_what_was_never_made(desk: Desk) -> None:
    """After the settling time, nothing of that name means that nothing was made."""
    desk.declare(item("chat"))
    desk.sim.faults.add(Fault(operation="create", kind="lost_request", times=None))
    desk.killed("list", nth=3)
    desk.sim.faults.clear()
    ran = desk.run("recover", "--json")
    assert ran.document["nothing"] == ["chat"]
    assert desk.plan().codes == []


def doubted(desk: Desk) -> tuple[str, str]:
    """Two new endpoints of the name; returns ours and the stranger."""
    orphaned(desk)
    ours = desk.id("chat")
    return ours, desk.sim.world.console_create(name="chat", appName="chat-2")


def test_two_candidates_are_left_to_a_person(desk: Desk) -> None:
    """Exit 5 with both IDs and the command that settles it; apply does nothing."""
    ids = doubted(desk)
    writes = len(desk.sent())
    for command in (("plan",), ("apply", "--auto-approve"), ("recover",)):
        ran = desk.run(*command)
        assert ran.code == 5, command
        assert all(one in ran.err for one in ids)
        assert "reconciler recover chat --id " in ran.err
    assert len(desk.sent()) == writes


def test_a_persons_word_settles_it(desk: Desk) -> None:
    """This one is it; the other is a stranger from then on."""
    ours, _ = doubted(desk)
    assert desk.run("recover", "chat", "--id", "nonsense").code == 1
    assert desk.run("recover", "other", "--none").code == 1
    assert desk.run("recover", "chat").code == 64
    assert desk.run("recover", "chat", "--id", ours).code == 0
    assert desk.run("state", "list").out.split() == ["chat", ours]
    assert desk.plan().actions == {}


def test_none_of_them_may_be_the_word(desk: Desk) -> None:
    """Then nothing was made, and the name is ambiguous as it would have been before."""
    doubted(desk)
    assert desk.run("recover", "chat", "--none").code == 0
    assert "ambiguous-name" in desk.plan().codes


def test_an_answer_that_is_lost_is_resolved_on_the_spot(desk: Desk) -> None:
    """Whatever becomes of the answer, one endpoint is made, recorded, and told in one line."""
    for number, kind in enumerate(("lost_answer", "truncated", "status_after", "lost_request", "html_502")):
        name = f"e{number}"
        desk.declare(*(item(f"e{n}") for n in range(number + 1)))
        desk.sim.faults.add(Fault(operation="create", kind=kind))
        ran = desk.run("apply", "--auto-approve")
        assert ran.code == 0, (kind, ran.err)
        assert ran.err.count(f"{name}: Waiting: the answer was lost") == 1
    assert sorted(one["name"] for one in desk.sim.world.endpoints) == [f"e{n}" for n in range(5)]
    assert desk.plan().code == 0


def test_a_listing_that_lags_less_than_the_settling_time_is_waited_for(desk: Desk) -> None:
    """What is not listed yet is not made twice."""
    desk.sim.world.switch(list_lag_seconds=0.3)
    desk.write("config.yaml", {"novita": {"settle_seconds": 1.0}})
    desk.declare(item("chat"))
    desk.sim.faults.add(Fault(operation="create", kind="lost_answer"))
    desk.apply()
    assert len(desk.sim.world.endpoints) == 1


def test_an_account_that_cannot_be_listed_leaves_it_open(desk: Desk) -> None:
    """Exit 5, and the next command that can look resolves it."""
    desk.declare(item("chat"))
    desk.sim.faults.add(Fault(operation="create", kind="lost_answer"))
    desk.sim.faults.after(
        "create", lambda _: desk.sim.faults.add(Fault(operation="list", status=400, reason="X", times=None))
    )
    ran = desk.run("apply", "--auto-approve")
    assert ran.code == 5, ran.err
    desk.sim.faults.clear()
    assert desk.plan().code == 0
