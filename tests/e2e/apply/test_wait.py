"""`apply --wait`: done is when it serves, and what keeps it from serving is told."""

import json
import re
import signal
import threading
import time
from collections.abc import Callable

import pytest

from reconciler.simulator import Fault, Request
from tests.e2e.command_line.test_terminal import ANSI, terminal
from tests.e2e.sandbox import Sandbox, item


@pytest.fixture
def sandbox(sandbox: Sandbox) -> Sandbox:
    """A sandbox that polls ten times a second."""
    sandbox.write("config.yaml", {"novita": {"settle_seconds": 0.2, "poll_interval": 0.1}})
    return sandbox


def while_waiting(sandbox: Sandbox, action: Callable[[], object], *, poll: int = 2) -> None:
    """Let something happen right before the account is looked at for the nth time after the first create."""

    def arm(_request: Request) -> None:
        # a listing takes two calls: the page, and the one that proves the end
        sandbox.sim.faults.before("list", lambda _: action(), nth=2 * poll - 1)

    sandbox.sim.faults.after("create", arm)


def not_serving(sandbox: Sandbox, *args: str, seconds: str = "0.3") -> list[str]:
    """What is said of each endpoint by an apply whose changes were done and that ends with 4."""
    ran = sandbox.run("apply", "--auto-approve", f"--wait={seconds}", "--json", *args)
    assert ran.code == ran.document["exit_code"] == 4, ran.err
    assert {one["outcome"] for one in ran.document["results"]} == {"done"}
    return [one["summary"] for one in ran.document["problems"] if one["code"] == "not-serving"]


def test_it_waits_until_all_serve(sandbox: Sandbox) -> None:
    """Workers take their time; each change ends when its endpoint serves, and only then the command does."""
    sandbox.sim.world.switch(worker_boot_seconds=0.8)
    sandbox.declare(item("chat"), item("embed"))
    started = time.monotonic()
    ran = sandbox.run("apply", "--auto-approve", "--wait")
    assert ran.code == 0
    assert time.monotonic() - started >= 0.8
    assert "novita_endpoint.chat: Serving after 1s" in ran.err
    assert "novita_endpoint.embed: Serving after " in ran.err
    assert "Apply complete! Resources: 2 added" in ran.out


def test_without_it_nobody_waits(sandbox: Sandbox) -> None:
    """An apply ends when what was written reads back."""
    sandbox.sim.world.switch(no_stock=True)
    sandbox.declare(item("chat"))
    assert "Serving" not in sandbox.apply().err


def test_the_reason_is_told_once_for_each_change_of_it(sandbox: Sandbox) -> None:
    """Pending, pulling, serving: a line for each that was seen, however often the account was asked."""
    sandbox.sim.world.switch(worker_boot_seconds=1.2)
    sandbox.declare(item("chat"))
    ran = sandbox.run("apply", "--auto-approve", "--wait=30")
    assert ran.code == 0
    told = [line.split(": ", 1)[1] for line in ran.err.splitlines() if "Waiting: " in line]
    assert told == list(dict.fromkeys(told))
    assert all(line.startswith("Waiting: worker w-") for line in told)
    assert told[-1].endswith(" pulling")


def test_one_listing_for_all(sandbox: Sandbox) -> None:
    """A poll is one listing, and no call for any single endpoint that is in it."""
    sandbox.sim.world.switch(worker_boot_seconds=0.5)
    sandbox.declare(*(item(f"e{number}") for number in range(8)))
    sandbox.apply()
    sandbox.declare(*(item(f"e{number}", image="ubuntu:24.04") for number in range(8)))
    calls: list[str] = []
    sandbox.sim.faults.after("list", lambda _: calls.append("list"), nth=0)
    sandbox.sim.faults.after("get", lambda _: calls.append("get"), nth=0)
    sandbox.sim.faults.after("update", lambda _: calls.append("update"), nth=0)
    assert sandbox.run("apply", "--auto-approve", "--wait").code == 0
    last_update = len(calls) - calls[::-1].index("update")
    assert set(calls[last_update:]) == {"list"}
    assert len(calls) - last_update > 2 * 2, "two pages read back what was written, and more than two wait"


def test_a_stuck_worker_is_told_when_time_is_over(sandbox: Sandbox) -> None:
    """Exit 4 with Novita's own words, in text as well; what was written stays written."""
    sandbox.sim.world.switch(no_stock=True)
    sandbox.declare(item("chat"), item("embed"))
    chat, embed = not_serving(sandbox)
    assert chat.startswith(
        f"`chat` ({sandbox.id('chat')}) was applied and does not serve after 0 s: worker w-"
    )
    assert chat.endswith("failed: failed to schedule worker")
    assert embed.startswith("`embed` (")
    sandbox.declare(item("chat", image="ubuntu:24.04"), item("embed"))
    ran = sandbox.run("apply", "--auto-approve", "--wait=0.2")
    assert ran.code == 4
    assert "Apply incomplete: 1 done, 1 not serving." in ran.out
    assert "Error: `chat` (" in ran.err
    assert "it may still come up by itself" in ran.err.lower()
    assert sandbox.plan().code == 0


