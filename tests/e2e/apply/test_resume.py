"""An approved apply that was cut off: `--resume` does what is left of exactly that, or says what moved."""

import json
from collections.abc import Callable

import pytest

from reconciler.simulator import Fault
from tests.e2e.desk import KEY, Sandbox, item

APPROVED = "state/novita.json.approved.json"


def approved(desk: Sandbox) -> bool:
    """Whether there is word of something approved and not done."""
    return (desk.root / APPROVED).exists()


def resumed(desk: Sandbox, *args: str) -> str:
    """A resumption that must finish, unasked; what it says."""
    ran = desk.run("apply", "--resume", *args)
    assert ran.code == 0, ran.err + ran.out
    assert "Enter a value" not in ran.err
    assert not approved(desk)
    return ran.out


def test_nothing_to_resume(desk: Sandbox) -> None:
    """Before any apply and after a whole one there is nothing left, and the message says what to do."""
    desk.declare(item("chat"))
    for _ in range(2):
        ran = desk.run("apply", "--resume")
        assert ran.code == 1
        assert "nothing was left unfinished" in ran.err
        assert "reconciler plan" in ran.err
        desk.apply()
        assert not approved(desk)


@pytest.mark.parametrize("nth", [1, 2, 3])
def test_the_remainder_is_finished(desk: Sandbox, nth: int) -> None:
    """Killed at any create: each endpoint is there once in the end, and nothing else is touched."""
    desk.declare(item("a"), item("b"), item("c"))
    desk.killed("create", "--parallelism", "1", nth=nth)
    assert approved(desk)
    desk.declare(item("a"), item("b"), item("c"), item("new"))
    resumed(desk)
    assert set(desk.live()) == set(desk.inventory) == {"a", "b", "c"}
    assert len(desk.sent("create")) == 3
    assert desk.plan().actions == {"new": "create"}


def test_every_action_is_finished(desk: Sandbox) -> None:
    """Updates, scales, deletes and replacements alike, with the options that they were approved with."""
    names = [f"e{number}" for number in range(10)]
    desk.declare(*(item(name) for name in names))
    desk.apply()
    desk.sim.world.console_create(name="theirs", appName="theirs")
    desk.declare(
        item("e0", replicas=2),
        item("e1", image="ubuntu:24.04"),
        item("e2", specName="large"),
        *(item(name) for name in names[3:7]),
        item("theirs", replicas=2),
        item("out"),
    )
    desk.killed("update", "--adopt", "--allow-delete", "4", "--exclude", "out", "--parallelism", "1")
    assert "Apply complete!" in resumed(desk)
    assert set(desk.live()) == {*names[:7], "theirs"}
    assert desk.plan().actions == {"out": "create"}


def test_it_is_not_asked_again(desk: Sandbox) -> None:
    """A `yes` at the prompt was enough; --json shows what was done of the remainder."""
    desk.declare(item("a"), item("b"))
    desk.sim.faults.add(Fault(operation="create", status=400, reason="IMAGE_NOT_FOUND"))
    assert desk.run("apply", "--parallelism", "1", typed="yes\n").code == 4
    assert approved(desk)
    ran = desk.run("apply", "--resume", "--json")
    assert ran.code == 0
    assert [(one["address"], one["outcome"]) for one in ran.document["results"]] == [
        ("novita_endpoint.a", "done")
    ]
    assert not approved(desk)


def test_what_fails_again_stays_approved(desk: Sandbox) -> None:
    """A resumption may be resumed."""
    desk.declare(item("a"), item("b"))
    desk.killed("create", "--parallelism", "1")
    desk.sim.faults.add(Fault(operation="create", status=400, reason="IMAGE_NOT_FOUND"))
    assert desk.run("apply", "--resume").code == 4
    assert approved(desk)
    resumed(desk)
    assert set(desk.live()) == {"a", "b"}


@pytest.mark.parametrize("when", ["before", "after"])
def test_half_a_replacement_is_completed(desk: Sandbox, when: str) -> None:
    """Killed around the delete: the old one is gone, and the new one is made as it was approved."""
    desk.declare(item("chat"), item("embed"))
    desk.apply()
    old = desk.id("chat")
    desk.declare(item("chat", specName="large"), item("embed", specName="large"))
    desk.killed("delete", "--parallelism", "1", when=when)
    resumed(desk)
    assert set(desk.live()) == {"chat", "embed"}
    assert old not in {one["id"] for one in desk.sim.world.endpoints}
    assert desk.plan().code == 0


@pytest.mark.parametrize("operation", ["create", "delete"])
def test_half_a_replacement_that_creates_first_is_completed(desk: Sandbox, operation: str) -> None:
    """Killed after the new one was made: the old one is still deleted, as was approved."""
    desk.declare(item("chat", appName="chat-1"))
    desk.apply()
    desk.declare(item("chat", appName="chat-2", specName="large"))
    when = "after" if operation == "create" else "before"
    desk.killed(operation, "--create-first", when=when)
    resumed(desk)
    assert [one["appName"] for one in desk.sim.world.endpoints] == ["chat-2"]
    assert desk.plan().code == 0


