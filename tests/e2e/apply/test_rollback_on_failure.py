"""`apply --rollback-on-failure`: the rollback is named before the approval, and performed after a failure."""

import json
import time
from typing import Any

import pytest

from reconciler.simulator import Fault, Request
from tests.e2e.sandbox import CommandResult, Keys, Sandbox, item

BAD = "registry.example.com/bad:1"


@pytest.fixture
def sandbox(sandbox: Sandbox) -> Sandbox:
    """A sandbox with the endpoint `chat`, which is healthy with any image but one."""
    sandbox.write("config.yaml", {"novita": {"settle_seconds": 0.2, "poll_interval": 0.1}})
    sandbox.declare(item("chat", probe={}))
    sandbox.apply()
    sandbox.sim.faults.rewrite("call", lambda given: {"status": "sick"} if image(sandbox) == BAD else given)
    return sandbox


def image(sandbox: Sandbox, name: str = "chat") -> str:
    return str(sandbox.live()[name]["image"]["image"])


def sick(**fields: Any) -> dict[str, Any]:
    """Return a declaration of `chat` whose probe fails."""
    return item("chat", **{"image": BAD, "probe": {"expect": {"contains": "ok"}}, **fields})


def attempt(sandbox: Sandbox, *args: str) -> CommandResult:
    """Run an apply in which something does not serve."""
    ran = sandbox.run("apply", "--auto-approve", "--probe", "--rollback-on-failure", *args)
    assert ran.code == 4, ran.err
    return ran


def codes(ran: CommandResult) -> list[str]:
    """Return the codes of errors and warnings."""
    return [one["code"] for one in ran.document["problems"] if one["severity"] != "note"]


def test_an_endpoint_that_fails_is_rolled_back(sandbox: Sandbox) -> None:
    """To the version before, in place; the exit code stays 4, and the history has all versions."""
    before = sandbox.id("chat")
    sandbox.declare(sick())
    ran = attempt(sandbox)
    assert (sandbox.id("chat"), image(sandbox)) == (before, "ubuntu:22.04")
    assert "an endpoint that does not serve after this apply is rolled back" in ran.err
    assert "chat: to version 1, applied 20" in ran.err
    assert f"Warning: `chat` ({before}) was rolled back to version 1" in ran.err
    versions = sandbox.run("history", "chat", "--json").document
    images = [version["fields"]["image"]["image"] for version in versions]
    assert sorted(images) == [BAD, "ubuntu:22.04", "ubuntu:22.04"]
    assert sandbox.inventory["chat"]["id"] == before
    assert sandbox.plan().actions == {"chat": "update"}


def test_the_result_is_in_the_document(sandbox: Sandbox) -> None:
    sandbox.declare(sick())
    ran = attempt(sandbox, "--json")
    (result,) = ran.document["results"]
    assert (result["outcome"], result["rolled_back_to"], result["probe"]["passed"]) == ("done", 1, False)
    assert codes(ran) == ["probe-failed", "rolled-back"]
    (hint,) = (one["hint"] for one in ran.document["problems"] if one["code"] == "rolled-back")
    assert "`reconciler rollback chat 1 --write`" in hint


def test_the_approval_covers_the_rollback(sandbox: Sandbox) -> None:
    """It is named before the question, and the question is asked once; a no changes nothing."""
    sandbox.declare(sick())
    asked: list[int] = []
    keys = Keys("yes\n", lambda: asked.append(1))
    ran = sandbox.run("apply", "--probe", "--rollback-on-failure", typed=keys)
    assert (ran.code, len(asked), image(sandbox)) == (4, 1, "ubuntu:22.04")
    assert ran.err.index("chat: to version 1") < ran.err.index("Do you want to perform")
    ran = sandbox.run("apply", "--rollback-on-failure", typed="no\n")
    assert (ran.code, len(sandbox.sent("update"))) == (1, 2)


def test_one_that_never_serves_is_rolled_back_without_a_probe(sandbox: Sandbox) -> None:
    """Here no new worker can start."""
    sandbox.sim.world.switch(worker_error="image cannot be pulled", rolling_overlap=False)
    sandbox.declare(item("chat", image=BAD))
    ran = sandbox.run("apply", "--auto-approve", "--wait=0.3", "--rollback-on-failure", "--json")
    assert (ran.code, image(sandbox), codes(ran)) == (4, "ubuntu:22.04", ["not-serving", "rolled-back"])


