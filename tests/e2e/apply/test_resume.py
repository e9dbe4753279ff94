"""An approved apply that was cut off: `--resume` does what is left of exactly that, or says what moved."""

import json
import os
import signal
import time
from collections.abc import Callable

import pytest

from reconciler.simulator import Fault, Request
from tests.e2e.sandbox import KEY, Sandbox, item

APPROVED = "state/novita.json.approved.json"


def approved(sandbox: Sandbox) -> bool:
    """Whether there is word of something approved and not done."""
    return (sandbox.root / APPROVED).exists()


def resumed(sandbox: Sandbox, *args: str) -> str:
    """A resumption that must finish, unasked; what it says."""
    ran = sandbox.run("apply", "--resume", *args)
    assert ran.code == 0, ran.err + ran.out
    assert "Enter a value" not in ran.err
    assert not approved(sandbox)
    return ran.out


def test_nothing_to_resume(sandbox: Sandbox) -> None:
    """Before any apply and after a whole one there is nothing left, and the message says what to do."""
    sandbox.declare(item("chat"))
    for _ in range(2):
        ran = sandbox.run("apply", "--resume")
        assert ran.code == 1
        assert "nothing was left unfinished" in ran.err
        assert "reconciler plan" in ran.err
        sandbox.apply()
        assert not approved(sandbox)


@pytest.mark.parametrize("nth", [1, 2, 3])
def test_the_remainder_is_finished(sandbox: Sandbox, nth: int) -> None:
    """Killed at any create: each endpoint is there once in the end, and nothing else is touched."""
    sandbox.declare(item("a"), item("b"), item("c"))
    sandbox.killed("create", "--parallelism", "1", nth=nth)
    assert approved(sandbox)
    sandbox.declare(item("a"), item("b"), item("c"), item("new"))
    resumed(sandbox)
    assert set(sandbox.live()) == set(sandbox.inventory) == {"a", "b", "c"}
    assert len(sandbox.sent("create")) == 3
    assert sandbox.plan().actions == {"new": "create"}


def test_every_action_is_finished(sandbox: Sandbox) -> None:
    """Updates, scales, deletes and replacements alike, with the options that they were approved with."""
    names = [f"e{number}" for number in range(10)]
    sandbox.declare(*(item(name) for name in names))
    sandbox.apply()
    sandbox.sim.world.console_create(name="theirs", appName="theirs")
    sandbox.declare(
        item("e0", replicas=2),
        item("e1", image="ubuntu:24.04"),
        item("e2", specName="large"),
        *(item(name) for name in names[3:7]),
        item("theirs", replicas=2),
        item("out"),
    )
    sandbox.killed("update", "--adopt", "--allow-delete", "4", "--exclude", "out", "--parallelism", "1")
    assert "Apply complete!" in resumed(sandbox)
    assert set(sandbox.live()) == {*names[:7], "theirs"}
    assert sandbox.plan().actions == {"out": "create"}


def test_it_is_not_asked_again(sandbox: Sandbox) -> None:
    """A `yes` at the prompt was enough; --json shows what was done of the remainder."""
    sandbox.declare(item("a"), item("b"))
    sandbox.sim.faults.add(Fault(operation="create", status=400, reason="IMAGE_NOT_FOUND"))
    assert sandbox.run("apply", "--parallelism", "1", typed="yes\n").code == 4
    assert approved(sandbox)
    ran = sandbox.run("apply", "--resume", "--json")
    assert ran.code == 0
    assert [(one["address"], one["outcome"]) for one in ran.document["results"]] == [
        ("novita_endpoint.a", "done")
    ]
    assert not approved(sandbox)


def test_what_fails_again_stays_approved(sandbox: Sandbox) -> None:
    """A resumption may be resumed."""
    sandbox.declare(item("a"), item("b"))
    sandbox.killed("create", "--parallelism", "1")
    sandbox.sim.faults.add(Fault(operation="create", status=400, reason="IMAGE_NOT_FOUND"))
    assert sandbox.run("apply", "--resume").code == 4
    assert approved(sandbox)
    resumed(sandbox)
    assert set(sandbox.live()) == {"a", "b"}