def test_a_saved_plan_is_resumed_too(desk: Sandbox) -> None:
    """Killed while a plan file was applied, --resume finishes that plan; the file itself is stale by then."""
    desk.declare(item("a"), item("b"), item("c"))
    assert desk.run("plan", "--out", "the.plan", "--exclude", "c").code == 0
    desk.killed("create", nth=2, command=("apply", "the.plan", "--parallelism", "1"))
    resumed(desk)
    assert set(desk.live()) == {"a", "b"}
    assert desk.run("apply", "the.plan").code == 6


def test_a_destroy_is_resumed_too(desk: Sandbox) -> None:
    """What was approved was that all goes, whatever the YAML declares."""
    desk.declare(item("a"), item("b"))
    desk.apply()
    desk.killed("delete", command=("destroy", "--auto-approve"))
    assert "Destroy complete!" in resumed(desk)
    assert desk.live() == desk.inventory == {}


def test_a_delete_of_what_is_called_otherwise_now(desk: Sandbox) -> None:
    """An endpoint that somebody renamed is no longer what was to be deleted."""
    desk.declare(item("a"), item("b"), item("kept"))
    desk.apply()
    desk.declare(item("kept"))
    desk.killed("delete", "--parallelism", "1")
    desk.sim.world.console_update(desk.id("b"), name="theirs")
    ran = desk.run("apply", "--resume")
    assert ran.code == 6
    assert "b: delete then, forget now" in ran.err
    assert "a:" not in ran.err
    assert set(desk.live()) == {"kept", "theirs"}


TOUCHED: dict[str, tuple[Callable[[Sandbox], object], str]] = {
    "the YAML": (
        lambda desk: desk.declare(item("a", replicas=2), item("b", replicas=3)),
        "b: scale then and now, but not the same",
    ),
    "the live object": (
        lambda desk: desk.sim.world.console_update(desk.id("b"), ports=[{"port": 9000}]),
        "b: scale then, update now",
    ),
    "the live object is gone": (
        lambda desk: desk.sim.world.console_delete(desk.id("b")),
        "b: scale then, create now",
    ),
    "the live object is another": (
        lambda desk: desk.sim.world.console_update(desk.id("b"), clusterID="elsewhere"),
        "b: scale then, replace now",
    ),
    "what is done already": (
        lambda desk: desk.sim.world.console_delete(desk.id("a")),
        "a: scale then, create now",
    ),
    "the key": (
        lambda desk: desk.monkeypatch.setenv("NOVITA_API_KEY", "sk_another"),
        "account: it was made with another API key (or RECONCILER_STATE_KEY)",
    ),
}


@pytest.mark.parametrize("touch", TOUCHED)
def test_a_touched_remainder_is_refused(desk: Sandbox, touch: str) -> None:
    """Consent was for something else: exit 6 with what moved, no write, and a new plan is asked about."""
    desk.declare(item("a"), item("b"))
    desk.apply()
    desk.declare(item("a", replicas=2), item("b", replicas=2))
    desk.killed("update", "--parallelism", "1")
    change, says = TOUCHED[touch]
    change(desk)
    before, writes = desk.files(), len(desk.sent())
    ran = desk.run("apply", "--resume")
    assert ran.code == 6
    assert "the approved plan no longer holds" in ran.err
    assert f"\n  {says}\n" in ran.err
    assert len(desk.sent()) == writes
    assert desk.files() == before
    desk.monkeypatch.setenv("NOVITA_API_KEY", KEY)
    desk.apply()
    assert desk.plan().code == 0
    assert not approved(desk)


def test_a_replacement_is_not_taken_for_half_done(desk: Sandbox) -> None:
    """A delete of what was to be replaced, or a create of something else in its place, is another plan."""
    desk.declare(item("chat"), item("embed"))
    desk.apply()
    desk.declare(item("chat", specName="large"), item("embed", specName="large"))
    desk.killed("delete", "--parallelism", "1")
    desk.declare(item("chat", specName="large", replicas=5))
    ran = desk.run("apply", "--resume")
    assert ran.code == 6
    assert "chat: replace then, create now" in ran.err
    assert "  declared workerConfig.minNum: 1 then, 5 now" in ran.err
    assert "embed: replace then, delete now" in ran.err


def test_what_others_finished_counts_as_done(desk: Sandbox) -> None:
    """When nothing is left, it says so, and the approval is over."""
    desk.declare(item("a"), item("b"))
    desk.apply()
    desk.declare(item("a", replicas=2), item("b", replicas=2))
    desk.killed("update", "--parallelism", "1")
    scaled = {"minNum": 2, "maxNum": 2}
    desk.sim.world.console_update(desk.id("b"), workerConfig=scaled)
    assert "\nNo changes." in resumed(desk)