def test_only_the_one_that_failed(sandbox: Sandbox) -> None:
    sandbox.declare(item("chat", probe={}), item("embed", probe={}))
    sandbox.apply()
    sandbox.declare(sick(), item("embed", image="ubuntu:24.04"))
    assert codes(attempt(sandbox, "--json")) == ["probe-failed", "rolled-back"]
    assert (image(sandbox), image(sandbox, "embed")) == ("ubuntu:22.04", "ubuntu:24.04")


def test_what_cannot_be_rolled_back_stays_and_says_why(sandbox: Sandbox) -> None:
    """An endpoint that this apply created or replaced. Nothing is deleted."""
    sandbox.declare(sick(specName="large"), item("new", probe={"expect": {"status": 404}}))
    ran = attempt(sandbox)
    assert "new: stays as it is, because this apply creates it" in ran.err
    assert "chat: stays as it is, because its former endpoint is deleted, and a new one" in ran.err
    assert ran.err.count(" was not rolled back: ") == 2
    assert "`reconciler delete new` deletes it" in ran.err
    assert set(sandbox.live()) == {"chat", "new"}
    assert image(sandbox) == BAD


def test_an_adopted_endpoint_has_no_version(sandbox: Sandbox) -> None:
    sandbox.sim.world.console_create(name="theirs", appName="theirs")
    sandbox.declare(item("chat", probe={}), item("theirs", probe={"expect": {"status": 404}}))
    ran = attempt(sandbox, "--adopt", "--target", "theirs")
    assert "theirs: stays as it is, because no version of it was applied under this name" in ran.err


def test_the_yaml_of_a_matrix_is_not_offered_to_be_written(sandbox: Sandbox) -> None:
    """`rollback --write` refuses it, because its lines declare other endpoints too."""
    sandbox.declare(item("${matrix.model}", matrix={"model": ["chat"]}, probe={}))
    sandbox.apply()
    sandbox.declare({**sick(), "endpoint": "${matrix.model}", "matrix": {"model": ["chat"]}})
    ran = attempt(sandbox, "--json")
    (hint,) = (one["hint"] for one in ran.document["problems"] if one["code"] == "rolled-back")
    assert hint == "correct the YAML"


def test_nothing_fails(sandbox: Sandbox) -> None:
    sandbox.declare(item("chat", image="ubuntu:24.04", probe={}))
    ran = sandbox.run("apply", "--auto-approve", "--probe", "--rollback-on-failure")
    assert (ran.code, image(sandbox)) == (0, "ubuntu:24.04")
    assert "rolled back to" not in ran.err


def test_a_repaired_drift_has_no_other_version(sandbox: Sandbox) -> None:
    """The version before is the one that was just applied."""
    sandbox.sim.world.console_update(sandbox.id("chat"), image={"image": "drifted:1"})
    sandbox.sim.faults.add(Fault(operation="call", status=500))
    ran = attempt(sandbox)
    assert "was not rolled back: it has the values of version 1 already" in ran.err


def test_another_run_in_between_is_respected(sandbox: Sandbox) -> None:
    """What it applied is not undone."""
    sandbox.declare(sick())

    def other(_request: Request) -> None:
        record = sandbox.root / "state/novita.json"
        state = json.loads(record.read_text())
        state["endpoints"]["chat"]["applied"]["image"]["image"] = "other:1"
        record.write_text(json.dumps(state))

    sandbox.sim.faults.before("call", other)
    ran = attempt(sandbox, "--json")
    assert codes(ran) == ["probe-failed", "rollback-failed"]
    (problem,) = (one for one in ran.document["problems"] if one["code"] == "rollback-failed")
    assert problem["summary"].endswith("was not rolled back to version 1: another run has changed it since")
    assert image(sandbox) == BAD


def test_a_rollback_that_fails(sandbox: Sandbox) -> None:
    """The error of Novita is told, with the command that tries again."""
    sandbox.declare(sick())
    refused = Fault(operation="update", status=400, reason="VALIDATOR_PARAM")
    sandbox.sim.faults.before("call", lambda _: sandbox.sim.faults.add(refused))
    ran = attempt(sandbox, "--json")
    assert codes(ran) == ["probe-failed", "rollback-failed"]
    assert "rolled_back_to" not in ran.document["results"][0]
    assert image(sandbox) == BAD
    assert sandbox.run("rollback", "chat", "1", "--auto-approve").code == 0
    assert image(sandbox) == "ubuntu:22.04"


