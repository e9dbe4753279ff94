"""Creates whose answer nobody heard: found again by whatever runs next, never doubled, never guessed."""

import pytest

from reconciler.inventory.session import load
from reconciler.simulator import Fault, Request
from tests.e2e.desk import Sandbox, item


def left_open(desk: Sandbox, *, made: bool = True) -> None:
    """An apply that was killed in the middle of creating `chat`, which Novita made or did not make."""
    if made:
        desk.killed("create", "--parallelism", "1")
        return
    desk.sim.faults.add(Fault(operation="create", kind="lost_request", times=None))
    desk.killed("list", "--parallelism", "1", nth=3)  # two calls to list nothing, then the first look for it
    desk.sim.faults.clear()


def is_open(desk: Sandbox) -> bool:
    """Whether any create has no outcome on disk."""
    return bool(load(desk.root / "state/novita.json").intents)


def twin(desk: Sandbox, **fields: object) -> str:
    """Another endpoint of the name `chat` in the account; returns its ID."""
    body = desk.live()["chat"]
    return desk.sim.world.console_create(**{**body, "appName": "chat-2", **fields})


@pytest.mark.parametrize("when", ["before", "after"])
def test_the_next_plan_says_so_and_the_next_apply_records_it(desk: Sandbox, when: str) -> None:
    """Killed right before or after Novita made it: the plan is empty, and apply alone writes the outcome."""
    desk.declare(item("chat"))
    desk.killed("create", when=when)
    desk.await_live("chat")
    made = desk.id("chat")
    before = desk.files()
    planned = desk.plan()
    assert (planned.code, planned.codes) == (0, ["open-create"])
    assert (
        f"creating `chat` was sent and its answer was lost; it was created as {made}" in desk.run("plan").err
    )
    assert desk.files() == before, "a plan writes nothing"
    assert "No changes." in desk.apply().out
    assert desk.inventory["chat"]["id"] == made
    assert len(desk.sent("create")) == 1
    assert (desk.plan().code, desk.plan().codes) == (0, [])
    assert desk.run("recover").out == "Nothing to recover.\n"


def test_what_was_not_made_is_made_once(desk: Sandbox) -> None:
    """Nothing of that name is there: the plan says so and creates, and apply asks before it sends again."""
    desk.declare(item("chat"))
    left_open(desk, made=False)
    ran = desk.run("plan")
    assert "its answer was lost; no endpoint has that name" in ran.err
    assert "novita_endpoint.chat will be created" in ran.out
    assert desk.run("apply", typed="no\n").code == 1
    assert len(desk.sent("create")) == 1
    desk.apply()
    assert len(desk.sent("create")) == 2
    assert desk.inventory["chat"]["id"] == desk.id("chat")
    assert desk.plan().codes == []


def test_an_answer_that_comes_too_late(desk: Sandbox) -> None:
    """A create that is answered after its run was gone is found by the next one."""
    desk.declare(item("chat"))
    desk.sim.faults.add(Fault(operation="create", kind="late_answer", seconds=20))
    process = desk.start("apply", "--auto-approve")
    desk.await_live("chat")
    process.kill()
    process.communicate(timeout=20)
    desk.apply()
    assert len(desk.sent("create")) == 1
    assert desk.plan().codes == []


EDITS: dict[str, tuple[tuple[dict[str, object], ...], dict[str, str]]] = {
    "a field": ((item("chat", replicas=2),), {"chat": "scale"}),
    "another image": ((item("chat", image="ubuntu:24.04"),), {"chat": "update"}),
    "another spec": ((item("chat", specName="large"),), {"chat": "replace"}),
    "another name": ((item("talk", renamedFrom="chat", appName="chat"),), {"talk": "update"}),
    "removed": ((item("other"),), {"chat": "delete", "other": "create"}),
}


