"""A rename is an intent, as a create is: written before it is sent, resolved by looking."""

import json

import pytest

from reconciler.simulator import Fault
from tests.e2e.sandbox import Sandbox, item

CHAT = item("chat", appName="chat")
TALK = item("talk", appName="chat", renamedFrom="chat")


@pytest.fixture
def named(sandbox: Sandbox) -> Sandbox:
    """A sandbox whose `chat` is live and recorded."""
    sandbox.declare(CHAT, item("other"))
    sandbox.apply()
    return sandbox


def converged(sandbox: Sandbox, names: set[str], *, creates: int = 2, deletes: int = 0) -> None:
    """An apply brings the account to these names, and nothing is left to do."""
    sandbox.apply()
    assert set(sandbox.live()) == set(sandbox.inventory) == names
    assert (len(sandbox.sent("create")), len(sandbox.sent("delete"))) == (creates, deletes)
    assert (sandbox.plan().code, sandbox.plan().codes) == (0, [])
    assert {record["id"] for record in sandbox.inventory.values()} == {
        one["id"] for one in sandbox.sim.world.endpoints
    }


EDITS = {
    "none": ([TALK], {"talk"}, 0),
    "another rename": ([item("speak", appName="chat", renamedFrom="talk")], {"speak"}, 0),
    "another rename of the first name": ([item("speak", appName="chat", renamedFrom="chat")], {"speak"}, 0),
    "back": ([CHAT], {"chat"}, 0),
    "no hint": ([item("talk", appName="chat")], {"talk"}, 0),
    "removed": ([], set(), 1),
    "a field as well": ([{**TALK, "image": "ubuntu:24.04"}], {"talk"}, 0),
}


@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_run_killed_in_a_rename_loses_nothing(named: Sandbox, when: str, edit: str) -> None:
    """Right before or after Novita acts, and whatever the YAML says next, the same endpoint goes on."""
    named.declare(TALK, item("other"))
    named.killed("update", when=when)
    kept = {one["id"] for one in named.sim.world.endpoints}
    items, names, deletes = EDITS[edit]
    named.declare(*items, item("other"))
    converged(named, names | {"other"}, deletes=deletes)
    assert {one["id"] for one in named.sim.world.endpoints} <= kept


def test_the_name_is_on_disk_before_the_request(named: Sandbox) -> None:
    """In the journal, so that also a run that cannot end in any way leaves it."""
    named.declare(TALK, item("other"))
    named.killed("update", when="before")
    steps = [
        step
        for line in (named.root / "state/novita.json.journal").read_text().splitlines()
        for step in json.loads(line)["steps"]
    ]
    assert [step["record"]["renaming"] for step in steps if step.get("record", {}).get("renaming")] == [
        "talk"
    ]


@pytest.mark.parametrize("edit", ["removed", "no hint", "another rename", "back"])
def test_a_rename_whose_answers_are_lost(named: Sandbox, edit: str) -> None:
    """Carried out, never answered: the next apply knows the endpoint by either name."""
    named.declare(TALK, item("other"))
    named.sim.faults.add(Fault(operation="update", kind="status_after", status=504, times=None))
    assert named.run("apply", "--auto-approve").code == 4
    named.sim.faults.clear()
    items, names, deletes = EDITS[edit]
    named.declare(*items, item("other"))
    converged(named, names | {"other"}, deletes=deletes)


@pytest.mark.parametrize("command", [("destroy", "--auto-approve"), ("apply", "--auto-approve")])
def test_what_was_renamed_and_is_wanted_no_more_is_deleted(named: Sandbox, command: tuple[str, ...]) -> None:
    named.declare(TALK, item("other"))
    named.killed("update", when="after")
    named.declare(item("other"))
    assert named.run(*command).code == 0
    assert "talk" not in named.live()


@pytest.mark.parametrize("keeps_the_hint", [True, False])
def test_what_is_gone_is_created_under_its_new_name(named: Sandbox, keeps_the_hint: bool) -> None:
    """The old record goes with it, and no later plan finds both names."""
    named.sim.world.console_delete(named.id("chat"))
    named.declare(TALK, item("other"))
    assert named.plan().actions == {"talk": "create"}
    named.apply()
    named.declare(TALK if keeps_the_hint else item("talk", appName="chat"), item("other"))
    converged(named, {"talk", "other"}, creates=3)


@pytest.mark.parametrize("parallelism", ["1", "10"])
@pytest.mark.parametrize("gone", ["chat", "other"])
def test_a_swap_with_one_that_is_gone(named: Sandbox, gone: str, parallelism: str) -> None:
    """The one that lives gets its new name first; the one that is made keeps its record, and so does it."""
    kept = {"chat": "other", "other": "chat"}[gone]
    kept_id = named.id(kept)
    named.sim.world.console_delete(named.id(gone))
    named.declare(item(gone, appName=kept, renamedFrom=kept), item(kept, appName="new", renamedFrom=gone))
    named.apply("--parallelism", parallelism)
    assert named.id(gone) == kept_id
    converged(named, {"chat", "other"}, creates=3)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("operation", ["create", "update"])