def test_a_kill_in_the_middle_is_recovered_by_the_next_apply(sandbox: Sandbox) -> None:
    """Killed right after Novita performed the rollback: nothing is lost, nothing is made twice."""
    before = sandbox.id("chat")
    sandbox.declare(sick())
    sandbox.killed("update", nth=2, command=("apply", "--auto-approve", "--probe", "--rollback-on-failure"))
    assert image(sandbox) == "ubuntu:22.04"
    sandbox.declare(item("chat", image="ubuntu:24.04", probe={}))
    assert sandbox.run("apply", "--auto-approve", "--probe").code == 0
    assert (sandbox.id("chat"), image(sandbox)) == (before, "ubuntu:24.04")
    assert sandbox.plan().code == 0


@pytest.mark.parametrize(
    ("operation", "when"), [("update", "before"), ("update", "after"), ("call", "before")]
)
def test_a_kill_before_the_proof_leaves_it_owed(sandbox: Sandbox, operation: str, when: str) -> None:
    """The next apply probes what the killed one has changed, although it has nothing to change."""
    sandbox.declare(sick())
    command = ("apply", "--auto-approve", "--probe", "--rollback-on-failure")
    sandbox.killed(operation, when=when, command=command)
    ran = attempt(sandbox)
    assert image(sandbox) == "ubuntu:22.04"
    assert "chat: to version 1, applied 20" in ran.err
    assert f"`chat` ({sandbox.id('chat')}) was rolled back to version 1" in ran.err
    versions = sandbox.run("history", "chat", "--json").document
    assert [(version["fields"]["image"]["image"], version["proof"]) for version in versions] == [
        ("ubuntu:22.04", None),
        (BAD, "failed"),
        ("ubuntu:22.04", None),
    ]


def test_a_proof_that_is_owed_is_given_once(sandbox: Sandbox) -> None:
    sandbox.declare(item("chat", image="ubuntu:24.04", probe={}))
    sandbox.killed("call", command=("apply", "--auto-approve", "--probe"))
    assert "unproved" in sandbox.run("history", "chat").out
    ran = sandbox.run("apply", "--auto-approve", "--probe", "--json")
    (result,) = ran.document["results"]
    assert (ran.code, result["action"], result["probe"]["passed"]) == (0, "no-op", True)
    head, *_ = sandbox.run("history", "chat").out.splitlines()[1:]
    assert head.endswith("  proved")
    sent = len(sandbox.sent("call"))
    ran = sandbox.run("apply", "--auto-approve", "--probe")
    assert (ran.code, len(sandbox.sent("call"))) == (0, sent)
    assert "the probes of unchanged endpoints are not sent" in ran.err


def test_an_unproved_endpoint_that_fails_again(sandbox: Sandbox) -> None:
    """Each apply says so, and without a permission nothing is rolled back."""
    sandbox.declare(sick())
    assert sandbox.run("apply", "--auto-approve", "--probe").code == 4
    ran = sandbox.run("apply", "--probe")
    assert (ran.code, image(sandbox)) == (4, BAD)
    assert "these unchanged endpoints are probed, because no run has proved them yet" in ran.err
    assert "was applied by an earlier run, and its probe failed" in ran.err
    assert "Apply incomplete: 0 done, 1 not serving." in ran.out
    ran = sandbox.run("apply", "--probe", "--rollback-on-failure", typed="no\n")
    assert (ran.code, image(sandbox)) == (1, BAD)
    ran = sandbox.run("apply", "--probe", "--rollback-on-failure", typed="yes\n")
    assert (ran.code, image(sandbox)) == (4, "ubuntu:22.04")


def test_an_unproved_endpoint_waits_for_its_own_workers(sandbox: Sandbox) -> None:
    """Workers from before the killed change serve on, and prove nothing."""
    sandbox.sim.world.switch(worker_boot_seconds=0.8)
    sandbox.declare(item("chat", image="ubuntu:24.04", probe={}))
    sandbox.killed("update", command=("apply", "--auto-approve", "--probe"))
    ran = sandbox.run("apply", "--auto-approve", "--probe")
    assert ran.code == 0, ran.err
    assert "novita_endpoint.chat: Waiting: worker w-" in ran.err


