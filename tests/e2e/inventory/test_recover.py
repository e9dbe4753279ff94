"""Creates whose answer nobody heard: found again by whatever runs next, never doubled, never guessed."""

import pytest

from reconciler.inventory.session import load
from reconciler.inventory.stores.file.store import FileStore
from reconciler.simulator import Fault, Request
from tests.e2e.sandbox import Sandbox, item


def left_open(sandbox: Sandbox, *, made: bool = True) -> None:
    """An apply that was killed in the middle of creating `chat`, which Novita made or did not make."""
    if made:
        sandbox.killed("create", "--parallelism", "1")
        return
    sandbox.sim.faults.add(Fault(operation="create", kind="lost_request", times=None))
    sandbox.killed(
        "list", "--parallelism", "1", nth=3
    )  # two calls to list nothing, then the first look for it
    sandbox.sim.faults.clear()


def is_open(sandbox: Sandbox) -> bool:
    """Whether any create has no outcome on disk."""
    return bool(load(FileStore(sandbox.root / "state/novita.json")).intents)


def twin(sandbox: Sandbox, **fields: object) -> str:
    """Another endpoint of the name `chat` in the account; returns its ID."""
    body = sandbox.live()["chat"]
    return sandbox.sim.world.console_create(**{**body, "appName": "chat-2", **fields})


@pytest.mark.parametrize("when", ["before", "after"])
def test_the_next_plan_says_so_and_the_next_apply_records_it(sandbox: Sandbox, when: str) -> None:
    """Killed right before or after Novita made it: the plan is empty, and apply alone writes the outcome."""
    sandbox.declare(item("chat"))
    sandbox.killed("create", when=when)
    sandbox.await_live("chat")
    made = sandbox.id("chat")
    before = sandbox.files()
    planned = sandbox.plan()
    assert (planned.code, planned.codes) == (0, ["open-create"])
    assert (
        f"creating `chat` was sent and its answer was lost; it was created as {made}"
        in sandbox.run("plan").err
    )
    assert sandbox.files() == before, "a plan writes nothing"
    assert "No changes." in sandbox.apply().out
    assert sandbox.inventory["chat"]["id"] == made
    assert len(sandbox.sent("create")) == 1
    assert (sandbox.plan().code, sandbox.plan().codes) == (0, [])
    assert sandbox.run("recover").out == "Nothing to recover.\n"


def test_what_was_not_made_is_made_once(sandbox: Sandbox) -> None:
    """Nothing of that name is there: the plan says so and creates, and apply asks before it sends again."""
    sandbox.declare(item("chat"))
    left_open(sandbox, made=False)
    ran = sandbox.run("plan")
    assert "its answer was lost; no endpoint has that name" in ran.err
    assert "novita_endpoint.chat will be created" in ran.out
    assert sandbox.run("apply", typed="no\n").code == 1
    assert len(sandbox.sent("create")) == 1
    sandbox.apply()
    assert len(sandbox.sent("create")) == 2
    assert sandbox.inventory["chat"]["id"] == sandbox.id("chat")
    assert sandbox.plan().codes == []


def test_an_answer_that_comes_too_late(sandbox: Sandbox) -> None:
    """A create that is answered after its run was gone is found by the next one."""
    sandbox.declare(item("chat"))
    sandbox.sim.faults.add(Fault(operation="create", kind="late_answer", seconds=20))
    process = sandbox.start("apply", "--auto-approve")
    sandbox.await_live("chat")
    process.kill()
    process.communicate(timeout=60)
    sandbox.apply()
    assert len(sandbox.sent("create")) == 1
    assert sandbox.plan().codes == []


EDITS: dict[str, tuple[tuple[dict[str, object], ...], dict[str, str]]] = {
    "a field": ((item("chat", replicas=2),), {"chat": "scale"}),
    "another image": ((item("chat", image="ubuntu:24.04"),), {"chat": "update"}),
    "another spec": ((item("chat", specName="large"),), {"chat": "replace"}),
    "another name": ((item("talk", renamedFrom="chat", appName="chat"),), {"talk": "update"}),
    "removed": ((item("other"),), {"chat": "delete", "other": "create"}),
}


