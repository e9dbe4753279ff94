"""Plans on disk: a promise without secrets, kept exactly or refused."""

import errno
import json
from collections.abc import Callable
from typing import Any

import pytest

from reconciler.inventory.files import FileSystem
from reconciler.reports.run import json_plan
from reconciler.simulator import Server
from tests.e2e.sandbox import KEY, SPECS, CommandResult, Sandbox, item

SECRET = "a-secret-value"


def saved(sandbox: Sandbox, *args: str) -> None:
    ran = sandbox.run("plan", "--out", "the.plan", *args)
    assert ran.code == 0, ran.err
    assert "reconciler apply the.plan" in ran.err


def refused(sandbox: Sandbox, *says: str) -> CommandResult:
    """Applying the plan ends with 6, says these lines, and changes neither a file nor the account."""
    before, writes = sandbox.files(), len(sandbox.sent())
    ran = sandbox.run("apply", "the.plan")
    assert ran.code == 6, ran.err
    assert "the saved plan the.plan is stale" in ran.err
    for line in says:
        assert f"\n  {line}\n" in ran.err
    document = sandbox.run("apply", "the.plan", "--json")
    assert document.code == document.document["exit_code"] == 6
    assert "stale-plan" in document.codes
    assert sandbox.files() == before
    assert len(sandbox.sent()) == writes
    return ran


def test_a_saved_plan_is_performed_unasked(sandbox: Sandbox) -> None:
    """Handing it over is the approval; applied a second time it has nothing left to do and says so."""
    sandbox.declare(item("chat"))
    saved(sandbox)
    ran = sandbox.run("apply", "the.plan")
    assert ran.code == 0
    assert "Apply complete! Resources: 1 added" in ran.out
    refused(sandbox, "chat: create then, no change now")


def test_an_empty_plan_stays_good(sandbox: Sandbox) -> None:
    """A plan of nothing is done as often as one likes, and does nothing even when there is much to do."""
    sandbox.declare(item("chat"))
    sandbox.apply()
    saved(sandbox)
    writes = len(sandbox.sent())
    for _ in range(2):
        ran = sandbox.run("apply", "the.plan")
        assert ran.code == 0
        assert "No changes." in ran.out
        sandbox.declare(item("chat", replicas=2), item("embed"))
    assert len(sandbox.sent()) == writes


def test_what_is_recorded_alone_is_told_as_no_change(sandbox: Sandbox) -> None:
    """A record that is refreshed on the way is no change, and the command does not end without a word."""
    sandbox.declare(item("chat"), item("embed"))
    sandbox.apply()
    sandbox.declare(item("chat"), item("embed", replicas=2))
    saved(sandbox)
    sandbox.run("apply", "the.plan")
    sandbox.declare(item("chat"), item("embed", replicas=3))
    saved(sandbox, "--target", "chat")
    sandbox.killed("update")
    ran = sandbox.run("apply", "the.plan")
    assert ran.code == 0
    assert ran.out.startswith("No changes.")


def test_a_moved_world_is_told(sandbox: Sandbox) -> None:
    """Each endpoint of the plan that moved is named, and how; one that did not is not."""
    sandbox.declare(item("a"), item("b"), item("c"), item("d"))
    sandbox.apply()
    sandbox.declare(item("a", replicas=2), item("b", replicas=2), item("c", replicas=2), item("e"))
    saved(sandbox)
    sandbox.sim.world.console_update(sandbox.id("a"), ports=[{"port": 9000}])
    sandbox.sim.world.console_delete(sandbox.id("c"))
    sandbox.sim.world.console_delete(sandbox.id("d"))
    ran = refused(
        sandbox,
        "a: scale then, update now",
        "  live port: 8000 then, 9000 now",
        "c: scale then, create now",
        "d: delete then, forget now",
    )
    assert "b:" not in ran.err
    assert "e:" not in ran.err
    assert "reconciler plan   shows what would happen now" in ran.err


