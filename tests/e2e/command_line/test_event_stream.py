"""`--events` over a socket: one JSON message a line, from the first to the last, whatever the end is."""

import json
import os
import signal
import subprocess
from typing import Any

import pytest

from reconciler.simulator import Fault, Request
from tests.e2e.sandbox import CommandResult, Sandbox, item


def messages(ran: CommandResult) -> list[dict[str, Any]]:
    """Every line of stdout, of which each is a message."""
    return [json.loads(line) for line in ran.out.splitlines()]


def types(ran: CommandResult) -> list[str]:
    return [one["type"] for one in messages(ran)]


def streamed(sandbox: Sandbox, *args: str, command: str = "apply") -> CommandResult:
    return sandbox.run(command, *args, "--auto-approve", "--events")


def test_an_apply_is_a_stream(sandbox: Sandbox) -> None:
    """Version, plan, each change from its start to its end, and how much was done."""
    sandbox.declare(item("chat"))
    ran = streamed(sandbox)
    assert (ran.code, ran.err) == (0, "")
    assert types(ran) == [
        "version",
        "planned_change",
        "change_summary",
        "apply_start",
        "apply_complete",
        "change_summary",
        "outputs",
    ]
    complete, summary = messages(ran)[-3:-1]
    assert (complete["hook"]["id_key"], complete["hook"]["id_value"]) == ("id", sandbox.id("chat"))
    assert summary["@message"] == "Apply complete! Resources: 1 added, 0 changed, 0 destroyed."
    assert summary["changes"] == {"add": 1, "change": 0, "import": 0, "remove": 0, "operation": "apply"}


def test_nothing_to_do_is_a_stream_too(sandbox: Sandbox) -> None:
    """An empty plan, and nothing done."""
    sandbox.declare()
    ran = streamed(sandbox)
    assert (ran.code, types(ran)) == (0, ["version", "change_summary", "change_summary"])


def test_a_destroy_and_a_rollback_are_streams(sandbox: Sandbox) -> None:
    """And a revert of drift."""
    sandbox.declare(item("chat", replicas=1))
    sandbox.apply()
    sandbox.declare(item("chat", replicas=2))
    sandbox.apply()
    assert "apply_complete" in types(sandbox.run("rollback", "chat", "--auto-approve", "--events"))
    sandbox.sim.world.console_update(sandbox.id("chat"), healthy={"path": "/other"})
    ran = sandbox.run("drift", "revert", "chat", "--auto-approve", "--events")
    assert "resource_drift" in types(ran)
    assert "apply_complete" in types(ran)
    last = messages(streamed(sandbox, command="destroy"))[-1]
    assert last["@message"] == "Destroy complete! Resources: 1 destroyed."
    assert last["changes"]["operation"] == "destroy"


def test_a_saved_plan_is_a_stream(sandbox: Sandbox) -> None:
    """It was approved when it was saved; one that no longer holds is told with what was planned instead."""
    sandbox.declare(item("chat"))
    sandbox.run("plan", "--out", "the.plan")
    ran = sandbox.run("apply", "the.plan", "--events")
    assert (ran.code, types(ran).count("planned_change"), types(ran)[-3]) == (0, 1, "apply_complete")
    ran = sandbox.run("apply", "the.plan", "--events")
    assert (ran.code, types(ran)[-2:]) == (6, ["diagnostic", "change_summary"])
    assert messages(ran)[-1]["@message"] == "No change was completed."


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("--events",), "--events cannot ask for approval"),
        (("--events", "--auto-approve", "--json"), "--events and --json both write to stdout"),
    ],
)
def test_a_stream_never_asks_and_never_shares(sandbox: Sandbox, args: tuple[str, ...], says: str) -> None:
    """Both are a slip on the command line, and nothing is sent."""
    sandbox.declare(item("chat"))
    ran = sandbox.run("apply", *args)
    assert ran.code == 64
    assert says in ran.out + ran.err
    assert sandbox.sim.requests == []