@pytest.mark.parametrize("edit", EDITS)
def test_the_yaml_moved_on_meanwhile(sandbox: Sandbox, edit: str) -> None:
    """What was made is ours all the same, so that it is changed or deleted, and not made beside."""
    sandbox.declare(item("chat"))
    left_open(sandbox)
    items, actions = EDITS[edit]
    sandbox.declare(*items)
    assert sandbox.plan().actions == actions
    sandbox.apply()
    assert set(sandbox.live()) == {str(one["endpoint"]) for one in items}
    assert len(sandbox.sim.world.endpoints) == 1
    assert (sandbox.plan().code, sandbox.plan().codes) == (0, [])


def test_removed_and_not_made(sandbox: Sandbox) -> None:
    """There is nothing left to do but to write that down."""
    sandbox.declare(item("chat"), item("embed"))
    left_open(sandbox, made=False)
    sandbox.declare(item("embed"))
    assert sandbox.plan().actions == {"embed": "create"}
    sandbox.apply()
    assert not is_open(sandbox)
    assert set(sandbox.live()) == {"embed"}


def test_protection_is_not_lost_with_the_answer(sandbox: Sandbox) -> None:
    """preventDestroy of what was made holds although its record was never written."""
    sandbox.declare(item("chat", lifecycle={"preventDestroy": True}), item("embed"))
    left_open(sandbox)
    sandbox.declare(item("embed"))
    planned = sandbox.plan()
    assert planned.code == 3
    assert "prevent-destroy" in planned.codes


def test_a_destroy_finds_it_too(sandbox: Sandbox) -> None:
    """What is destroyed is all that is ours, an unheard create included."""
    sandbox.declare(item("chat"))
    left_open(sandbox)
    assert sandbox.run("destroy", "--auto-approve").code == 0
    assert sandbox.live() == {}
    assert not is_open(sandbox)


def test_secrets_are_recognised_by_fingerprint(sandbox: Sandbox) -> None:
    """An endpoint with a secret is ours if the secret is the one that was sent."""
    sandbox.monkeypatch.setenv("TOKEN", "a-secret-value")
    sandbox.declare(item("chat", env={"T": "${env:TOKEN}"}))
    left_open(sandbox)
    assert b"a-secret-value" not in b"".join(sandbox.files().values())
    sandbox.monkeypatch.setenv("TOKEN", "another-secret-value")
    assert sandbox.plan().actions == {"chat": "update"}
    sandbox.sim.world.edit(sandbox.id("chat"), lambda one: one["envs"][0].update(value="theirs"))
    assert sandbox.plan().code == 5


def test_two_candidates_are_left_to_a_person(sandbox: Sandbox) -> None:
    """Exit 5 with both IDs and the command that settles it, from plan, apply and recover, and no write."""
    sandbox.declare(item("chat"), item("embed"))
    left_open(sandbox)
    ids = sorted([sandbox.id("chat"), twin(sandbox)])
    before = {
        name: text for name, text in sandbox.files().items() if not name.endswith((".lock", ".lock.json"))
    }
    writes = len(sandbox.sent())
    for command in (("plan",), ("apply", "--auto-approve"), ("recover",)):
        ran = sandbox.run(*command)
        assert ran.code == 5
        assert ran.err.count("Error:") == 1
        assert f"2 new endpoints have that name: {', '.join(ids)}" in ran.err
        assert f"reconciler recover chat --id {ids[0]}" in ran.err
        assert "--none" in ran.err
        document = sandbox.run(*command, "--json").document
        assert document["exit_code"] == 5
        assert [one["code"] for one in document["problems"]] == ["create-unresolved"]
    assert sandbox.plan().actions == {"embed": "create"}
    assert {name: text for name, text in sandbox.files().items() if not name.endswith(".lock")} == before
    assert is_open(sandbox)
    assert len(sandbox.sent()) == writes


def settle(sandbox: Sandbox, *args: str, made: bool = True) -> list[str]:
    """What recover sends; never a write."""
    before = len(sandbox.sim.requests)
    ran = sandbox.run("recover", *args)
    assert ran.code == 0, ran.err
    sent = [one.operation for one in sandbox.sim.requests[before:]]
    assert not {"create", "update", "delete"} & set(sent)
    assert not is_open(sandbox)
    return [ran.out, *sent]