@pytest.mark.parametrize("when", ["before", "after"])
def test_half_a_replacement_is_completed(sandbox: Sandbox, when: str) -> None:
    """Killed around the delete: the old one is gone, and the new one is made as it was approved."""
    sandbox.declare(item("chat"), item("embed"))
    sandbox.apply()
    old = sandbox.id("chat")
    sandbox.declare(item("chat", specName="large"), item("embed", specName="large"))
    sandbox.killed("delete", "--parallelism", "1", when=when)
    resumed(sandbox)
    assert set(sandbox.live()) == {"chat", "embed"}
    assert old not in {one["id"] for one in sandbox.sim.world.endpoints}
    assert sandbox.plan().code == 0


@pytest.mark.parametrize("operation", ["create", "delete"])
def test_half_a_replacement_that_creates_first_is_completed(sandbox: Sandbox, operation: str) -> None:
    """Killed after the new one was made: the old one is still deleted, as was approved."""
    sandbox.declare(item("chat", appName="chat-1"))
    sandbox.apply()
    sandbox.declare(item("chat", appName="chat-2", specName="large"))
    when = "after" if operation == "create" else "before"
    sandbox.killed(operation, "--create-first", when=when)
    resumed(sandbox)
    assert [one["appName"] for one in sandbox.sim.world.endpoints] == ["chat-2"]
    assert sandbox.plan().code == 0


def test_a_saved_plan_is_resumed_too(sandbox: Sandbox) -> None:
    """Killed while a plan file was applied, --resume finishes that plan; the file itself is stale by then."""
    sandbox.declare(item("a"), item("b"), item("c"))
    assert sandbox.run("plan", "--out", "the.plan", "--exclude", "c").code == 0
    sandbox.killed("create", nth=2, command=("apply", "the.plan", "--parallelism", "1"))
    resumed(sandbox)
    assert set(sandbox.live()) == {"a", "b"}
    assert sandbox.run("apply", "the.plan").code == 6


def test_a_destroy_is_resumed_too(sandbox: Sandbox) -> None:
    """What was approved was that all goes, whatever the YAML declares."""
    sandbox.declare(item("a"), item("b"))
    sandbox.apply()
    sandbox.killed("delete", command=("destroy", "--auto-approve"))
    assert "Destroy complete!" in resumed(sandbox)
    assert sandbox.live() == sandbox.inventory == {}


def test_a_delete_of_what_is_called_otherwise_now(sandbox: Sandbox) -> None:
    """An endpoint that somebody renamed is no longer what was to be deleted."""
    sandbox.declare(item("a"), item("b"), item("kept"))
    sandbox.apply()
    sandbox.declare(item("kept"))
    sandbox.killed("delete", "--parallelism", "1")
    sandbox.sim.world.console_update(sandbox.id("b"), name="theirs")
    ran = sandbox.run("apply", "--resume")
    assert ran.code == 6
    assert "b: delete then, forget now" in ran.err
    assert "a:" not in ran.err
    assert set(sandbox.live()) == {"kept", "theirs"}


TOUCHED: dict[str, tuple[Callable[[Sandbox], object], str]] = {
    "the YAML": (
        lambda sandbox: sandbox.declare(item("a", replicas=2), item("b", replicas=3)),
        "b: scale then and now, but not the same",
    ),
    "the live object": (
        lambda sandbox: sandbox.sim.world.console_update(sandbox.id("b"), ports=[{"port": 9000}]),
        "b: scale then, update now",
    ),
    "the live object is gone": (
        lambda sandbox: sandbox.sim.world.console_delete(sandbox.id("b")),
        "b: scale then, create now",
    ),
    "the live object is another": (
        lambda sandbox: sandbox.sim.world.console_update(sandbox.id("b"), clusterID="elsewhere"),
        "b: scale then, replace now",
    ),
    "what is done already": (
        lambda sandbox: sandbox.sim.world.console_delete(sandbox.id("a")),
        "a: scale then, create now",
    ),
    "the key": (
        lambda sandbox: sandbox.monkeypatch.setenv("NOVITA_API_KEY", "sk_another"),
        "account: it was made with another API key (or RECONCILER_STATE_KEY)",
    ),
}


@pytest.mark.parametrize("touch", TOUCHED)
def test_a_touched_remainder_is_refused(sandbox: Sandbox, touch: str) -> None:
    """Consent was for something else: exit 6 with what moved, no write, and a new plan is asked about."""
    sandbox.declare(item("a"), item("b"))
    sandbox.apply()
    sandbox.declare(item("a", replicas=2), item("b", replicas=2))
    sandbox.killed("update", "--parallelism", "1")
    change, says = TOUCHED[touch]
    change(sandbox)
    before, writes = sandbox.files(), len(sandbox.sent())
    ran = sandbox.run("apply", "--resume")
    assert ran.code == 6
    assert "the approved plan is stale" in ran.err
    assert f"\n  {says}\n" in ran.err
    assert len(sandbox.sent()) == writes
    assert sandbox.files() == before
    sandbox.monkeypatch.setenv("NOVITA_API_KEY", KEY)
    sandbox.apply()
    assert sandbox.plan().code == 0
    assert not approved(sandbox)