def test_a_change_outside_the_plan_does_not_block(sandbox: Sandbox) -> None:
    """Neither drift of a declared endpoint, nor a new declaration, nor what others do in the account."""
    sandbox.declare(item("chat"), item("embed"), item("old"))
    sandbox.apply()
    sandbox.declare(item("chat", replicas=2), item("embed"), item("old"))
    saved(sandbox)
    sandbox.sim.world.console_update(sandbox.id("embed"), ports=[{"port": 9000}])
    sandbox.sim.world.console_create(name="theirs", appName="theirs")
    sandbox.declare(item("chat", replicas=2), item("embed", replicas=5), item("new"))
    ran = sandbox.run("apply", "the.plan")
    assert ran.code == 0, ran.err
    assert "0 added, 1 changed, 0 destroyed" in ran.out
    assert sandbox.plan().actions == {"embed": "update", "new": "create", "old": "delete"}


def declare(sandbox: Sandbox, **fields: Any) -> None:
    """One endpoint to update and one to delete, both alive."""
    sandbox.declare(item("chat", **{"env": {"A": "1", "T": "${env:TOKEN}"}, **fields}))


def specs(sandbox: Sandbox) -> None:
    """The spec of the endpoint is of another product now."""
    changed = json.loads(json.dumps(SPECS))
    changed["specs"][0]["platforms"]["novita"]["productId"] = "SL-serverless-7"
    sandbox.write("specs.yaml", changed)


MOVES: dict[str, tuple[Callable[[Sandbox], object], tuple[str, ...]]] = {
    "a field of the YAML": (
        lambda sandbox: declare(sandbox, replicas=2, env={"A": "2", "T": "${env:TOKEN}"}),
        ("chat: scale then, update now", '  declared env.A: "1" then, "2" now'),
    ),
    "a field more in the YAML": (
        lambda sandbox: declare(sandbox, replicas=2, command="serve"),
        ("chat: scale then, update now", '  declared command: nothing then, "serve" now'),
    ),
    "a field less in the YAML": (
        lambda sandbox: declare(sandbox, replicas=2, env={"T": "${env:TOKEN}"}),
        ("chat: scale then, update now", '  declared env.A: "1" then, nothing now'),
    ),
    "a secret": (
        lambda sandbox: sandbox.monkeypatch.setenv("TOKEN", "another-secret-value"),
        ("chat: scale then, update now", "  declared env.T: another secret"),
    ),
    "a spec": (
        specs,
        (
            "chat: scale then, replace now",
            '  declared specName.productId: "SL-serverless-3" then, "SL-serverless-7" now',
        ),
    ),
    "a live field": (
        lambda sandbox: sandbox.sim.world.console_update(
            sandbox.id("chat"), workerConfig={"minNum": 5, "maxNum": 5}
        ),
        (
            "chat: scale then and now, but not the same",
            "  live minReplicas: 1 then, 5 now",
            "  live maxReplicas: 1 then, 5 now",
        ),
    ),
    "a live field that is not ours": (
        lambda sandbox: sandbox.sim.world.console_update(sandbox.id("chat"), image={"authId": "auth-1"}),
        ("chat: scale then and now, but not the same", '  live imageAuthId: nothing then, "auth-1" now'),
    ),
    "a live secret": (
        lambda sandbox: sandbox.sim.world.edit(
            sandbox.id("chat"), lambda one: one["envs"][1].update(value="their-secret-value")
        ),
        ("chat: scale then, update now", "  live env.T: another secret"),
    ),
    "what is to be deleted": (
        lambda sandbox: sandbox.sim.world.console_update(sandbox.id("old"), ports=[{"port": 9000}]),
        (
            "old: delete then and now, but not the same",
            "  live port: 8000 then, 9000 now",
        ),
    ),
    "the record": (
        lambda sandbox: sandbox.run("state", "rm", "chat"),
        ("chat: scale then, adopt now",),
    ),
    "what the record says": (
        lambda sandbox: sandbox.write(
            "state/novita.json",
            (sandbox.root / "state/novita.json").read_text().replace('"A": "1"', '"A": "7"'),
        ),
        ("chat: scale then and now, but not the same", "  the last applied configuration in the inventory"),
    ),
    "the whole inventory": (
        lambda sandbox: (sandbox.root / "state/novita.json").unlink(),
        ("chat: scale then, adopt now", "old: delete then, no change now"),
    ),
}