def test_a_swap_with_one_that_is_gone_and_a_kill(named: Sandbox, operation: str, when: str) -> None:
    """No endpoint is left without a record, whichever call was the last one."""
    named.sim.world.console_delete(named.id("chat"))
    named.declare(
        item("chat", appName="other", renamedFrom="other"), item("other", appName="new", renamedFrom="chat")
    )
    named.killed(operation, when=when)
    converged(named, {"chat", "other"}, creates=3)


def test_a_swap_that_was_made_in_the_console(named: Sandbox) -> None:
    """Nothing is sent, and each record follows its endpoint."""
    ids = {name: named.id(name) for name in ("chat", "other")}
    named.sim.world.console_update(ids["chat"], name="other")
    named.sim.world.console_update(ids["other"], name="chat")
    named.declare(
        item("chat", appName="other", renamedFrom="other"), item("other", appName="chat", renamedFrom="chat")
    )
    converged(named, {"chat", "other"})
    assert {name: record["id"] for name, record in named.inventory.items()} == {
        "chat": ids["other"],
        "other": ids["chat"],
    }
    assert not any("adopted" in record for record in named.inventory.values())


@pytest.mark.parametrize("when", ["before", "after"])
def test_what_is_gone_is_created_once(named: Sandbox, when: str) -> None:
    """Also by a run that is killed in the create, and with the hint gone by the next one."""
    named.sim.world.console_delete(named.id("chat"))
    named.declare(TALK, item("other"))
    named.killed("create", when=when)
    named.declare(item("talk", appName="chat"), item("other"))
    named.apply()
    assert set(named.live()) == set(named.inventory) == {"talk", "other"}
    assert (named.plan().code, named.plan().codes) == (0, [])


def test_both_records_of_a_rename_long_done(named: Sandbox) -> None:
    """An inventory that holds both names, one of them gone, is mended by an apply."""
    path = named.root / "state/novita.json"
    found = json.loads(path.read_text())
    found["endpoints"]["talk"] = found["endpoints"].pop("chat")
    found["endpoints"]["chat"] = {**found["endpoints"]["talk"], "id": "gone-long-ago"}
    path.write_text(json.dumps(found))
    named.sim.world.console_update(found["endpoints"]["talk"]["id"], name="talk")
    named.declare(TALK, item("other"))
    assert named.plan().actions == {"chat": "forget"}
    converged(named, {"talk", "other"})


def test_the_new_name_is_recorded_and_gone(named: Sandbox) -> None:
    """Then the old one is renamed all the same."""
    named.declare(CHAT, item("talk"), item("other"))
    named.apply()
    named.sim.world.console_delete(named.id("talk"))
    named.declare(TALK, item("other"))
    assert named.plan().actions == {"talk": "update"}
    converged(named, {"talk", "other"}, creates=3)


def test_a_replacement_under_another_name(named: Sandbox) -> None:
    """With --create-first the old record gives up its name in the same step, and nothing is left of it."""
    named.declare(item("talk", appName="talk", specName="large", renamedFrom="chat"), item("other"))
    named.apply("--create-first")
    converged(named, {"talk", "other"}, creates=3, deletes=1)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("operation", ["create", "delete"])
def test_a_replacement_under_another_name_that_was_killed(named: Sandbox, operation: str, when: str) -> None:
    named.declare(item("talk", appName="talk", specName="large", renamedFrom="chat"), item("other"))
    named.killed(operation, "--create-first", when=when)
    named.apply()
    named.apply()
    assert set(named.live()) == set(named.inventory) == {"talk", "other"}
    assert (named.plan().code, named.plan().codes) == (0, [])


def test_a_hint_that_stays_means_nothing_later(named: Sandbox) -> None:
    """The old name can be declared anew."""
    named.declare(TALK, item("other"))
    named.apply()
    named.declare(TALK, item("chat", appName="chat-2"), item("other"))
    converged(named, {"talk", "chat", "other"}, creates=3)


def test_one_half_of_a_swap_does_not_take_the_record_of_the_other(named: Sandbox) -> None:
    """The one that is gone is not made under a name that a living endpoint has yet to give up."""
    kept = named.id("other")
    named.sim.world.console_delete(named.id("chat"))
    named.declare(
        item("chat", appName="other", renamedFrom="other"), item("other", appName="new", renamedFrom="chat")
    )
    ran = named.run("apply", "--yes", "--target", "other")
    assert (ran.code, "has not given up that name" in ran.err + ran.out) == (4, True)
    assert named.inventory["other"]["id"] == kept
    converged(named, {"chat", "other"}, creates=3)
    assert named.id("chat") == kept


