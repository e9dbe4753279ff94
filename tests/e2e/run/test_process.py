"""`reconciler run` as a process: it follows the files, applies what may be applied, and ends by a signal."""

import signal
import subprocess

import pytest

from reconciler.simulator.faults import Fault
from tests.e2e.sandbox import Sandbox, item

AUTO = {"novita": {"settle_seconds": 0.05, "sync": {"apply": "auto", "drift": "revert", "prune": True}}}
OFTEN = ("run", "--poll", "0.1s", "--interval", "0.3s")


def ended(process: subprocess.Popen[str]) -> str:
    """End the process as systemd does, and return what it wrote."""
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert "Traceback" not in err
    return err


def test_it_applies_the_files_and_what_changes_in_them(sandbox: Sandbox) -> None:
    sandbox.write("config.yaml", AUTO)
    sandbox.declare(item("chat"))
    process = sandbox.start(*OFTEN)
    sandbox.await_live("chat")
    sandbox.declare(item("chat"), item("embed"))
    sandbox.await_live("embed")
    err = ended(process)
    assert "1 change was applied" in err
    assert len(sandbox.sent("create")) == 2
    assert sandbox.plan().code == 0


def test_once_ends_when_nothing_is_left_to_be_done(sandbox: Sandbox) -> None:
    sandbox.write("config.yaml", AUTO)
    sandbox.declare(item("chat"), item("embed"))
    assert sandbox.run("run", "--once").code == 0
    assert set(sandbox.live()) == {"chat", "embed"}


def test_without_a_policy_nothing_is_changed(sandbox: Sandbox) -> None:
    sandbox.declare(item("chat"))
    ran = sandbox.run("run", "--once")
    assert ran.code == 0
    assert (
        "A plan waits for an approval: Plan: 1 to add, 0 to change, 0 to destroy; reconciler approve"
        in ran.err
    )
    assert sandbox.sent() == []


def test_several_environments_run_in_one_process(sandbox: Sandbox) -> None:
    """Each has its files, its inventory and its policy."""
    dev = {"files": ["dev.yaml"], "state": "state/dev.json", "sync": {"apply": "auto"}}
    prod = {"files": ["prod.yaml"], "state": "state/prod.json"}
    sandbox.write("config.yaml", {"environments": {"dev": dev, "prod": prod}})
    sandbox.write("dev.yaml", {"endpoints": [item("chat-dev")]})
    sandbox.write("prod.yaml", {"endpoints": [item("chat-prod")]})
    ran = sandbox.run("run", "--all-environments", "--once")
    assert ran.code == 0, ran.err
    assert set(sandbox.live()) == {"chat-dev"}
    assert "prod: A plan waits for an approval" in ran.err
    assert "dev: 1 change was applied" in ran.err
    again = sandbox.run("run", "-e", "dev", "-e", "prod", "--once")
    assert again.code == 0, again.err
    assert sandbox.run("run", "-e", "test", "--once").code != 0


def test_once_does_not_wait_for_a_process_that_leads(sandbox: Sandbox) -> None:
    """It ends as each command that meets a lock, so that jobs do not pile up."""
    sandbox.write("config.yaml", AUTO)
    sandbox.declare(item("chat"))
    process = sandbox.start(*OFTEN)
    sandbox.await_live("chat")
    ran = sandbox.run("run", "--once")
    assert ran.code == 7, ran.err
    assert f"pid {process.pid}" in ran.err
    ended(process)


def test_a_change_in_flight_is_finished_before_the_end(sandbox: Sandbox) -> None:
    """SIGTERM arrives while Novita creates endpoints: they are recorded, and no other change begins."""
    sandbox.write("config.yaml", AUTO)
    sandbox.declare(*(item(f"chat-{number:02}") for number in range(20)))
    process: list[subprocess.Popen[str]] = []
    sandbox.sim.faults.before("create", lambda _: process[0].send_signal(signal.SIGTERM))
    sandbox.sim.faults.add(Fault(operation="create", kind="late_answer", seconds=0.5, times=10))
    process.append(sandbox.start(*OFTEN))
    _, err = process[0].communicate(timeout=30)
    assert process[0].returncode == 0, err
    assert "stopped" in err
    assert 1 <= len(sandbox.sent("create")) <= 10
    assert {name: one["id"] for name, one in sandbox.inventory.items()} == {
        name: one["id"] for name, one in sandbox.live().items()
    }
    assert sandbox.run("run", "--once").code == 0
    assert len(sandbox.live()) == 20
    assert len(sandbox.sent("create")) == 20


def test_a_second_signal_ends_the_process_at_once(sandbox: Sandbox) -> None:
    """The create that hangs is completed by the next process: it is looked for, and not sent again."""
    sandbox.write("config.yaml", AUTO)
    sandbox.declare(item("chat"))
    sandbox.sim.faults.add(Fault(operation="create", kind="late_answer", seconds=8))
    process = sandbox.start(*OFTEN)
    sandbox.await_live("chat")
    process.send_signal(signal.SIGTERM)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(1)  # the create is waited for
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 130
    assert sandbox.run("run", "--once").code == 0
    assert len(sandbox.live()) == len(sandbox.sent("create")) == 1
    assert sandbox.plan().code == 0