def test_a_replacement_is_not_taken_for_half_done(sandbox: Sandbox) -> None:
    """A delete of what was to be replaced, or a create of something else in its place, is another plan."""
    sandbox.declare(item("chat"), item("embed"))
    sandbox.apply()
    sandbox.declare(item("chat", specName="large"), item("embed", specName="large"))
    sandbox.killed("delete", "--parallelism", "1")
    sandbox.declare(item("chat", specName="large", replicas=5))
    ran = sandbox.run("apply", "--resume")
    assert ran.code == 6
    assert "chat: replace then, create now" in ran.err
    assert "  declared minReplicas: 1 then, 5 now" in ran.err
    assert "embed: replace then, delete now" in ran.err


def test_what_others_finished_counts_as_done(sandbox: Sandbox) -> None:
    """When nothing is left, it says so, and the approval is over."""
    sandbox.declare(item("a"), item("b"))
    sandbox.apply()
    sandbox.declare(item("a", replicas=2), item("b", replicas=2))
    sandbox.killed("update", "--parallelism", "1")
    scaled = {"minNum": 2, "maxNum": 2}
    sandbox.sim.world.console_update(sandbox.id("b"), workerConfig=scaled)
    assert "\nNo changes." in resumed(sandbox)


def test_an_apply_without_work_ends_an_old_approval(sandbox: Sandbox) -> None:
    """What was approved is not performed months later, after the YAML gave it up and took it up again."""
    sandbox.declare(item("a"))
    sandbox.apply()
    sandbox.declare(item("a"), item("bad"))
    sandbox.sim.faults.add(Fault(operation="create", status=400, reason="IMAGE_NOT_FOUND"))
    assert sandbox.run("apply", "--auto-approve").code == 4
    sandbox.declare(item("a"))
    assert "No changes." in sandbox.apply("--target", "a").out
    assert approved(sandbox), "a part says nothing of the rest"
    assert "No changes." in sandbox.apply().out
    assert not approved(sandbox)


def test_what_is_approved_holds_no_secret(sandbox: Sandbox) -> None:
    """Neither the key nor a value of a reference, ours or theirs."""
    sandbox.monkeypatch.setenv("TOKEN", "a-secret-value")
    sandbox.declare(item("a"), item("b"), item("old"))
    sandbox.apply()
    theirs = [{"key": "K", "value": "their-secret-value"}]
    for name in ("b", "old"):
        sandbox.sim.world.edit(sandbox.id(name), lambda one: one.update(envs=theirs))
    env = {"T": "${env:TOKEN}", "M": "Bearer ${env:TOKEN}"}
    sandbox.declare(item("a", env=env), item("b", env=env), item("new", env=env, command="run ${env:TOKEN}"))
    sandbox.killed("create", "--parallelism", "1")
    text = (sandbox.root / APPROVED).read_text()
    assert json.loads(text)["saved_plan"]["changes"].keys() == {"a", "b", "new", "old"}
    assert not [secret for secret in (KEY, "secret-value") if secret in text]
    sandbox.monkeypatch.setenv("TOKEN", "another-secret-value")
    ran = sandbox.run("apply", "--resume")
    assert ran.code == 6
    assert "another secret" in ran.err
    assert "secret-value" not in ran.err
    sandbox.monkeypatch.setenv("TOKEN", "a-secret-value")
    resumed(sandbox)


def test_what_is_approved_cannot_be_changed_by_options(sandbox: Sandbox) -> None:
    """--resume takes no plan file and none of the options that were approved."""
    sandbox.declare(item("a"))
    sandbox.killed("create", "--parallelism", "1")
    for args in (("the.plan",), ("--adopt",), ("--target", "a"), ("--no-delete",), ("--allow-delete", "1")):
        assert sandbox.run("apply", "--resume", *args).code == 64
    sandbox.write(APPROVED, "garbage")
    ran = sandbox.run("apply", "--resume")
    assert ran.code == 1
    assert "novita.json.approved.json is not a plan file" in ran.err
    assert "reconciler apply" in ran.err