def test_an_apply_without_work_ends_an_old_approval(desk: Sandbox) -> None:
    """What was approved is not performed months later, after the YAML gave it up and took it up again."""
    desk.declare(item("a"))
    desk.apply()
    desk.declare(item("a"), item("bad"))
    desk.sim.faults.add(Fault(operation="create", status=400, reason="IMAGE_NOT_FOUND"))
    assert desk.run("apply", "--auto-approve").code == 4
    desk.declare(item("a"))
    assert "No changes." in desk.apply("--target", "a").out
    assert approved(desk), "a part says nothing of the rest"
    assert "No changes." in desk.apply().out
    assert not approved(desk)


def test_what_is_approved_holds_no_secret(desk: Sandbox) -> None:
    """Neither the key nor a value of a reference, ours or theirs."""
    desk.monkeypatch.setenv("TOKEN", "a-secret-value")
    desk.declare(item("a"), item("b"), item("old"))
    desk.apply()
    theirs = [{"key": "K", "value": "their-secret-value"}]
    for name in ("b", "old"):
        desk.sim.world.edit(desk.id(name), lambda one: one.update(envs=theirs))
    env = {"T": "${env:TOKEN}", "M": "Bearer ${env:TOKEN}"}
    desk.declare(item("a", env=env), item("b", env=env), item("new", env=env, command="run ${env:TOKEN}"))
    desk.killed("create", "--parallelism", "1")
    text = (desk.root / APPROVED).read_text()
    assert json.loads(text)["saved_plan"]["changes"].keys() == {"a", "b", "new", "old"}
    assert not [secret for secret in (KEY, "secret-value") if secret in text]
    desk.monkeypatch.setenv("TOKEN", "another-secret-value")
    ran = desk.run("apply", "--resume")
    assert ran.code == 6
    assert "another secret" in ran.err
    assert "secret-value" not in ran.err
    desk.monkeypatch.setenv("TOKEN", "a-secret-value")
    resumed(desk)


def test_what_is_approved_cannot_be_changed_by_options(desk: Sandbox) -> None:
    """--resume takes no plan file and none of the options that were approved."""
    desk.declare(item("a"))
    desk.killed("create", "--parallelism", "1")
    for args in (("the.plan",), ("--adopt",), ("--target", "a"), ("--no-delete",), ("--allow-delete", "1")):
        assert desk.run("apply", "--resume", *args).code == 64
    desk.write(APPROVED, "garbage")
    ran = desk.run("apply", "--resume")
    assert ran.code == 1
    assert "novita.json.approved.json is not a plan file" in ran.err
    assert "reconciler apply" in ran.err


def test_an_approval_that_cannot_be_kept(desk: Sandbox) -> None:
    """Where word of it cannot be left nothing is done."""
    (desk.root / f"{APPROVED}.tmp").mkdir(parents=True)
    desk.declare(item("a"))
    ran = desk.run("apply", "--auto-approve")
    assert ran.code == 1
    assert f"cannot write {APPROVED}" in ran.err
    assert desk.sent() == []


def test_nothing_is_deleted_with_no_delete(desk: Sandbox) -> None:
    """Deletes and replaces are left out of plan and apply, each is told, and the rest is done."""
    desk.declare(item("a"), item("b"), item("old"))
    desk.apply()
    desk.declare(item("a", replicas=2), item("b", specName="large"), item("new"))
    planned = desk.plan("--no-delete")
    assert planned.actions == {"a": "scale", "new": "create"}
    assert planned.codes == ["not-deleted", "not-deleted"]
    ran = desk.run("apply", "--no-delete", "--auto-approve")
    assert ran.code == 0
    assert "`b` is not changed: --no-delete omits its replace" in ran.err
    assert "`old` is not changed: --no-delete omits its delete" in ran.err
    assert desk.sent("delete") == []
    assert desk.plan().actions == {"b": "replace", "old": "delete"}


def test_no_delete_trips_no_guard(desk: Sandbox) -> None:
    """What is not deleted needs no leave, not even where all would be; forgetting is not deleting."""
    desk.declare(item("a", lifecycle={"preventDestroy": True}), item("b"))
    desk.apply()
    desk.sim.world.console_delete(desk.id("b"))
    desk.declare()
    assert desk.plan().code == 3
    planned = desk.plan("--no-delete")
    assert (planned.code, planned.actions) == (2, {"b": "forget"})
    desk.apply("--no-delete")
    assert set(desk.live()) == set(desk.inventory) == {"a"}


def test_no_delete_is_resumed_as_such(desk: Sandbox) -> None:
    """What was left out stays left out."""
    desk.declare(item("a"), item("old"))
    desk.apply()
    desk.declare(item("a", replicas=2), item("new"))
    desk.killed("create", "--no-delete", "--parallelism", "1")
    resumed(desk)
    assert set(desk.live()) == {"a", "new", "old"}
    assert desk.plan().actions == {"old": "delete"}
