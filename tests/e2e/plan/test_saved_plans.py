"""Plans on disk: a promise without secrets, kept exactly or refused."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from reconciler.simulator import Server
from tests.e2e.desk import KEY, SPECS, Ran, Sandbox, item

SECRET = "a-secret-value"


def saved(desk: Sandbox, *args: str) -> None:
    ran = desk.run("plan", "--out", "the.plan", *args)
    assert ran.code == 0, ran.err
    assert "reconciler apply the.plan" in ran.err


def refused(desk: Sandbox, *says: str) -> Ran:
    """Applying the plan ends with 6, says these lines, and changes neither a file nor the account."""
    before, writes = desk.files(), len(desk.sent())
    ran = desk.run("apply", "the.plan")
    assert ran.code == 6, ran.err
    assert "the saved plan the.plan no longer holds" in ran.err
    for line in says:
        assert f"\n  {line}\n" in ran.err
    document = desk.run("apply", "the.plan", "--json")
    assert document.code == document.document["exit_code"] == 6
    assert "stale-plan" in document.codes
    assert desk.files() == before
    assert len(desk.sent()) == writes
    return ran


def test_a_saved_plan_is_performed_unasked(desk: Sandbox) -> None:
    """Handing it over is the approval; applied a second time it has nothing left to do and says so."""
    desk.declare(item("chat"))
    saved(desk)
    ran = desk.run("apply", "the.plan")
    assert ran.code == 0
    assert "Apply complete! Resources: 1 added" in ran.out
    refused(desk, "chat: create then, no change now")


def test_an_empty_plan_stays_good(desk: Sandbox) -> None:
    """A plan of nothing is done as often as one likes, and does nothing even when there is much to do."""
    desk.declare(item("chat"))
    desk.apply()
    saved(desk)
    writes = len(desk.sent())
    for _ in range(2):
        ran = desk.run("apply", "the.plan")
        assert ran.code == 0
        assert "No changes." in ran.out
        desk.declare(item("chat", replicas=2), item("embed"))
    assert len(desk.sent()) == writes


def test_what_is_recorded_alone_is_told_as_no_change(desk: Sandbox) -> None:
    """A record that is refreshed on the way is no change, and the command does not end without a word."""
    desk.declare(item("chat"), item("embed"))
    desk.apply()
    desk.declare(item("chat"), item("embed", replicas=2))
    saved(desk)
    desk.run("apply", "the.plan")
    desk.declare(item("chat"), item("embed", replicas=3))
    saved(desk, "--target", "chat")
    desk.killed("update")
    ran = desk.run("apply", "the.plan")
    assert ran.code == 0
    assert ran.out.startswith("No changes.")


def test_a_moved_world_is_told(desk: Sandbox) -> None:
    """Each endpoint of the plan that moved is named, and how; one that did not is not."""
    desk.declare(item("a"), item("b"), item("c"), item("d"))
    desk.apply()
    desk.declare(item("a", replicas=2), item("b", replicas=2), item("c", replicas=2), item("e"))
    saved(desk)
    desk.sim.world.console_update(desk.id("a"), ports=[{"port": 9000}])
    desk.sim.world.console_delete(desk.id("c"))
    desk.sim.world.console_delete(desk.id("d"))
    ran = refused(
        desk,
        "a: scale then, update now",
        '  live ports: [{"port": 8000}] then, [{"port": 9000}] now',
        "c: scale then, create now",
        "d: delete then, forget now",
    )
    assert "b:" not in ran.err
    assert "e:" not in ran.err
    assert "reconciler plan   shows what would happen now" in ran.err


def test_a_change_outside_the_plan_does_not_block(desk: Sandbox) -> None:
    """Neither drift of a declared endpoint, nor a new declaration, nor what others do in the account."""
    desk.declare(item("chat"), item("embed"), item("old"))
    desk.apply()
    desk.declare(item("chat", replicas=2), item("embed"), item("old"))
    saved(desk)
    desk.sim.world.console_update(desk.id("embed"), ports=[{"port": 9000}])
    desk.sim.world.console_create(name="theirs", appName="theirs")
    desk.declare(item("chat", replicas=2), item("embed", replicas=5), item("new"))
    ran = desk.run("apply", "the.plan")
    assert ran.code == 0, ran.err
    assert "0 added, 1 changed, 0 destroyed" in ran.out
    assert desk.plan().actions == {"embed": "update", "new": "create", "old": "delete"}


def declare(desk: Sandbox, **fields: Any) -> None:
    """One endpoint to update and one to delete, both alive."""
    desk.declare(item("chat", **{"env": {"A": "1", "T": "${env:TOKEN}"}, **fields}))


def specs(desk: Sandbox) -> None:
    """The spec of the endpoint is of another product now."""
    changed = json.loads(json.dumps(SPECS))
    changed["specs"][0]["platforms"]["novita"]["productId"] = "SL-serverless-7"
    desk.write("specs.yaml", changed)


MOVES: dict[str, tuple[Callable[[Sandbox], object], tuple[str, ...]]] = {
    "a field of the YAML": (
        lambda desk: declare(desk, replicas=2, env={"A": "2", "T": "${env:TOKEN}"}),
        ("chat: scale then, update now", '  declared envs.A: "1" then, "2" now'),
    ),
    "a field more in the YAML": (
        lambda desk: declare(desk, replicas=2, command="serve"),
        ("chat: scale then, update now", '  declared image.command: nothing then, "serve" now'),
    ),
    "a field less in the YAML": (
        lambda desk: declare(desk, replicas=2, env={"T": "${env:TOKEN}"}),
        ("chat: scale then, update now", '  declared envs.A: "1" then, nothing now'),
    ),
    "a secret": (
        lambda desk: desk.monkeypatch.setenv("TOKEN", "another-secret-value"),
        ("chat: scale then, update now", "  declared envs.T: another secret"),
    ),
    "a spec": (
        specs,
        (
            "chat: scale then, replace now",
            '  declared products: [{"id": "SL-serverless-3"}] then, [{"id": "SL-serverless-7"}] now',
        ),
    ),
    "a live field": (
        lambda desk: desk.sim.world.console_update(desk.id("chat"), workerConfig={"minNum": 5, "maxNum": 5}),
        (
            "chat: scale then and now, but not the same",
            "  live workerConfig.minNum: 1 then, 5 now",
            "  live workerConfig.maxNum: 1 then, 5 now",
        ),
    ),
    "a live field that is not ours": (
        lambda desk: desk.sim.world.console_update(desk.id("chat"), image={"authId": "auth-1"}),
        ("chat: scale then and now, but not the same", '  live image.authId: nothing then, "auth-1" now'),
    ),
    "a live secret": (
        lambda desk: desk.sim.world.edit(
            desk.id("chat"), lambda one: one["envs"][1].update(value="their-secret-value")
        ),
        ("chat: scale then, update now", "  live envs.T: another secret"),
    ),
    "what is to be deleted": (
        lambda desk: desk.sim.world.console_update(desk.id("old"), ports=[{"port": 9000}]),
        (
            "old: delete then and now, but not the same",
            '  live ports: [{"port": 8000}] then, [{"port": 9000}] now',
        ),
    ),
    "the record": (
        lambda desk: desk.run("state", "rm", "chat"),
        ("chat: scale then, adopt now",),
    ),
    "what the record says": (
        lambda desk: desk.write(
            "state/novita.json", (desk.root / "state/novita.json").read_text().replace('"A": "1"', '"A": "7"')
        ),
        ("chat: scale then and now, but not the same", "  the last applied configuration in the inventory"),
    ),
    "the whole inventory": (
        lambda desk: (desk.root / "state/novita.json").unlink(),
        ("chat: scale then, adopt now", "old: delete then, no change now"),
    ),
}


@pytest.mark.parametrize("move", MOVES)
def test_what_moved_is_told_field_by_field(desk: Sandbox, move: str) -> None:
    """Configuration, live object and record: each that moved is refused with both values, secrets unseen."""
    desk.monkeypatch.setenv("TOKEN", SECRET)
    desk.declare(item("chat", env={"A": "1", "T": "${env:TOKEN}"}), item("old"))
    desk.apply()
    declare(desk, replicas=2)
    saved(desk)
    change, says = MOVES[move]
    change(desk)
    ran = refused(desk, *says)
    assert "secret-value" not in ran.err


def test_another_object_under_the_same_record(desk: Sandbox) -> None:
    """A record that leads to another endpoint, alike in all but its ID, is another object."""
    desk.declare(item("chat"))
    desk.apply()
    desk.declare(item("chat", replicas=2))
    saved(desk)
    old = desk.id("chat")
    body = desk.live()["chat"]
    twin = desk.sim.world.console_create(**{**body, "appName": "twin"})
    desk.sim.world.console_delete(old)
    desk.sim.world.console_update(twin, appName="chat")
    path = desk.root / "state/novita.json"
    path.write_text(path.read_text().replace(old, twin))
    refused(desk, "chat: scale then and now, but not the same", f"  id: {old} then, {twin} now")


def test_the_account_is_part_of_the_promise(desk: Sandbox) -> None:
    """Another base URL and another key are told as such, instead of naming everything."""
    desk.declare(item("chat"))
    saved(desk)
    here = desk.sim.url
    with Server(seed=2) as other:
        desk.monkeypatch.setenv("NOVITA_BASE_URL", other.url)
        refused(desk, f"account: it was made for {here}, this run talks to {other.url}")
        assert [one.operation for one in other.requests if one.operation == "create"] == []
    desk.monkeypatch.setenv("NOVITA_BASE_URL", here)
    desk.monkeypatch.setenv("NOVITA_API_KEY", "sk_another")
    ran = refused(desk, "account: it was made with another API key (or RECONCILER_STATE_KEY)")
    assert "chat:" not in ran.err


def test_a_state_key_stands_for_the_account(desk: Sandbox) -> None:
    """Under one RECONCILER_STATE_KEY the API key may change between plan and apply; the state key may not."""
    desk.monkeypatch.setenv("TOKEN", SECRET)
    desk.monkeypatch.setenv("RECONCILER_STATE_KEY", "the-state-key")
    declare(desk)
    saved(desk)
    desk.monkeypatch.setenv("RECONCILER_STATE_KEY", "another-state-key")
    refused(desk, "account: it was made with another API key (or RECONCILER_STATE_KEY)")
    desk.monkeypatch.setenv("RECONCILER_STATE_KEY", "the-state-key")
    desk.monkeypatch.setenv("NOVITA_API_KEY", "sk_another")
    assert desk.run("apply", "the.plan").code == 0
    assert set(desk.live()) == {"chat"}


def test_options_travel_with_the_plan(desk: Sandbox) -> None:
    """--target, --exclude and --allow-delete are part of what was saved, and cannot be said again."""
    names = [f"e{number}" for number in range(10)]
    desk.declare(*(item(name) for name in names))
    desk.apply()
    desk.declare(*(item(name) for name in names[:4]), item("new"))
    saved(desk, "--exclude", "e9", "--allow-delete", "5")
    for option in (
        ("--target", "e5"),
        ("--exclude", "e5"),
        ("--allow-delete", "5"),
        ("--no-delete",),
        ("--adopt",),
    ):
        assert desk.run("apply", "the.plan", *option).code == 64
    assert desk.run("apply", "the.plan").code == 0
    assert set(desk.live()) == {*names[:4], "e9", "new"}


def test_an_adoption_travels_with_the_plan(desk: Sandbox) -> None:
    """A plan made with --adopt overwrites what it said it would."""
    desk.sim.world.console_create(name="chat", appName="chat")
    desk.declare(item("chat", replicas=3))
    saved(desk, "--adopt")
    assert desk.run("apply", "the.plan").code == 0
    assert desk.live()["chat"]["workerConfig"]["minNum"] == 3


def test_no_delete_travels_with_the_plan(desk: Sandbox) -> None:
    """What --no-delete left out of the plan is left out of its apply."""
    desk.declare(item("chat"), item("old"))
    desk.apply()
    desk.declare(item("chat", replicas=2))
    saved(desk, "--no-delete")
    assert desk.run("apply", "the.plan").code == 0
    assert set(desk.live()) == {"chat", "old"}
    assert desk.plan().actions == {"old": "delete"}


def test_a_saved_destroy(desk: Sandbox) -> None:
    """`plan --destroy --out` saves a destruction, and apply performs it."""
    desk.declare(item("chat"))
    desk.apply()
    saved(desk, "--destroy")
    ran = desk.run("apply", "the.plan")
    assert ran.code == 0
    assert "Destroy complete! Resources: 1 destroyed." in ran.out
    assert desk.live() == {}


def test_a_blocked_plan_is_saved_and_stays_blocked(desk: Sandbox) -> None:
    """A guard is not passed by way of a file."""
    desk.declare(item("chat"))
    desk.apply()
    desk.declare()
    ran = desk.run("plan", "--out", "the.plan")
    assert ran.code == 3
    assert "To perform" not in ran.err
    assert desk.run("apply", "the.plan").code == 3
    assert set(desk.live()) == {"chat"}


def test_no_plan_file(desk: Sandbox) -> None:
    """A file that is missing, or a folder, is told as what cannot be read, with how to save one."""
    desk.declare(item("chat"))
    for _ in range(2):
        ran = desk.run("apply", "the.plan")
        assert ran.code == 1
        assert "cannot read the.plan" in ran.err
        assert "reconciler plan --out the.plan" in ran.err
        (desk.root / "the.plan").mkdir(exist_ok=True)
    assert desk.sent() == []


BENT: dict[str, Callable[[dict[str, Any]], object]] = {
    "no facts": lambda plan: plan["changes"].update(chat=None),
    "a list of facts": lambda plan: plan["changes"].update(chat=[]),
    "facts without an action": lambda plan: plan["changes"]["chat"].pop("action"),
    "fields of no shape": lambda plan: plan["changes"]["chat"].update(declared=[1]),
    "a field of no shape": lambda plan: plan["changes"]["chat"]["declared"].update(ports={}),
    "changes of no shape": lambda plan: plan.update(changes=[]),
    "a word for a number": lambda plan: plan.update(allow_delete="all"),
    "a word for a flag": lambda plan: plan.update(destroy="yes"),
    "half a version": lambda plan: plan.update(back_to=["chat"]),
    "a format of no kind": lambda plan: plan.update(format="1"),
    "no key": lambda plan: plan.pop("key"),
}


def test_garbage_is_no_plan(desk: Sandbox) -> None:
    """Whatever is not what was saved is told in a sentence, and nothing is done."""
    desk.declare(item("chat"))
    saved(desk)
    document = json.loads((desk.root / "the.plan").read_text())
    texts = ["", "{}", "[]", "null", "\0", "{" * 100_000, "[" * 100_000, '{"saved_plan": 1}', "not: a plan"]
    for bend in BENT.values():
        bent = json.loads(json.dumps(document))
        bend(bent["saved_plan"])
        texts.append(json.dumps(bent))
    for text in texts:
        desk.write("the.plan", text)
        ran = desk.run("apply", "the.plan")
        assert (ran.code, ran.err.splitlines()[0]) == (1, "Error: the.plan is not a plan file"), text[:300]
    (desk.root / "the.plan").write_bytes(b"\xff\xfe\x00")
    assert "is not a plan file" in desk.run("apply", "the.plan").err
    assert desk.sent() == []


def test_a_plan_of_a_newer_version(desk: Sandbox) -> None:
    """It is not guessed at; the message says what to do."""
    desk.declare(item("chat"))
    saved(desk)
    document = json.loads((desk.root / "the.plan").read_text())
    document["saved_plan"]["format"] = 99
    desk.write("the.plan", document)
    ran = desk.run("apply", "the.plan")
    assert ran.code == 1
    assert "was made by a newer version of reconciler" in ran.err
    assert desk.sent() == []


def test_a_plan_that_nobody_can_make_now(desk: Sandbox) -> None:
    """A guard that has tripped meanwhile is told beside what moved: exit 6, and nothing done."""
    desk.declare(item("chat"))
    saved(desk)
    desk.sim.world.console_create(name="chat", appName="chat")
    ran = refused(desk, "chat: create then, adopt now")
    assert "was not created from here" in ran.err


def test_a_world_that_moves_under_the_lock(desk: Sandbox) -> None:
    """What another run records between the first look and the lock is seen as well."""
    desk.declare(item("chat"), item("embed"))
    saved(desk)

    def other_run(_request: object) -> None:
        assert desk.process("apply", "--auto-approve", "--target", "chat").code == 0

    desk.sim.faults.after("limit", other_run)
    ran = desk.run("apply", "the.plan")
    assert ran.code == 6
    assert "chat: create then, no change now" in ran.err
    assert len(desk.sent("create")) == 1


def test_a_saved_plan_is_a_plan_document(desk: Sandbox) -> None:
    """What --out writes is what --json prints, and the promise beside it; no secret is in it."""
    desk.monkeypatch.setenv("TOKEN", SECRET)
    desk.declare(item("chat", env={"T": "${env:TOKEN}"}), item("old"))
    desk.apply()
    desk.sim.world.edit(desk.id("old"), lambda one: one["envs"].append({"key": "K", "value": "their-secret"}))
    desk.declare(item("chat", env={"T": "${env:TOKEN}"}, command="serve ${env:TOKEN}"), item("new"))
    saved(desk)
    text = (desk.root / "the.plan").read_text()
    document = json.loads(text)
    printed = desk.run("plan", "--json").document
    promise = document.pop("saved_plan")
    assert promise["changes"].keys() == {"chat", "new", "old"}
    for one in (document, printed):
        del one["timestamp"]
    assert document == printed
    assert not [secret for secret in (KEY, SECRET, "their-secret") if secret in text]
