"""`doctor --probe-api --with-writes` leaves no endpoint whose name and removal it does not print."""

from __future__ import annotations

import signal
from typing import Any

import pytest

from reconciler.simulator import Fault, Request
from reconciler.workflow.api_probe.steps import Steps
from tests.e2e.sandbox import CommandResult, Sandbox
from tests.e2e.server.probe_runs import COMMAND, left, remove, switch

DEAD = {
    "no answer": Fault(kind="lost_request", times=None),
    "500": Fault(status=500, times=None),
    "502": Fault(kind="html_502", times=None),
    "500 in 200": Fault(kind="error_in_2xx", status=500, reason="INTERNAL_ERROR", times=None),
    "401": Fault(status=401, times=None),
}
"""What a server answers from a moment on."""

CREATES = {
    "500": Fault(operation="create", status=500),
    "500, and made": Fault(operation="create", kind="status_after", status=500),
    "504, and made": Fault(operation="create", kind="status_after", status=504),
    "500 in 200": Fault(operation="create", kind="error_in_2xx", status=500, reason="INTERNAL_ERROR"),
    "half an answer": Fault(operation="create", kind="truncated"),
    "no answer": Fault(operation="create", kind="lost_answer"),
}


def check(sandbox: Sandbox, ran: CommandResult) -> None:
    """The end of the report names what is left, and its commands remove it."""
    _, sent, report = ran.err.rpartition("POST /endpoint/")
    assert sent
    for name in left(sandbox):
        assert f"the endpoint `{name}`" in report, ran.err
        assert f"reconciler recover && reconciler delete {name}" in report, ran.err
    sandbox.sim.faults.clear()
    for name in left(sandbox):
        remove(sandbox, name)


@pytest.mark.parametrize("operation", ["update", "get", "list"])
def test_the_endpoint_is_deleted_after_a_failure(sandbox: Sandbox, operation: str) -> None:
    """The server fails from the create on, until the delete was received."""
    faults = sandbox.sim.faults
    faults.after("create", lambda _: faults.add(Fault(operation=operation, status=500, times=None)), nth=2)
    faults.after("delete", lambda _: faults.clear(), nth=1)

    ran = sandbox.run(*COMMAND)

    assert ran.code != 0
    assert left(sandbox) == []


def test_a_failed_delete_prints_the_command_that_removes_it(sandbox: Sandbox) -> None:
    sandbox.sim.faults.add(Fault(operation="delete", status=500, times=None))

    ran = sandbox.run(*COMMAND)

    (name,) = left(sandbox)
    assert ran.code == 1
    assert f"reconciler recover && reconciler delete {name}" in ran.err
    again = sandbox.run(*COMMAND)
    assert again.code == 1
    assert f"reconciler delete {name}" in again.err
    sandbox.sim.faults.clear()
    remove(sandbox, name)


@pytest.mark.usefixtures("moments")
@pytest.mark.parametrize(
    ("operation", "nth", "answer"),
    [("create", 2, "500"), ("update", 1, "401"), ("update", 6, "no answer"), ("update", 6, "502"),
     ("drain", 1, "500 in 200"), ("drain", 1, "401"), ("delete", 1, "500")],
)  # fmt: skip
def test_a_server_that_dies_in_the_middle(sandbox: Sandbox, operation: str, nth: int, answer: str) -> None:
    """The sixth update scales to zero; each of these requests is the last one that is carried out."""
    faults = sandbox.sim.faults
    faults.after(operation, lambda _: faults.add(DEAD[answer]), nth=nth)
    ran = sandbox.run(*COMMAND)
    assert ran.code != 0
    assert len(left(sandbox)) == (operation != "delete")
    check(sandbox, ran)