@pytest.mark.parametrize("move", MOVES)
def test_what_moved_is_told_field_by_field(sandbox: Sandbox, move: str) -> None:
    """Configuration, live object and record: each that moved is refused with both values, secrets unseen."""
    sandbox.monkeypatch.setenv("TOKEN", SECRET)
    sandbox.declare(item("chat", env={"A": "1", "T": "${env:TOKEN}"}), item("old"))
    sandbox.apply()
    declare(sandbox, replicas=2)
    saved(sandbox)
    change, says = MOVES[move]
    change(sandbox)
    ran = refused(sandbox, *says)
    assert "secret-value" not in ran.err


def test_another_object_under_the_same_record(sandbox: Sandbox) -> None:
    """A record that leads to another endpoint, alike in all but its ID, is another object."""
    sandbox.declare(item("chat"))
    sandbox.apply()
    sandbox.declare(item("chat", replicas=2))
    saved(sandbox)
    old = sandbox.id("chat")
    body = sandbox.live()["chat"]
    twin = sandbox.sim.world.console_create(**{**body, "appName": "twin"})
    sandbox.sim.world.console_delete(old)
    sandbox.sim.world.console_update(twin, appName="chat")
    path = sandbox.root / "state/novita.json"
    path.write_text(path.read_text().replace(old, twin))
    refused(sandbox, "chat: scale then and now, but not the same", f"  id: {old} then, {twin} now")


def test_the_account_is_part_of_the_promise(sandbox: Sandbox) -> None:
    """Another base URL and another key are told as such, instead of naming everything."""
    sandbox.declare(item("chat"))
    saved(sandbox)
    here = sandbox.sim.url
    with Server(seed=2) as other:
        sandbox.monkeypatch.setenv("NOVITA_BASE_URL", other.url)
        refused(sandbox, f"account: it was made for {here}, this run talks to {other.url}")
        assert [one.operation for one in other.requests if one.operation == "create"] == []
    sandbox.monkeypatch.setenv("NOVITA_BASE_URL", here)
    sandbox.monkeypatch.setenv("NOVITA_API_KEY", "sk_another")
    ran = refused(sandbox, "account: it was made with another API key (or RECONCILER_STATE_KEY)")
    assert "chat:" not in ran.err


def test_a_state_key_stands_for_the_account(sandbox: Sandbox) -> None:
    """Under one RECONCILER_STATE_KEY the API key may change between plan and apply; the state key may not."""
    sandbox.monkeypatch.setenv("TOKEN", SECRET)
    sandbox.monkeypatch.setenv("RECONCILER_STATE_KEY", "the-state-key")
    declare(sandbox)
    saved(sandbox)
    sandbox.monkeypatch.setenv("RECONCILER_STATE_KEY", "another-state-key")
    refused(sandbox, "account: it was made with another API key (or RECONCILER_STATE_KEY)")
    sandbox.monkeypatch.setenv("RECONCILER_STATE_KEY", "the-state-key")
    sandbox.monkeypatch.setenv("NOVITA_API_KEY", "sk_another")
    assert sandbox.run("apply", "the.plan").code == 0
    assert set(sandbox.live()) == {"chat"}


def test_options_travel_with_the_plan(sandbox: Sandbox) -> None:
    """--target, --exclude and --allow-delete are part of what was saved, and cannot be said again."""
    names = [f"e{number}" for number in range(10)]
    sandbox.declare(*(item(name) for name in names))
    sandbox.apply()
    sandbox.declare(*(item(name) for name in names[:4]), item("new"))
    saved(sandbox, "--exclude", "e9", "--allow-delete", "5")
    for option in (
        ("--target", "e5"),
        ("--exclude", "e5"),
        ("--allow-delete", "5"),
        ("--no-delete",),
        ("--adopt",),
    ):
        assert sandbox.run("apply", "the.plan", *option).code == 64
    assert sandbox.run("apply", "the.plan").code == 0
    assert set(sandbox.live()) == {*names[:4], "e9", "new"}


