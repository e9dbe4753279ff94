"""Ctrl-C and SIGTERM: finish what is in flight, save, report, 130; once more: stop."""

import json
import os
import signal
import subprocess
import sys
import threading

import pytest

from reconciler.simulator import Request
from tests.e2e.sandbox import CommandResult, Sandbox, item

TOLD = "Interrupted. Waiting for requests in flight; press Ctrl-C again to stop at once."


def interrupted(
    sandbox: Sandbox,
    *args: str,
    number: signal.Signals = signal.SIGINT,
    when: str = "before",
    operation: str = "create",
    nth: int = 1,
) -> CommandResult:
    """An apply that hears a signal right before or after Novita acts, which answers when it has told so."""
    told = threading.Event()

    def signalled(_request: Request) -> None:
        os.kill(sandbox.started[-1].pid, number)
        assert told.wait(60)

    getattr(sandbox.sim.faults, when)(operation, signalled, nth=nth)
    process = sandbox.start("apply", "--auto-approve", "--parallelism", "1", *args)
    assert process.stdout is not None
    assert process.stderr is not None
    bound = threading.Timer(20, process.kill)
    bound.start()
    err = ""
    for line in process.stderr:
        err += line
        if TOLD in line:
            told.set()
    out = process.stdout.read()
    bound.cancel()
    assert "Traceback" not in err
    return CommandResult(code=process.wait(20), out=out, err=err)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda one: one.name)
def test_what_is_in_flight_is_finished(sandbox: Sandbox, number: signal.Signals) -> None:
    """The change under way is done and recorded, the rest not attempted; a second apply does only that."""
    sandbox.declare(*(item(f"e{number}") for number in range(4)))
    ran = interrupted(sandbox, number=number, nth=2)
    assert ran.code == 130
    assert TOLD in ran.err
    assert "Apply interrupted: 2 done, 2 not attempted." in ran.out
    assert set(sandbox.live()) == set(sandbox.inventory) == {"e0", "e1"}
    sandbox.apply()
    assert len(sandbox.sent("create")) == 4
    assert sandbox.plan().code == 0


def test_an_ignored_signal_stays_ignored(sandbox: Sandbox) -> None:
    """Under nohup a terminal that is closed does not end the run."""
    sandbox.declare(*(item(f"e{number}") for number in range(3)))
    sandbox.sim.faults.before(
        "create", lambda _request: os.kill(sandbox.started[-1].pid, signal.SIGHUP), nth=2
    )
    former = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        process = sandbox.start("apply", "--auto-approve", "--parallelism", "1")
    finally:
        signal.signal(signal.SIGHUP, former)
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert len(sandbox.live()) == 3


def test_a_replacement_is_not_left_half_done(sandbox: Sandbox) -> None:
    """A signal between delete and create does not keep the create from following."""
    sandbox.declare(item("chat"), item("embed"))
    sandbox.apply()
    sandbox.declare(item("chat", specName="large"), item("embed", replicas=2))
    ran = interrupted(sandbox, when="after", operation="delete")
    assert ran.code == 130
    assert "1 done, 1 not attempted" in ran.out
    assert set(sandbox.live()) == {"chat", "embed"}
    assert sandbox.plan().actions == {"embed": "scale"}


def test_the_report_in_json(sandbox: Sandbox) -> None:
    """With --json an interrupted apply ends in its document, with 130 in it."""
    sandbox.declare(item("a"), item("b"))
    ran = interrupted(sandbox, "--json")
    assert ran.code == ran.document["exit_code"] == 130
    assert [one["outcome"] for one in ran.document["results"]] == ["done", "not attempted"]


def test_nothing_is_written_after_an_interrupt_that_was_swallowed(sandbox: Sandbox) -> None:
    """A destructor or a library may swallow Ctrl-C; who pressed it must not find endpoints made since."""
    sandbox.declare(item("chat"))
    script = (
        "import os, signal\n"
        "from reconciler.cli.output import Output\n"
        "from reconciler.cli.main import main\n"
        "show = Output.plan\n"
        "def swallowing(*given):\n"
        "    try: os.kill(os.getpid(), signal.SIGINT)\n"
        "    except KeyboardInterrupt: pass\n"
        "    show(*given)\n"
        "Output.plan = swallowing\n"
        "main(['apply', '--auto-approve'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=sandbox.root,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, sandbox.sent("create")) == (130, [])
    assert "Interrupted." in done.stderr


def test_once_more_stops_at_once(sandbox: Sandbox) -> None:
    """The second signal waits for nothing; what it leaves open is found again, and created once."""
    sandbox.declare(item("chat"))
    entered, leave = threading.Event(), threading.Event()

    def hold(_request: Request) -> None:
        entered.set()
        leave.wait(20)

    sandbox.sim.faults.before("create", hold)
    process = sandbox.start("apply", "--auto-approve")
    assert entered.wait(60)
    assert process.stderr is not None
    process.send_signal(signal.SIGINT)
    heard = iter(process.stderr.readline, "")
    assert any("press Ctrl-C again to stop at once" in line for line in heard)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    leave.set()
    assert not (sandbox.root / "state/novita.json").exists()
    sandbox.await_live("chat")
    planned = sandbox.plan()
    assert planned.actions == {}, "it was made: there is nothing to do but to record it"
    assert planned.codes == ["open-create"]
    sandbox.apply()
    assert len(sandbox.sent("create")) == 1
    assert sandbox.inventory["chat"]["id"] == sandbox.id("chat")
    assert sandbox.plan().codes == []


@pytest.mark.parametrize(("operation", "nth"), [("list", 1), ("list", 2), ("get", 1)])
@pytest.mark.parametrize("args", [("plan",), ("plan", "--json"), ("apply", "--auto-approve")])
def test_before_anything_was_approved(
    sandbox: Sandbox, args: tuple[str, ...], operation: str, nth: int
) -> None:
    """Ctrl-C while the account is read is 130 in a word, nothing written, and one document with --json."""
    sandbox.declare(item("chat"), item("embed"), item("rerank"))
    sandbox.apply()
    sandbox.declare(item("chat", replicas=2), item("embed"), item("rerank"))
    sandbox.sim.world.switch(max_page_size=1)
    sandbox.sim.world.console_delete(sandbox.id("embed"))
    leave = threading.Event()

    def hold(_request: Request) -> None:
        os.kill(sandbox.started[-1].pid, signal.SIGINT)
        leave.wait(40)

    sandbox.sim.faults.before(operation, hold, nth=nth)
    before = sandbox.files()
    process = sandbox.start(*args)
    out, err = process.communicate(timeout=60)
    leave.set()
    assert process.returncode == 130
    assert "Traceback" not in err
    assert sandbox.files() == before
    if "--json" in args:
        assert json.loads(out)["exit_code"] == 130
    else:
        assert err.strip() == "Interrupted."