def released(sandbox: Sandbox, *names: str) -> None:
    """The files let go of these names, and declare nothing else but `other`."""
    sandbox.declare(item("other"), removed=[{"endpoint": name, "destroy": False} for name in names])


@pytest.mark.parametrize("name", ["chat", "talk"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_what_was_being_renamed_is_let_go_of_by_either_name(named: Sandbox, when: str, name: str) -> None:
    """The YAML that lets go of it cannot know how far the rename came."""
    named.declare(TALK, item("other"))
    named.killed("update", when=when)
    kept = {one["id"] for one in named.sim.world.endpoints}
    released(named, name)
    named.apply()
    assert {one["id"] for one in named.sim.world.endpoints} == kept
    assert set(named.inventory) == {"other"}
    assert named.plan().code == 0


@pytest.mark.parametrize("nth", [1, 2, 3])
@pytest.mark.parametrize("when", ["before", "after"])
def test_what_was_being_swapped_is_let_go_of(sandbox: Sandbox, when: str, nth: int) -> None:
    """Also one that has a temporary name meanwhile."""
    sandbox.declare(item("chat"), item("talk"), item("other"))
    sandbox.apply()
    swapped = [
        item("chat", appName="talk", renamedFrom="talk"),
        item("talk", appName="chat", renamedFrom="chat"),
    ]
    sandbox.declare(*swapped, item("other"))
    sandbox.killed("update", "--parallelism", "1", when=when, nth=nth)
    kept = {one["id"] for one in sandbox.sim.world.endpoints}
    released(sandbox, "chat", "talk")
    sandbox.apply()
    assert {one["id"] for one in sandbox.sim.world.endpoints} == kept
    assert set(sandbox.inventory) == {"other"}


@pytest.mark.parametrize(("when", "nth"), [("after", 1), ("before", 2)])
def test_one_of_a_swap_is_let_go_of_by_its_former_name(sandbox: Sandbox, when: str, nth: int) -> None:
    """It is called by a temporary name at that moment; the other one keeps its own."""
    sandbox.declare(item("chat"), item("talk"), item("other"))
    sandbox.apply()
    kept = {one["id"] for one in sandbox.sim.world.endpoints}
    sandbox.declare(
        item("chat", appName="talk", renamedFrom="talk"),
        item("talk", appName="chat", renamedFrom="chat"),
        item("other"),
    )
    sandbox.killed("update", "--parallelism", "1", when=when, nth=nth)
    aside = next(name for name in sandbox.live() if "-renaming-" in name).partition("-")[0]
    stays = {"chat": "talk", "talk": "chat"}[aside]
    sandbox.declare(item(stays), item("other"), removed=[{"endpoint": aside, "destroy": False}])
    sandbox.apply()
    assert {one["id"] for one in sandbox.sim.world.endpoints} == kept
    assert set(sandbox.inventory) == {stays, "other"}


@pytest.mark.parametrize("killed", [None, "before", "after"])
def test_names_are_exchanged_right_after_a_chain(sandbox: Sandbox, killed: str | None) -> None:
    """`third` says once more what it said in the chain, and means it: `other` takes its endpoint."""
    sandbox.declare(item("chat"), item("other"))
    sandbox.apply()
    chat, other = sandbox.id("chat"), sandbox.id("other")
    third = item("third", appName="other", renamedFrom="other")
    sandbox.declare(item("other", appName="chat", renamedFrom="chat"), third)
    sandbox.apply()
    sandbox.declare(
        item("other", appName="other", renamedFrom="third"),
        item("third", appName="chat", renamedFrom="other"),
    )
    if killed:
        sandbox.killed("update", "--parallelism", "1", when=killed)
    sandbox.apply()
    assert (sandbox.id("other"), sandbox.id("third")) == (other, chat)
    assert sandbox.plan().code == 0


def test_one_of_a_swap_was_deleted(sandbox: Sandbox) -> None:
    """The other one takes its new name, and the name that it gives away is made anew."""
    sandbox.declare(item("chat"), item("other"))
    sandbox.apply()
    chat = sandbox.id("chat")
    sandbox.run("delete", "other", "--yes")
    sandbox.declare(
        item("chat", appName="other", renamedFrom="other"),
        item("other", appName="chat", renamedFrom="chat"),
    )
    assert sandbox.plan().actions == {"chat": "create", "other": "update"}
    sandbox.apply()
    assert sandbox.id("other") == chat
    assert set(sandbox.live()) == {"chat", "other"}
    assert sandbox.plan().code == 0