def test_an_adoption_travels_with_the_plan(sandbox: Sandbox) -> None:
    """A plan made with --adopt overwrites what it said it would."""
    sandbox.sim.world.console_create(name="chat", appName="chat")
    sandbox.declare(item("chat", replicas=3))
    saved(sandbox, "--adopt")
    assert sandbox.run("apply", "the.plan").code == 0
    assert sandbox.live()["chat"]["workerConfig"]["minNum"] == 3


def test_no_delete_travels_with_the_plan(sandbox: Sandbox) -> None:
    """What --no-delete left out of the plan is left out of its apply."""
    sandbox.declare(item("chat"), item("old"))
    sandbox.apply()
    sandbox.declare(item("chat", replicas=2))
    saved(sandbox, "--no-delete")
    assert sandbox.run("apply", "the.plan").code == 0
    assert set(sandbox.live()) == {"chat", "old"}
    assert sandbox.plan().actions == {"old": "delete"}


def test_a_saved_destroy(sandbox: Sandbox) -> None:
    """`plan --destroy --out` saves a destruction, and apply performs it."""
    sandbox.declare(item("chat"))
    sandbox.apply()
    saved(sandbox, "--destroy")
    ran = sandbox.run("apply", "the.plan")
    assert ran.code == 0
    assert "Destroy complete! Resources: 1 destroyed." in ran.out
    assert sandbox.live() == {}


def test_a_blocked_plan_is_saved_and_stays_blocked(sandbox: Sandbox) -> None:
    """A guard is not passed by way of a file."""
    sandbox.declare(item("chat"))
    sandbox.apply()
    sandbox.declare()
    ran = sandbox.run("plan", "--out", "the.plan")
    assert ran.code == 3
    assert "To perform" not in ran.err
    assert sandbox.run("apply", "the.plan").code == 3
    assert set(sandbox.live()) == {"chat"}


def test_no_plan_file(sandbox: Sandbox) -> None:
    """A file that is missing, or a folder, is told as what cannot be read, with how to save one."""
    sandbox.declare(item("chat"))
    for _ in range(2):
        ran = sandbox.run("apply", "the.plan")
        assert ran.code == 1
        assert "cannot read the.plan" in ran.err
        assert "reconciler plan --out the.plan" in ran.err
        (sandbox.root / "the.plan").mkdir(exist_ok=True)
    assert sandbox.sent() == []


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


def test_garbage_is_no_plan(sandbox: Sandbox) -> None:
    """Whatever is not what was saved is told in a sentence, and nothing is done."""
    sandbox.declare(item("chat"))
    saved(sandbox)
    document = json.loads((sandbox.root / "the.plan").read_text())
    texts = ["", "{}", "[]", "null", "\0", "{" * 100_000, "[" * 100_000, '{"saved_plan": 1}', "not: a plan"]
    for bend in BENT.values():
        bent = json.loads(json.dumps(document))
        bend(bent["saved_plan"])
        texts.append(json.dumps(bent))
    for text in texts:
        sandbox.write("the.plan", text)
        ran = sandbox.run("apply", "the.plan")
        assert (ran.code, ran.err.splitlines()[0]) == (1, "Error: the.plan is not a plan file"), text[:300]
    (sandbox.root / "the.plan").write_bytes(b"\xff\xfe\x00")
    assert "is not a plan file" in sandbox.run("apply", "the.plan").err
    assert sandbox.sent() == []


def test_a_plan_of_a_newer_version(sandbox: Sandbox) -> None:
    """It is not guessed at; the message says what to do."""
    sandbox.declare(item("chat"))
    saved(sandbox)
    document = json.loads((sandbox.root / "the.plan").read_text())
    document["saved_plan"]["format"] = 99
    sandbox.write("the.plan", document)
    ran = sandbox.run("apply", "the.plan")
    assert ran.code == 1
    assert "was made by a newer version of reconciler" in ran.err
    assert sandbox.sent() == []


def test_a_plan_of_an_older_version(sandbox: Sandbox) -> None:
    """Its facts have another form, so that it is refused and made again."""
    sandbox.declare(item("chat"))
    saved(sandbox)
    document = json.loads((sandbox.root / "the.plan").read_text())
    document["saved_plan"]["format"] = 2
    sandbox.write("the.plan", document)
    ran = sandbox.run("apply", "the.plan")
    assert ran.code == 6
    assert "was made by an older version of reconciler" in ran.err
    assert "reconciler plan --out the.plan" in ran.err
    assert sandbox.sent() == []