@pytest.mark.parametrize("edit", EDITS)
def test_the_yaml_moved_on_meanwhile(desk: Sandbox, edit: str) -> None:
    """What was made is ours all the same, so that it is changed or deleted, and not made beside."""
    desk.declare(item("chat"))
    left_open(desk)
    items, actions = EDITS[edit]
    desk.declare(*items)
    assert desk.plan().actions == actions
    desk.apply()
    assert set(desk.live()) == {str(one["endpoint"]) for one in items}
    assert len(desk.sim.world.endpoints) == 1
    assert (desk.plan().code, desk.plan().codes) == (0, [])


def test_removed_and_not_made(desk: Sandbox) -> None:
    """There is nothing left to do but to write that down."""
    desk.declare(item("chat"), item("embed"))
    left_open(desk, made=False)
    desk.declare(item("embed"))
    assert desk.plan().actions == {"embed": "create"}
    desk.apply()
    assert not is_open(desk)
    assert set(desk.live()) == {"embed"}


def test_protection_is_not_lost_with_the_answer(desk: Sandbox) -> None:
    """preventDestroy of what was made holds although its record was never written."""
    desk.declare(item("chat", lifecycle={"preventDestroy": True}), item("embed"))
    left_open(desk)
    desk.declare(item("embed"))
    planned = desk.plan()
    assert planned.code == 3
    assert "prevent-destroy" in planned.codes


def test_a_destroy_finds_it_too(desk: Sandbox) -> None:
    """What is destroyed is all that is ours, an unheard create included."""
    desk.declare(item("chat"))
    left_open(desk)
    assert desk.run("destroy", "--auto-approve").code == 0
    assert desk.live() == {}
    assert not is_open(desk)


def test_secrets_are_recognised_by_fingerprint(desk: Sandbox) -> None:
    """An endpoint with a secret is ours if the secret is the one that was sent."""
    desk.monkeypatch.setenv("TOKEN", "a-secret-value")
    desk.declare(item("chat", env={"T": "${env:TOKEN}"}))
    left_open(desk)
    assert b"a-secret-value" not in b"".join(desk.files().values())
    desk.monkeypatch.setenv("TOKEN", "another-secret-value")
    assert desk.plan().actions == {"chat": "update"}
    desk.sim.world.edit(desk.id("chat"), lambda one: one["envs"][0].update(value="theirs"))
    assert desk.plan().code == 5


def test_two_candidates_are_left_to_a_person(desk: Sandbox) -> None:
    """Exit 5 with both IDs and the command that settles it, from plan, apply and recover, and no write."""
    desk.declare(item("chat"), item("embed"))
    left_open(desk)
    ids = sorted([desk.id("chat"), twin(desk)])
    before = {name: text for name, text in desk.files().items() if not name.endswith((".lock", ".lock.json"))}
    writes = len(desk.sent())
    for command in (("plan",), ("apply", "--auto-approve"), ("recover",)):
        ran = desk.run(*command)
        assert ran.code == 5
        assert ran.err.count("Error:") == 1
        assert f"2 new endpoints have that name: {', '.join(ids)}" in ran.err
        assert f"reconciler recover chat --id {ids[0]}" in ran.err
        assert "--none" in ran.err
        document = desk.run(*command, "--json").document
        assert document["exit_code"] == 5
        assert [one["code"] for one in document["problems"]] == ["create-unresolved"]
    assert desk.plan().actions == {"embed": "create"}
    assert {name: text for name, text in desk.files().items() if not name.endswith(".lock")} == before
    assert is_open(desk)
    assert len(desk.sent()) == writes


def settle(desk: Sandbox, *args: str, made: bool = True) -> list[str]:
    """What recover sends; never a write."""
    before = len(desk.sim.requests)
    ran = desk.run("recover", *args)
    assert ran.code == 0, ran.err
    sent = [one.operation for one in desk.sim.requests[before:]]
    assert not {"create", "update", "delete"} & set(sent)
    assert not is_open(desk)
    return [ran.out, *sent]


def test_nothing_to_recover(desk: Sandbox) -> None:
    """Without an open create it asks nobody, writes nothing and needs no key."""
    desk.declare(item("chat"))
    desk.monkeypatch.delenv("NOVITA_API_KEY")
    before = desk.files()
    assert (desk.run("recover").code, desk.run("recover").out) == (0, "Nothing to recover.\n")
    assert desk.run("recover", "--json").document == {
        "made": [],
        "nothing": [],
        "problems": [],
        "exit_code": 0,
    }
    assert desk.sim.requests == []
    assert desk.files() == before