def test_stock_that_comes_in_time(sandbox: Sandbox) -> None:
    """A worker that failed to start is no reason to give up: Novita starts another."""
    sandbox.sim.world.switch(no_stock=True)
    sandbox.declare(item("chat"))
    while_waiting(sandbox, lambda: sandbox.sim.world.switch(no_stock=False))
    ran = sandbox.run("apply", "--auto-approve", "--wait=30")
    assert ran.code == 0
    assert "failed to schedule worker" in ran.err


def test_scaled_to_zero_is_ready(sandbox: Sandbox) -> None:
    """With minReplicas 0 no worker is waited for, not even where there is no stock."""
    sandbox.sim.world.switch(no_stock=True)
    sandbox.declare(item("chat", minReplicas=0, maxReplicas=3))
    ran = sandbox.run("apply", "--auto-approve", "--wait")
    assert ran.code == 0
    assert "novita_endpoint.chat: idle: nothing has started yet\n" in ran.err
    assert "Serving" not in ran.err


def test_the_bar_counts_what_serves(sandbox: Sandbox) -> None:
    """E7: once all changes are made it begins again, and is full only when all serve."""
    sandbox.sim.world.switch(worker_boot_seconds=2.5)
    sandbox.declare(item("chat"), item("embed"))
    with terminal(sandbox, "apply", "--auto-approve", "--wait") as (screen, process):
        shown = ANSI.sub("", screen.rest())
        assert process.wait(60) == 0
    bars = re.findall(r"Serving ([━─]+) (\d)/2 ", shown)
    assert {count for _, count in bars} <= {"0", "1"}
    assert bars
    assert set(bars[0][0]) == {"─"}


def test_a_serving_endpoint_without_a_worker_is_waited_for(sandbox: Sandbox) -> None:
    """Its own state is not enough."""
    sandbox.sim.world.switch(no_stock=True, endpoint_state="serving")
    sandbox.declare(item("chat"))
    (told,) = not_serving(sandbox)
    assert told.endswith("failed: failed to schedule worker")


def test_one_that_is_deleted_meanwhile(sandbox: Sandbox) -> None:
    """It will never serve, so the wait for it ends; the others are waited for."""
    sandbox.sim.world.switch(worker_boot_seconds=0.6)
    sandbox.declare(item("chat"), item("embed"))
    while_waiting(sandbox, lambda: sandbox.sim.world.console_delete(sandbox.id("chat")))
    (told,) = not_serving(sandbox, seconds="30")
    assert told.endswith("was applied and does not serve: it is gone")


def test_one_that_is_going(sandbox: Sandbox) -> None:
    """While it terminates it is told as that."""
    sandbox.sim.world.switch(worker_boot_seconds=60, terminating_seconds=60)
    sandbox.declare(item("chat"))
    while_waiting(sandbox, lambda: sandbox.sim.world.console_delete(sandbox.id("chat")))
    (told,) = not_serving(sandbox, seconds="30")
    assert told.endswith("was applied and does not serve: it is terminating")


def test_a_listing_that_lags(sandbox: Sandbox) -> None:
    """What the listing does not show yet is asked for by its ID, and not taken for gone."""
    sandbox.sim.world.switch(list_lag_seconds=3600.0, worker_boot_seconds=0.3)
    sandbox.declare(item("chat"))
    assert sandbox.run("apply", "--auto-approve", "--wait=30").code == 0


def test_an_account_that_cannot_be_read_for_a_while(sandbox: Sandbox) -> None:
    """The apply is done and told; the wait goes on, and says why it did not see more."""
    sandbox.sim.world.switch(no_stock=True)
    sandbox.declare(item("chat"))
    fault = Fault(operation="list", kind="html", page=0)
    sandbox.sim.faults.after("create", lambda _: sandbox.sim.faults.add(fault))
    ran = sandbox.run("apply", "--auto-approve", "--wait=0.6")
    assert ran.code == 4
    assert "Apply incomplete: 1 done, 1 not serving." in ran.out
    assert "Waiting: failed to list Novita endpoints (403 Forbidden)" in ran.err
    assert "failed to schedule worker" in ran.err