def test_what_failed_is_told_and_counted(sandbox: Sandbox) -> None:
    """The diagnostics come, and a summary of what was done all the same."""
    sandbox.declare(item("chat"), item("embed"))
    sandbox.sim.faults.add(Fault(operation="create", status=400, reason="NO_STOCK", message="no stock today"))
    ran = streamed(sandbox, "--parallelism", "1")
    assert ran.code == 4
    errored = [one for one in messages(ran) if one["type"] == "apply_errored"]
    assert [one["hook"]["resource"]["addr"] for one in errored] == ["novita_endpoint.chat"]
    diagnostic, note, summary, _outputs = messages(ran)[-4:]
    assert note["@message"] == "Note: an approved apply has not finished"
    assert (diagnostic["@level"], diagnostic["diagnostic"]["address"]) == ("error", "novita_endpoint.chat")
    assert "no stock today" in diagnostic["diagnostic"]["summary"] + diagnostic["diagnostic"]["detail"]
    assert summary["@message"] == "Apply incomplete: 1 done, 1 failed."
    assert summary["changes"]["add"] == 1


def test_a_run_that_cannot_begin_is_told(sandbox: Sandbox) -> None:
    """With the place of what is wrong."""
    sandbox.declare({"endpoint": "chat"})
    ran = streamed(sandbox)
    assert (ran.code, set(types(ran))) == (1, {"version", "diagnostic", "change_summary"})
    place = messages(ran)[1]["diagnostic"]["range"]
    assert (place["filename"], place["start"]) == ("endpoints.yaml", {"line": 4, "column": 19})


def test_a_guard_is_told_with_the_plan(sandbox: Sandbox) -> None:
    """Nothing starts."""
    sandbox.declare(item("chat"))
    sandbox.apply()
    sandbox.declare()
    ran = streamed(sandbox)
    assert (ran.code, types(ran)) == (
        3,
        ["version", "planned_change", "change_summary", "diagnostic", "change_summary"],
    )


def test_an_interrupt_is_told(sandbox: Sandbox) -> None:
    """What was in flight is finished and counted."""
    sandbox.declare(*(item(f"e{number}") for number in range(3)))

    def interrupt(_request: Request) -> None:
        os.kill(sandbox.started[-1].pid, signal.SIGINT)

    sandbox.sim.faults.before("create", interrupt, nth=2)
    process = sandbox.start("apply", "--auto-approve", "--events", "--parallelism", "1")
    out, err = process.communicate(timeout=60)
    ran = CommandResult(code=process.returncode, out=out, err=err)
    assert ran.code == 130
    last = messages(ran)[-2]
    assert (last["@message"], last["changes"]["add"]) == ("Apply interrupted: 2 done, 1 not attempted.", 2)


def test_many_changes_at_once_share_one_stream(sandbox: Sandbox) -> None:
    """Each line is a message, and each change starts before it ends."""
    names = [f"e{number}" for number in range(30)]
    sandbox.declare(*map(item, names))
    ran = streamed(sandbox, "--parallelism", "10")
    seen = [(one["hook"]["resource"]["resource_name"], one["type"]) for one in messages(ran) if "hook" in one]
    assert sorted(seen) == sorted(
        (name, kind) for name in names for kind in ("apply_start", "apply_complete")
    )
    assert all(seen.index((name, "apply_start")) < seen.index((name, "apply_complete")) for name in names)


def test_a_wait_for_service_is_told(sandbox: Sandbox) -> None:
    """What is waited for, and that it serves; what never does is a diagnostic."""
    sandbox.write("config.yaml", {"novita": {"settle_seconds": 0.2, "poll_interval": 0.2}})
    sandbox.sim.world.switch(worker_boot_seconds=0.5)
    sandbox.declare(item("chat"))
    ran = streamed(sandbox, "--wait=30")
    assert ran.code == 0
    progress = [one["hook"] for one in messages(ran) if one["type"] == "apply_progress"]
    assert progress[-1]["waiting"].startswith("worker w-")
    (serving,) = [one["@message"] for one in messages(ran) if one["type"] == "log"]
    assert serving.startswith("novita_endpoint.chat: Serving after")
    sandbox.sim.world.switch(no_stock=True)
    sandbox.declare(item("chat"), item("embed"))
    ran = streamed(sandbox, "--wait=0")
    assert (ran.code, types(ran)[-3:]) == (4, ["diagnostic", "change_summary", "outputs"])


def test_a_reader_who_leaves_stops_no_apply(sandbox: Sandbox) -> None:
    """Whatever was approved is done, as with any other output."""
    sandbox.declare(*(item(f"e{number}") for number in range(5)))
    read, write = os.pipe()
    process = sandbox.start("apply", "--auto-approve", "--events", stdout=write, stderr=subprocess.PIPE)
    os.close(read)
    os.close(write)
    _, err = process.communicate(timeout=30)
    assert "Traceback" not in err
    assert set(sandbox.live()) == {f"e{number}" for number in range(5)}
    assert sandbox.plan().code == 0