def test_a_change_that_was_never_made_leaves_the_version_before(sandbox: Sandbox) -> None:
    """Killed before the update, and the YAML taken back: that version is probed, and no other is made up."""
    sandbox.declare(sick())
    sandbox.killed("update", when="before", command=("apply", "--auto-approve", "--probe"))
    sandbox.sim.world.console_update(sandbox.id("chat"), image={"image": "ubuntu:22.04"})
    sandbox.declare(item("chat", probe={}))
    assert sandbox.run("apply", "--auto-approve", "--probe").code == 0
    (version,) = sandbox.run("history", "chat", "--json").document
    assert version["proof"] == "proved"


def test_the_last_proved_version_is_the_target(sandbox: Sandbox) -> None:
    """Not one whose own probe failed, and not one that was never probed."""
    sandbox.declare(item("chat", image="good:1", probe={}))
    assert sandbox.run("apply", "--auto-approve", "--probe").code == 0
    sandbox.declare(item("chat", image="unknown:1", probe={}))
    sandbox.apply()
    sandbox.declare(sick())
    assert sandbox.run("apply", "--auto-approve", "--probe").code == 4
    sandbox.declare(sick(requestTimeout=77))
    ran = attempt(sandbox)
    assert ", proved\n" in ran.err[ran.err.index("chat: to version 2") :]
    assert image(sandbox) == "good:1"


def test_a_version_whose_probe_failed_is_no_target(sandbox: Sandbox) -> None:
    """Without a proved version it is the last one that was never probed."""
    sandbox.declare(sick())
    assert sandbox.run("apply", "--auto-approve", "--probe").code == 4
    sandbox.declare(sick(requestTimeout=77))
    ran = attempt(sandbox)
    assert ", never probed\n" in ran.err[ran.err.index("chat: to version 1") :]
    assert image(sandbox) == "ubuntu:22.04"


def test_without_any_good_version_it_stays(sandbox: Sandbox) -> None:
    sandbox.declare(item("new", probe={"expect": {"status": 404}}))
    assert sandbox.run("apply", "--auto-approve", "--probe", "--target", "new").code == 4
    ran = sandbox.run("apply", "--probe", "--rollback-on-failure", "--target", "new")
    assert (ran.code, "Do you want" in ran.err) == (4, False)
    assert "no run has proved them yet\n  `new`\n" in ran.err
    assert "new: stays as it is, because no version before it was proved" in ran.err
    sandbox.declare(item("new", image="ubuntu:24.04", probe={"expect": {"status": 404}}))
    ran = attempt(sandbox, "--target", "new")
    assert "new: stays as it is, because no version before it was proved" in ran.err


def test_a_result_that_cannot_be_recorded(sandbox: Sandbox) -> None:
    """Another run has the inventory when the probe ends: a warning, and the proof stays owed."""
    from reconciler.inventory.lock_holder import current_holder
    from reconciler.inventory.stores.file.lock import hold

    sandbox.monkeypatch.setattr("reconciler.model.durations.PROOF_LOCK_TIMEOUT", 0.1)
    sandbox.declare(item("chat", image="ubuntu:24.04", probe={}))
    holder = current_holder(command="other", environ={}, clock=time.time)
    held = hold(sandbox.root / "state/novita.json", holder)
    sandbox.sim.faults.before("call", lambda _: held.__enter__())
    ran = sandbox.run("apply", "--auto-approve", "--probe")
    held.__exit__(None, None, None)
    assert (ran.code, "is locked by" in ran.err) == (0, True)
    assert "unproved" in sandbox.run("history", "chat").out


def test_a_saved_plan_can_be_rolled_back_too(sandbox: Sandbox) -> None:
    sandbox.declare(sick())
    assert sandbox.run("plan", "--out", "p").code == 0
    ran = sandbox.run("apply", "p", "--probe", "--rollback-on-failure")
    assert (ran.code, image(sandbox)) == (4, "ubuntu:22.04")
    assert "chat: to version 1, applied 20" in ran.err


def test_it_is_in_the_reports(sandbox: Sandbox) -> None:
    sandbox.declare(sick())
    attempt(sandbox, "--markdown-into", "r.md", "--html-into", "r.html", "--junit-into", "r.xml")
    for name in ("r.md", "r.html", "r.xml"):
        assert "probe failed" in (sandbox.root / name).read_text()
    for name in ("r.md", "r.html"):
        text = (sandbox.root / name).read_text()
        assert " s, probe failed, rolled back to version 1" in text
        assert "was rolled back to version 1" in text