def test_a_plan_is_written_while_it_is_made(sandbox: Sandbox) -> None:
    """The document and the promise are never in memory as a whole, but in blocks of 64 KiB."""
    sandbox.declare(*(item(f"e{number}") for number in range(60)))
    happened = []
    change, write = json_plan._change, FileSystem.write

    def made(*given: Any) -> Any:
        happened.append("made")
        return change(*given)

    def written(disk: FileSystem, fd: int, data: bytes) -> int:
        happened.append("written")
        return write(disk, fd, data)

    sandbox.monkeypatch.setattr(json_plan, "_change", made)
    sandbox.monkeypatch.setattr(FileSystem, "write", written)
    for option in ("--out", "--json-into"):
        happened.clear()
        assert sandbox.run("plan", option, "the.json").code == 0
        (sandbox.root / "the.json").unlink()
        assert happened.count("made") == 60
        assert "made" in happened[happened.index("written") :]


@pytest.mark.parametrize("is_there", [False, True])
def test_a_disk_that_fills_up_in_the_middle(sandbox: Sandbox, is_there: bool) -> None:
    """The earlier plan stays as it was, or there is none; no half of a file is left."""
    sandbox.declare(*(item(f"e{number}") for number in range(5)))
    if is_there:
        saved(sandbox)
    before = sandbox.files()
    write = FileSystem.write
    room = [3_000]

    def full(disk: FileSystem, fd: int, data: bytes) -> int:
        taken = write(disk, fd, data[: room[0]])
        room[0] -= taken
        if not taken:
            raise OSError(errno.ENOSPC, "No space left on device")
        return taken

    sandbox.monkeypatch.setattr(FileSystem, "write", full)
    ran = sandbox.run("plan", "--out", "the.plan")
    assert ran.code == 1
    assert "the.plan: No space left on device" in ran.err
    assert sandbox.files() == before


def test_a_plan_that_nobody_can_make_now(sandbox: Sandbox) -> None:
    """A guard that has tripped meanwhile is told beside what moved: exit 6, and nothing done."""
    sandbox.declare(item("chat"))
    saved(sandbox)
    sandbox.sim.world.console_create(name="chat", appName="chat")
    ran = refused(sandbox, "chat: create then, adopt now")
    assert "was not created from here" in ran.err


def test_a_world_that_moves_under_the_lock(sandbox: Sandbox) -> None:
    """What another run records between the first look and the lock is seen as well."""
    sandbox.declare(item("chat"), item("embed"))
    saved(sandbox)

    def other_run(_request: object) -> None:
        assert sandbox.process("apply", "--auto-approve", "--target", "chat").code == 0

    sandbox.sim.faults.after("limit", other_run)
    ran = sandbox.run("apply", "the.plan")
    assert ran.code == 6
    assert "chat: create then, no change now" in ran.err
    assert len(sandbox.sent("create")) == 1


def test_a_saved_plan_is_a_plan_document(sandbox: Sandbox) -> None:
    """What --out writes is what --json prints, and the promise beside it; no secret is in it."""
    sandbox.monkeypatch.setenv("TOKEN", SECRET)
    sandbox.declare(item("chat", env={"T": "${env:TOKEN}"}), item("old"))
    sandbox.apply()
    sandbox.sim.world.edit(
        sandbox.id("old"), lambda one: one["envs"].append({"key": "K", "value": "their-secret"})
    )
    sandbox.declare(item("chat", env={"T": "${env:TOKEN}"}, command="serve ${env:TOKEN}"), item("new"))
    saved(sandbox)
    text = (sandbox.root / "the.plan").read_text()
    document = json.loads(text)
    printed = sandbox.run("plan", "--json").document
    promise = document.pop("saved_plan")
    assert promise["changes"].keys() == {"chat", "new", "old"}
    for one in (document, printed):
        del one["timestamp"]
    assert document == printed
    assert not [secret for secret in (KEY, SECRET, "their-secret") if secret in text]