def test_recover_finds_what_was_made(desk: Sandbox) -> None:
    """It is recorded, and the plan has nothing to say any more."""
    desk.declare(item("chat"))
    left_open(desk)
    said, *_ = settle(desk)
    assert said == f"chat was created as {desk.id('chat')} and is now recorded.\n"
    assert desk.inventory["chat"]["id"] == desk.id("chat")
    assert (desk.plan().code, desk.plan().codes) == (0, [])


def test_recover_finds_nothing(desk: Sandbox) -> None:
    """After the settling time it is written down that nothing was made, and the plan is a plain create."""
    desk.declare(item("chat"))
    left_open(desk, made=False)
    said, *_ = settle(desk)
    assert said == "chat was not created. If it is still declared, the next apply creates it.\n"
    assert (desk.plan().actions, desk.plan().codes) == ({"chat": "create"}, [])


def test_recover_waits_for_a_listing_that_lags(desk: Sandbox) -> None:
    """It looks again until the settling time is over; so does apply, and neither makes a second one."""
    desk.write("config.yaml", {"novita": {"settle_seconds": 20}})
    desk.sim.world.switch(list_lag_seconds=1.0)
    desk.declare(item("chat"))
    left_open(desk)
    assert desk.plan().actions == {"chat": "create"}, "a plan does not wait"
    said, *sent = settle(desk)
    assert "chat was created as" in said
    assert sent.count("list") > 1


def test_apply_waits_for_a_listing_that_lags(desk: Sandbox) -> None:
    """The create that the plan showed is dropped once the listing shows what was made."""
    desk.write("config.yaml", {"novita": {"settle_seconds": 20}})
    desk.sim.world.switch(list_lag_seconds=1.0)
    desk.declare(item("chat"))
    left_open(desk)
    ran = desk.apply()
    assert "# novita_endpoint.chat will be created" in ran.out
    assert "The account or the inventory has changed in the meantime" in ran.err
    assert len(desk.sent("create")) == 1
    assert desk.inventory["chat"]["id"] == desk.id("chat")


@pytest.mark.parametrize("second", [False, True])
def test_a_person_names_the_one(desk: Sandbox, second: bool) -> None:
    """`recover NAME --id ID` records that one with what was sent; the other one is left alone."""
    desk.declare(item("chat"))
    left_open(desk)
    first, other = desk.id("chat"), twin(desk, image={"image": "theirs:1"})
    chosen, left = (other, first) if second else (first, other)
    said, *_ = settle(desk, "chat", "--id", chosen)
    assert said == f"chat was created as {chosen} and is now recorded.\n"
    assert desk.inventory["chat"]["id"] == chosen
    planned = desk.plan()
    assert planned.actions == ({"chat": "update"} if second else {})
    assert planned.codes == ["namesake"]
    assert [one["id"] for one in planned.document["unmanaged"]] == [left]


def test_a_person_says_that_it_is_none(desk: Sandbox) -> None:
    """`recover NAME --none` asks nobody; what is there is then a stranger, which plans adopt or refuse."""
    desk.declare(item("chat"))
    left_open(desk)
    twin(desk)
    said, *sent = settle(desk, "chat", "--none")
    assert said == "chat was not created. If it is still declared, the next apply creates it.\n"
    assert sent == []
    assert desk.plan().codes == ["ambiguous-name"]


def test_a_word_that_cannot_be_true(desk: Sandbox) -> None:
    """An ID that is gone, or is called otherwise, is refused, and so is a name that is not open."""
    desk.declare(item("chat"))
    left_open(desk)
    desk.sim.world.switch(terminating_seconds=3600.0)
    going = twin(desk)
    desk.sim.world.console_delete(going)
    theirs = twin(desk, name="theirs", appName="theirs")
    for object_id, why in (
        ("nobody", "there is no such endpoint"),
        (going, "there is no such endpoint"),
        (theirs, "it is called `theirs`"),
    ):
        ran = desk.run("recover", "chat", "--id", object_id)
        assert ran.code == 1
        assert f"{object_id} cannot be `chat`: {why}" in ran.err
        assert is_open(desk)
    for word in (("--none",), ("--id", theirs)):
        ran = desk.run("recover", "theirs", *word)
        assert ran.code == 1
        assert "no create of `theirs` is open" in ran.err
    assert is_open(desk)