def test_a_key_that_is_refused_meanwhile(sandbox: Sandbox) -> None:
    """Nobody could see it serve any more: the wait ends at once, and what was done is told."""
    sandbox.sim.world.switch(no_stock=True)
    sandbox.declare(item("chat"))
    while_waiting(sandbox, lambda: sandbox.sim.world.switch(api_key="another"))
    (told,) = not_serving(sandbox, seconds="60")
    assert "does not serve: failed to list Novita endpoints (403 Forbidden, INVALID_API_KEY)" in told


def test_only_what_was_done_is_waited_for(sandbox: Sandbox) -> None:
    """Neither what is unchanged nor what was deleted or failed; an adopted one is."""
    sandbox.declare(item("old"), item("same"))
    sandbox.apply()
    sandbox.sim.world.switch(worker_boot_seconds=3600.0)
    sandbox.sim.world.console_create(name="theirs", appName="theirs", workerConfig={"minNum": 0, "maxNum": 3})
    sandbox.sim.world.console_update(sandbox.id("same"), image={"command": "restarts it"})
    sandbox.declare(item("same"), item("theirs", replicas=2), item("bad"))
    sandbox.sim.faults.add(Fault(operation="create", status=400, reason="IMAGE_NOT_FOUND"))
    ran = sandbox.run("apply", "--auto-approve", "--adopt", "--wait=0.2", "--json")
    assert ran.code == 4
    late = [one["address"] for one in ran.document["problems"] if one["code"] == "not-serving"]
    assert late == ["novita_endpoint.theirs"]


def test_an_interrupt_ends_the_wait(sandbox: Sandbox) -> None:
    """Ctrl-C while waiting: 130 within a moment, whatever the interval, and what was done is told."""
    sandbox.write("config.yaml", {"novita": {"poll_interval": 600}})
    sandbox.sim.world.switch(no_stock=True)
    sandbox.declare(item("chat"))
    process = sandbox.start("apply", "--auto-approve", "--wait")
    assert process.stderr is not None
    heard = iter(process.stderr.readline, "")
    assert any("failed to schedule worker" in line for line in heard)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Apply complete! Resources: 1 added" in out
    assert "does not serve when the wait was interrupted: worker w-" in err
    assert sandbox.inventory["chat"]["id"] == sandbox.id("chat")


def test_an_interrupt_comes_before_a_failure(sandbox: Sandbox) -> None:
    """One change failed, and the wait for the other was interrupted: 130."""
    sandbox.sim.world.switch(no_stock=True)
    sandbox.sim.faults.add(Fault(operation="create", status=400, reason="IMAGE_NOT_FOUND"))
    sandbox.declare(item("a"), item("b"))
    while_waiting(sandbox, lambda: sandbox.started[-1].send_signal(signal.SIGINT))
    process = sandbox.start("apply", "--auto-approve", "--wait", "--json", "--parallelism", "1")
    out, _ = process.communicate(timeout=60)
    assert process.returncode == json.loads(out)["exit_code"] == 130
    assert [one["outcome"] for one in json.loads(out)["results"]] == ["failed", "done"]


def test_an_interrupted_apply_does_not_wait(sandbox: Sandbox) -> None:
    """What was interrupted before is not waited for at all."""
    sandbox.sim.world.switch(no_stock=True)
    sandbox.declare(item("a"), item("b"))
    sandbox.sim.faults.before("create", lambda _: sandbox.started[-1].send_signal(signal.SIGINT))
    process = sandbox.start("apply", "--auto-approve", "--wait", "--parallelism", "1")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "1 done, 1 not attempted" in out
    assert "serve" not in err.replace("SL-serverless-3", "")


def test_the_lock_is_free_while_it_waits(sandbox: Sandbox) -> None:
    """Somebody else may apply meanwhile."""
    sandbox.sim.world.switch(no_stock=True)
    sandbox.declare(item("chat"))
    entered, leave = threading.Event(), threading.Event()

    def hold(_request: Request) -> None:
        entered.set()
        leave.wait(20)

    sandbox.sim.faults.after("create", lambda _: sandbox.sim.faults.before("list", hold))
    process = sandbox.start("apply", "--auto-approve", "--wait=0.1")
    assert entered.wait(60)
    sandbox.declare(item("chat"), item("embed"))
    codes = sandbox.run("apply", "--auto-approve").code
    leave.set()
    process.communicate(timeout=60)
    assert (codes, process.returncode) == (0, 4)


@pytest.mark.parametrize("text", ["soon", "10h", "the.plan"])
def test_a_duration_that_is_none(sandbox: Sandbox, text: str) -> None:
    """It is a usage error before anything is asked."""
    sandbox.declare(item("chat"))
    ran = sandbox.run("apply", "--auto-approve", f"--wait={text}")
    assert ran.code == 64
    assert "is not a valid duration; use 60, 60s or 5m" in ran.err
    assert sandbox.sim.requests == []