def test_nothing_to_recover(sandbox: Sandbox) -> None:
    """Without an open create it asks nobody, writes nothing and needs no key."""
    sandbox.declare(item("chat"))
    sandbox.monkeypatch.delenv("NOVITA_API_KEY")
    before = sandbox.files()
    assert (sandbox.run("recover").code, sandbox.run("recover").out) == (0, "Nothing to recover.\n")
    assert sandbox.run("recover", "--json").document == {
        "made": [],
        "nothing": [],
        "problems": [],
        "exit_code": 0,
    }
    assert sandbox.sim.requests == []
    assert sandbox.files() == before


def test_recover_finds_what_was_made(sandbox: Sandbox) -> None:
    """It is recorded, and the plan has nothing to say any more."""
    sandbox.declare(item("chat"))
    left_open(sandbox)
    said, *_ = settle(sandbox)
    assert said == f"chat was created as {sandbox.id('chat')} and is now recorded.\n"
    assert sandbox.inventory["chat"]["id"] == sandbox.id("chat")
    assert (sandbox.plan().code, sandbox.plan().codes) == (0, [])


def test_recover_finds_nothing(sandbox: Sandbox) -> None:
    """After the settling time it is written down that nothing was made, and the plan is a plain create."""
    sandbox.declare(item("chat"))
    left_open(sandbox, made=False)
    said, *_ = settle(sandbox)
    assert said == "chat was not created. If it is still declared, the next apply creates it.\n"
    assert (sandbox.plan().actions, sandbox.plan().codes) == ({"chat": "create"}, [])


def test_recover_waits_for_a_listing_that_lags(sandbox: Sandbox) -> None:
    """It looks again until the settling time is over; so does apply, and neither makes a second one."""
    sandbox.write("config.yaml", {"novita": {"settle_seconds": 20}})
    sandbox.sim.world.switch(list_lag_seconds=1.0)
    sandbox.declare(item("chat"))
    left_open(sandbox)
    assert sandbox.plan().actions == {"chat": "create"}, "a plan does not wait"
    said, *sent = settle(sandbox)
    assert "chat was created as" in said
    assert sent.count("list") > 1


def test_apply_waits_for_a_listing_that_lags(sandbox: Sandbox) -> None:
    """The create that the plan showed is dropped once the listing shows what was made."""
    sandbox.write("config.yaml", {"novita": {"settle_seconds": 20}})
    sandbox.sim.world.switch(list_lag_seconds=1.0)
    sandbox.declare(item("chat"))
    left_open(sandbox)
    ran = sandbox.apply()
    assert "# novita_endpoint.chat will be created" in ran.out
    assert "The account or the inventory has changed in the meantime" in ran.err
    assert len(sandbox.sent("create")) == 1
    assert sandbox.inventory["chat"]["id"] == sandbox.id("chat")


@pytest.mark.parametrize("second", [False, True])
def test_a_person_names_the_one(sandbox: Sandbox, second: bool) -> None:
    """`recover NAME --id ID` records that one with what was sent; the other one is left alone."""
    sandbox.declare(item("chat"))
    left_open(sandbox)
    first, other = sandbox.id("chat"), twin(sandbox, image={"image": "theirs:1"})
    chosen, left = (other, first) if second else (first, other)
    said, *_ = settle(sandbox, "chat", "--id", chosen)
    assert said == f"chat was created as {chosen} and is now recorded.\n"
    assert sandbox.inventory["chat"]["id"] == chosen
    planned = sandbox.plan()
    assert planned.actions == ({"chat": "update"} if second else {})
    assert planned.codes == ["namesake"]
    assert [one["id"] for one in planned.document["unmanaged"]] == [left]


def test_a_person_says_that_it_is_none(sandbox: Sandbox) -> None:
    """`recover NAME --none` asks nobody; what is there is then a stranger, which plans adopt or refuse."""
    sandbox.declare(item("chat"))
    left_open(sandbox)
    twin(sandbox)
    said, *sent = settle(sandbox, "chat", "--none")
    assert said == "chat was not created. If it is still declared, the next apply creates it.\n"
    assert sent == []
    assert sandbox.plan().codes == ["ambiguous-name"]