def test_what_was_there_before_cannot_be_it(desk: Sandbox) -> None:
    """The endpoint that a replacement was to take the place of is not what it made."""
    desk.declare(item("chat", appName="chat-1"))
    desk.apply()
    old = desk.id("chat")
    desk.declare(item("chat", appName="chat-2", specName="large"))
    desk.killed("create", "--create-first")
    new = next(one["id"] for one in desk.sim.world.endpoints if one["id"] != old)
    ran = desk.run("recover", "chat", "--id", old)
    assert ran.code == 1
    assert f"{old} cannot be `chat`: it existed before the create" in ran.err
    settle(desk, "chat", "--id", new)
    assert set(desk.plan().actions.values()) == {"delete"}, "the old one is still ours, and is to go"
    desk.apply()
    assert [one["id"] for one in desk.sim.world.endpoints] == [new]
    assert desk.plan().code == 0


@pytest.mark.parametrize(
    "args",
    [
        ("chat",),
        ("--id", "x"),
        ("--none",),
        ("chat", "--id", "x", "--none"),
        ("chat", "embed", "--none"),
    ],
    ids=" ".join,
)
def test_usage(desk: Sandbox, args: tuple[str, ...]) -> None:
    """A name needs exactly one word on it, and a word needs a name."""
    ran = desk.run("recover", *args)
    assert ran.code == 64
    assert desk.run("recover", *args, "--json").document["problems"][0]["code"] == "usage"


def test_in_json(desk: Sandbox) -> None:
    """One document: what was made, what was not, and what a person must settle."""
    desk.declare(item("chat"), item("embed"), item("lost"))
    desk.sim.faults.add(Fault(operation="create", kind="lost_answer", times=3))
    desk.sim.faults.before(
        "create", lambda _: desk.sim.faults.add(Fault(operation="list", kind="html", times=None))
    )
    assert desk.run("apply", "--auto-approve", "--parallelism", "1").code == 5
    desk.sim.faults.clear()
    twin(desk)
    desk.sim.world.console_delete(desk.id("lost"))
    ran = desk.run("recover", "--json")
    assert ran.code == ran.document["exit_code"] == 5
    assert ran.document["made"] == [{"name": "embed", "id": desk.id("embed")}]
    assert ran.document["nothing"] == ["lost"]
    assert [one["address"] for one in ran.document["problems"]] == ["novita_endpoint.chat"]
    again = desk.run("recover", "--json").document
    assert (again["made"], again["nothing"], again["exit_code"]) == ([], [], 5)
    assert desk.run("recover", "chat", "--none", "--json").document["nothing"] == ["chat"]


def test_it_needs_the_account_and_the_lock(desk: Sandbox) -> None:
    """What keeps it from looking is told, and the create stays open."""
    desk.declare(item("chat"))
    left_open(desk)
    desk.sim.faults.add(Fault(operation="list", status=401, times=None))
    assert desk.run("recover").code == 8
    desk.sim.faults.clear()
    desk.write("config.yaml", {"novita": {"settle_seconds": "soon"}})
    ran = desk.run("recover")
    assert ran.code == 1
    assert "settle_seconds" in ran.err
    assert is_open(desk)


def test_another_run_settles_it(desk: Sandbox) -> None:
    """While another run holds the lock, recover exits 7 and leaves it to that run."""
    desk.declare(item("chat"))
    left_open(desk, made=False)
    codes: list[int] = []

    def recover(_request: Request) -> None:
        codes.append(desk.process("recover").code)

    desk.sim.faults.before("create", recover)
    assert desk.process("apply", "--auto-approve").code == 0
    assert codes == [7]
    assert len(desk.live()) == 1