@pytest.mark.usefixtures("moments")
@pytest.mark.parametrize("answer", CREATES)
def test_a_create_that_fails_or_seems_to(sandbox: Sandbox, answer: str) -> None:
    switch(sandbox, ["request_timeout_fill=60"])
    sandbox.sim.faults.add(CREATES[answer])
    ran = sandbox.run(*COMMAND)
    assert (ran.code, left(sandbox)) == (0, []), ran.err
    was_made = answer not in ("500", "500 in 200")
    assert len(sandbox.sent("create")) == (1 if was_made else 2)


@pytest.mark.usefixtures("moments")
@pytest.mark.parametrize("answer", ["500, and made", "no answer"])
def test_a_create_after_which_the_server_dies(sandbox: Sandbox, answer: str) -> None:
    """Nobody knows whether it was made."""
    switch(sandbox, ["request_timeout_fill=60"])
    faults = sandbox.sim.faults
    faults.add(CREATES[answer])
    faults.after("create", lambda _: faults.add(DEAD["no answer"]))
    ran = sandbox.run(*COMMAND)
    assert (ran.code, len(left(sandbox))) == (5, 1), ran.err
    check(sandbox, ran)


@pytest.mark.usefixtures("moments")
def test_a_bug_while_nothing_can_be_deleted(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message of a bug does not know of the endpoint."""

    def crash(_: Steps) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Steps, "drain", crash)
    sandbox.sim.faults.add(Fault(operation="delete", status=500, times=None))
    ran = sandbox.run(*COMMAND)
    assert "has a bug" in ran.err
    assert len(left(sandbox)) == 1
    check(sandbox, ran)


@pytest.mark.parametrize(
    ("operation", "when", "nth"),
    [("create", "before", 2), ("create", "after", 2), ("update", "after", 1), ("update", "before", 6),
     ("update", "after", 6), ("drain", "before", 1), ("drain", "after", 1), ("delete", "before", 1),
     ("delete", "after", 1), ("delete", "after", 2)],
)  # fmt: skip
def test_what_a_killed_run_leaves_can_be_removed(
    sandbox: Sandbox, operation: str, when: str, nth: int
) -> None:
    sandbox.killed(operation, when=when, nth=nth, command=COMMAND)
    log = (sandbox.root.parent / "killed.log").read_text()
    name = log.partition("reconciler delete ")[2].split()[0]

    remove(sandbox, name)
    assert sandbox.run(*COMMAND).code == 0


@pytest.mark.parametrize(
    ("number", "operation", "nth"),
    [(signal.SIGINT, "update", 2), (signal.SIGTERM, "create", 2), (signal.SIGTERM, "update", 6),
     (signal.SIGTERM, "drain", 1), (signal.SIGTERM, "delete", 1)],
)  # fmt: skip
def test_an_interrupt_deletes_the_endpoint(
    sandbox: Sandbox, number: signal.Signals, operation: str, nth: int
) -> None:
    processes: list[Any] = []
    sandbox.sim.faults.after(operation, lambda _: processes[0].send_signal(number), nth=nth)
    processes.append(sandbox.start(*COMMAND))
    out, err = processes[0].communicate(timeout=60)

    assert processes[0].returncode == 130, out + err
    assert "The endpoint is deleted." in err
    assert left(sandbox) == []


def test_a_second_interrupt_ends_at_once_and_prints_the_command(sandbox: Sandbox) -> None:
    """The first one comes at the update that scales, the second one before the delete is carried out."""
    processes: list[Any] = []

    def end(_: Request) -> None:
        processes[0].send_signal(signal.SIGTERM)
        processes[0].wait(60)

    sandbox.sim.faults.after("update", lambda _: processes[0].send_signal(signal.SIGTERM), nth=6)
    sandbox.sim.faults.before("delete", end)
    processes.append(sandbox.start(*COMMAND))
    out, err = processes[0].communicate(timeout=60)

    assert processes[0].returncode == 130, out + err
    stopped = err.partition("Stopped. To delete what it made: ")[2]
    name = stopped.partition("reconciler recover && reconciler delete ")[2].split()[0]
    remove(sandbox, name)