def test_a_word_that_cannot_be_true(sandbox: Sandbox) -> None:
    """An ID that is gone, or is called otherwise, is refused, and so is a name that is not open."""
    sandbox.declare(item("chat"))
    left_open(sandbox)
    sandbox.sim.world.switch(terminating_seconds=3600.0)
    going = twin(sandbox)
    sandbox.sim.world.console_delete(going)
    theirs = twin(sandbox, name="theirs", appName="theirs")
    for object_id, why in (
        ("nobody", "there is no such endpoint"),
        (going, "there is no such endpoint"),
        (theirs, "it is called `theirs`"),
    ):
        ran = sandbox.run("recover", "chat", "--id", object_id)
        assert ran.code == 1
        assert f"{object_id} cannot be `chat`: {why}" in ran.err
        assert is_open(sandbox)
    for word in (("--none",), ("--id", theirs)):
        ran = sandbox.run("recover", "theirs", *word)
        assert ran.code == 1
        assert "no create of `theirs` is open" in ran.err
    assert is_open(sandbox)


def test_what_was_there_before_cannot_be_it(sandbox: Sandbox) -> None:
    """The endpoint that a replacement was to take the place of is not what it made."""
    sandbox.declare(item("chat", appName="chat-1"))
    sandbox.apply()
    old = sandbox.id("chat")
    sandbox.declare(item("chat", appName="chat-2", specName="large"))
    sandbox.killed("create", "--create-first")
    new = next(one["id"] for one in sandbox.sim.world.endpoints if one["id"] != old)
    ran = sandbox.run("recover", "chat", "--id", old)
    assert ran.code == 1
    assert f"{old} cannot be `chat`: it existed before the create" in ran.err
    settle(sandbox, "chat", "--id", new)
    assert set(sandbox.plan().actions.values()) == {"delete"}, "the old one is still ours, and is to go"
    sandbox.apply()
    assert [one["id"] for one in sandbox.sim.world.endpoints] == [new]
    assert sandbox.plan().code == 0


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
def test_usage(sandbox: Sandbox, args: tuple[str, ...]) -> None:
    """A name needs exactly one word on it, and a word needs a name."""
    ran = sandbox.run("recover", *args)
    assert ran.code == 64
    assert sandbox.run("recover", *args, "--json").document["problems"][0]["code"] == "usage"


def test_in_json(sandbox: Sandbox) -> None:
    """One document: what was made, what was not, and what a person must settle."""
    sandbox.declare(item("chat"), item("embed"), item("lost"))
    sandbox.sim.faults.add(Fault(operation="create", kind="lost_answer", times=3))
    sandbox.sim.faults.before(
        "create", lambda _: sandbox.sim.faults.add(Fault(operation="list", kind="html", times=None))
    )
    assert sandbox.run("apply", "--auto-approve", "--parallelism", "1").code == 5
    sandbox.sim.faults.clear()
    twin(sandbox)
    sandbox.sim.world.console_delete(sandbox.id("lost"))
    ran = sandbox.run("recover", "--json")
    assert ran.code == ran.document["exit_code"] == 5
    assert ran.document["made"] == [{"name": "embed", "id": sandbox.id("embed")}]
    assert ran.document["nothing"] == ["lost"]
    assert [one["address"] for one in ran.document["problems"]] == ["novita_endpoint.chat"]
    again = sandbox.run("recover", "--json").document
    assert (again["made"], again["nothing"], again["exit_code"]) == ([], [], 5)
    assert sandbox.run("recover", "chat", "--none", "--json").document["nothing"] == ["chat"]


def test_it_needs_the_account_and_the_lock(sandbox: Sandbox) -> None:
    """What keeps it from looking is told, and the create stays open."""
    sandbox.declare(item("chat"))
    left_open(sandbox)
    sandbox.sim.faults.add(Fault(operation="list", status=401, times=None))
    assert sandbox.run("recover").code == 8
    sandbox.sim.faults.clear()
    sandbox.write("config.yaml", {"novita": {"settle_seconds": "soon"}})
    ran = sandbox.run("recover")
    assert ran.code == 1
    assert "settle_seconds" in ran.err
    assert is_open(sandbox)


def test_another_run_settles_it(sandbox: Sandbox) -> None:
    """While another run holds the lock, recover exits 7 and leaves it to that run."""
    sandbox.declare(item("chat"))
    left_open(sandbox, made=False)
    codes: list[int] = []

    def recover(_request: Request) -> None:
        codes.append(sandbox.process("recover").code)

    sandbox.sim.faults.before("create", recover)
    assert sandbox.process("apply", "--auto-approve").code == 0
    assert codes == [7]
    assert len(sandbox.live()) == 1