def test_an_approval_that_cannot_be_kept(sandbox: Sandbox) -> None:
    """Where word of it cannot be left nothing is done."""
    (sandbox.root / f"{APPROVED}.tmp").mkdir(parents=True)
    sandbox.declare(item("a"))
    ran = sandbox.run("apply", "--auto-approve")
    assert ran.code == 1
    assert f"Cannot write {APPROVED}" in ran.err
    assert sandbox.sent() == []


def test_nothing_is_deleted_with_no_delete(sandbox: Sandbox) -> None:
    """Deletes and replaces are left out of plan and apply, each is told, and the rest is done."""
    sandbox.declare(item("a"), item("b"), item("old"))
    sandbox.apply()
    sandbox.declare(item("a", replicas=2), item("b", specName="large"), item("new"))
    planned = sandbox.plan("--no-delete")
    assert planned.actions == {"a": "scale", "new": "create"}
    assert planned.codes == ["not-deleted", "not-deleted"]
    ran = sandbox.run("apply", "--no-delete", "--auto-approve")
    assert ran.code == 0
    assert "`b` is not changed: --no-delete omits its replace" in ran.err
    assert "`old` is not changed: --no-delete omits its delete" in ran.err
    assert sandbox.sent("delete") == []
    assert sandbox.plan().actions == {"b": "replace", "old": "delete"}


def test_no_delete_trips_no_guard(sandbox: Sandbox) -> None:
    """What is not deleted needs no leave, not even where all would be; forgetting is not deleting."""
    sandbox.declare(item("a", lifecycle={"preventDestroy": True}), item("b"))
    sandbox.apply()
    sandbox.sim.world.console_delete(sandbox.id("b"))
    sandbox.declare()
    assert sandbox.plan().code == 3
    planned = sandbox.plan("--no-delete")
    assert (planned.code, planned.actions) == (2, {"b": "forget"})
    sandbox.apply("--no-delete")
    assert set(sandbox.live()) == set(sandbox.inventory) == {"a"}


def test_no_delete_is_resumed_as_such(sandbox: Sandbox) -> None:
    """What was left out stays left out."""
    sandbox.declare(item("a"), item("old"))
    sandbox.apply()
    sandbox.declare(item("a", replicas=2), item("new"))
    sandbox.killed("create", "--no-delete", "--parallelism", "1")
    resumed(sandbox)
    assert set(sandbox.live()) == {"a", "new", "old"}
    assert sandbox.plan().actions == {"old": "delete"}


RESUME = "reconciler apply --resume"


def test_an_apply_that_did_not_finish_names_the_command(sandbox: Sandbox) -> None:
    """E14: in the text and in the document, with the options of the run; and so does the next plan."""
    sandbox.sim.faults.add(Fault(operation="create", status=400, reason="NO_STOCK"))
    sandbox.declare(item("a"), item("b"))
    ran = sandbox.run("apply", "--auto-approve", "--parallelism", "1")
    assert ran.code == 4
    assert "Note: an approved apply has not finished" in ran.err
    assert f"  {RESUME}   makes the changes that are left" in ran.err
    ran = sandbox.run("-C", str(sandbox.root), "plan")
    assert f"reconciler -C {sandbox.root} apply --resume" in ran.err
    resumed(sandbox)
    assert "--resume" not in sandbox.run("plan").err
    sandbox.sim.faults.add(Fault(operation="create", status=400, reason="NO_STOCK"))
    ran = sandbox.run("deploy", "tmp", "--image", "a:1", "--spec", "small", "--yes")
    assert (ran.code, RESUME in ran.err) == (4, False)


@pytest.mark.parametrize("times", [1, 2])
def test_an_interrupted_apply_names_the_command(sandbox: Sandbox, times: int) -> None:
    """E14: after the first Ctrl-C in an orderly way, and after the second one too."""
    sandbox.declare(item("a"), item("b"))

    def interrupt(_request: Request) -> None:
        process = sandbox.started[-1]
        for _ in range(times):
            os.kill(process.pid, signal.SIGINT)
            time.sleep(0.2)  # two signals at once count as one
        if times == 2:
            process.wait(10)

    sandbox.sim.faults.before("create", interrupt)
    process = sandbox.start("apply", "--auto-approve", "--parallelism", "1")
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert RESUME in err
    assert sandbox.run("apply", "--resume").code == 0
