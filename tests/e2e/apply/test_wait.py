"""`apply --wait`: done is when it serves, and what keeps it from serving is told."""

import json
import signal
import threading
import time
from collections.abc import Callable

import pytest

from reconciler.simulator import Fault, Request
from tests.e2e.desk import Sandbox, item


@pytest.fixture
def desk(desk: Sandbox) -> Sandbox:
    """A desk that polls ten times a second."""
    desk.write("config.yaml", {"novita": {"settle_seconds": 0.2, "poll_interval": 0.1}})
    return desk


def while_waiting(desk: Sandbox, action: Callable[[], object], *, poll: int = 2) -> None:
    """Let something happen right before the account is looked at for the nth time after the first create."""

    def arm(_request: Request) -> None:
        # a listing takes two calls: the page, and the one that proves the end
        desk.sim.faults.before("list", lambda _: action(), nth=2 * poll - 1)

    desk.sim.faults.after("create", arm)


def not_serving(desk: Sandbox, *args: str, seconds: str = "0.3") -> list[str]:
    """What is said of each endpoint by an apply whose changes were done and that ends with 4."""
    ran = desk.run("apply", "--auto-approve", f"--wait={seconds}", "--json", *args)
    assert ran.code == ran.document["exit_code"] == 4, ran.err
    assert {one["outcome"] for one in ran.document["results"]} == {"done"}
    return [one["summary"] for one in ran.document["problems"] if one["code"] == "not-serving"]


def test_it_waits_until_all_serve(desk: Sandbox) -> None:
    """Workers take their time; each change ends when its endpoint serves, and only then the command does."""
    desk.sim.world.switch(worker_boot_seconds=0.8)
    desk.declare(item("chat"), item("embed"))
    started = time.monotonic()
    ran = desk.run("apply", "--auto-approve", "--wait")
    assert ran.code == 0
    assert time.monotonic() - started >= 0.8
    assert "novita_endpoint.chat: Serving after 1s" in ran.err
    assert "novita_endpoint.embed: Serving after " in ran.err
    assert "Apply complete! Resources: 2 added" in ran.out


def test_without_it_nobody_waits(desk: Sandbox) -> None:
    """An apply ends when what was written reads back."""
    desk.sim.world.switch(no_stock=True)
    desk.declare(item("chat"))
    assert "Serving" not in desk.apply().err


def test_the_reason_is_told_once_for_each_change_of_it(desk: Sandbox) -> None:
    """Pending, pulling, serving: a line for each that was seen, however often the account was asked."""
    desk.sim.world.switch(worker_boot_seconds=1.2)
    desk.declare(item("chat"))
    ran = desk.run("apply", "--auto-approve", "--wait=30")
    assert ran.code == 0
    told = [line.split(": ", 1)[1] for line in ran.err.splitlines() if "Waiting: " in line]
    assert told == list(dict.fromkeys(told))
    assert all(line.startswith("Waiting: worker w-") for line in told)
    assert told[-1].endswith(" pulling")


def test_one_listing_for_all(desk: Sandbox) -> None:
    """A poll is one listing, and no call for any single endpoint that is in it."""
    desk.sim.world.switch(worker_boot_seconds=0.5)
    desk.declare(*(item(f"e{number}") for number in range(8)))
    desk.apply()
    desk.declare(*(item(f"e{number}", image="ubuntu:24.04") for number in range(8)))
    calls: list[str] = []
    desk.sim.faults.after("list", lambda _: calls.append("list"), nth=0)
    desk.sim.faults.after("get", lambda _: calls.append("get"), nth=0)
    assert desk.run("apply", "--auto-approve", "--wait").code == 0
    last_get = len(calls) - calls[::-1].index("get")
    assert last_get < len(calls) - 1, "looked at more than once"
    assert set(calls[last_get:]) == {"list"}


def test_a_stuck_worker_is_told_when_time_is_over(desk: Sandbox) -> None:
    """Exit 4 with Novita's own words, in text as well; what was written stays written."""
    desk.sim.world.switch(no_stock=True)
    desk.declare(item("chat"), item("embed"))
    chat, embed = not_serving(desk)
    assert chat.startswith(f"`chat` ({desk.id('chat')}) was applied and does not serve after 0 s: worker w-")
    assert chat.endswith("failed: failed to schedule worker")
    assert embed.startswith("`embed` (")
    desk.declare(item("chat", image="ubuntu:24.04"), item("embed"))
    ran = desk.run("apply", "--auto-approve", "--wait=0.2")
    assert ran.code == 4
    assert "Apply complete! Resources: 0 added, 1 changed" in ran.out
    assert "Error: `chat` (" in ran.err
    assert "it may still come up by itself" in ran.err.lower()
    assert desk.plan().code == 0


def test_stock_that_comes_in_time(desk: Sandbox) -> None:
    """A worker that failed to start is no reason to give up: Novita starts another."""
    desk.sim.world.switch(no_stock=True)
    desk.declare(item("chat"))
    while_waiting(desk, lambda: desk.sim.world.switch(no_stock=False))
    ran = desk.run("apply", "--auto-approve", "--wait=30")
    assert ran.code == 0
    assert "failed to schedule worker" in ran.err


def test_scaled_to_zero_is_ready(desk: Sandbox) -> None:
    """With minReplicas 0 no worker is waited for, not even where there is no stock."""
    desk.sim.world.switch(no_stock=True)
    desk.declare(item("chat", minReplicas=0, maxReplicas=3))
    ran = desk.run("apply", "--auto-approve", "--wait")
    assert ran.code == 0
    assert "Serving after 0s" in ran.err


def test_one_that_is_deleted_meanwhile(desk: Sandbox) -> None:
    """It will never serve, so the wait for it ends; the others are waited for."""
    desk.sim.world.switch(worker_boot_seconds=0.6)
    desk.declare(item("chat"), item("embed"))
    while_waiting(desk, lambda: desk.sim.world.console_delete(desk.id("chat")))
    (told,) = not_serving(desk, seconds="30")
    assert told.endswith("was applied and does not serve: it is gone")


def test_one_that_is_going(desk: Sandbox) -> None:
    """While it terminates it is told as that."""
    desk.sim.world.switch(worker_boot_seconds=60, terminating_seconds=60)
    desk.declare(item("chat"))
    while_waiting(desk, lambda: desk.sim.world.console_delete(desk.id("chat")))
    (told,) = not_serving(desk, seconds="30")
    assert told.endswith("was applied and does not serve: it is terminating")


def test_a_listing_that_lags(desk: Sandbox) -> None:
    """What the listing does not show yet is asked for by its ID, and not taken for gone."""
    desk.sim.world.switch(list_lag_seconds=3600.0, worker_boot_seconds=0.3)
    desk.declare(item("chat"))
    assert desk.run("apply", "--auto-approve", "--wait=30").code == 0


def test_an_account_that_cannot_be_read_for_a_while(desk: Sandbox) -> None:
    """The apply is done and told; the wait goes on, and says why it did not see more."""
    desk.sim.world.switch(no_stock=True)
    desk.declare(item("chat"))
    desk.sim.faults.after("create", lambda _: desk.sim.faults.add(Fault(operation="list", kind="html")))
    ran = desk.run("apply", "--auto-approve", "--wait=0.6")
    assert ran.code == 4
    assert "Apply complete! Resources: 1 added" in ran.out
    assert "Waiting: failed to list Novita endpoints (403 Forbidden)" in ran.err
    assert "failed to schedule worker" in ran.err


def test_a_key_that_is_refused_meanwhile(desk: Sandbox) -> None:
    """Nobody could see it serve any more: the wait ends at once, and what was done is told."""
    desk.sim.world.switch(no_stock=True)
    desk.declare(item("chat"))
    while_waiting(desk, lambda: desk.sim.world.switch(api_key="another"))
    (told,) = not_serving(desk, seconds="60")
    assert "does not serve: failed to list Novita endpoints (403 Forbidden, INVALID_API_KEY)" in told


def test_only_what_was_done_is_waited_for(desk: Sandbox) -> None:
    """Neither what is unchanged nor what was deleted or failed; an adopted one is."""
    desk.declare(item("old"), item("same"))
    desk.apply()
    desk.sim.world.switch(worker_boot_seconds=3600.0)
    desk.sim.world.console_create(name="theirs", appName="theirs", workerConfig={"minNum": 0, "maxNum": 3})
    desk.sim.world.console_update(desk.id("same"), image={"command": "restarts it"})
    desk.declare(item("same"), item("theirs", replicas=2), item("bad"))
    desk.sim.faults.add(Fault(operation="create", status=400, reason="IMAGE_NOT_FOUND"))
    ran = desk.run("apply", "--auto-approve", "--adopt", "--wait=0.2", "--json")
    assert ran.code == 4
    late = [one["address"] for one in ran.document["problems"] if one["code"] == "not-serving"]
    assert late == ["novita_endpoint.theirs"]


def test_an_interrupt_ends_the_wait(desk: Sandbox) -> None:
    """Ctrl-C while waiting: 130 within a moment, whatever the interval, and what was done is told."""
    desk.write("config.yaml", {"novita": {"poll_interval": 600}})
    desk.sim.world.switch(no_stock=True)
    desk.declare(item("chat"))
    process = desk.start("apply", "--auto-approve", "--wait")
    assert process.stderr is not None
    heard = iter(process.stderr.readline, "")
    assert any("failed to schedule worker" in line for line in heard)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=10)
    assert process.returncode == 130
    assert "Apply complete! Resources: 1 added" in out
    assert "does not serve when the wait was interrupted: worker w-" in err
    assert desk.inventory["chat"]["id"] == desk.id("chat")


def test_an_interrupt_comes_before_a_failure(desk: Sandbox) -> None:
    """One change failed, and the wait for the other was interrupted: 130."""
    desk.sim.world.switch(no_stock=True)
    desk.sim.faults.add(Fault(operation="create", status=400, reason="IMAGE_NOT_FOUND"))
    desk.declare(item("a"), item("b"))
    while_waiting(desk, lambda: desk.started[-1].send_signal(signal.SIGINT))
    process = desk.start("apply", "--auto-approve", "--wait", "--json", "--parallelism", "1")
    out, _ = process.communicate(timeout=20)
    assert process.returncode == json.loads(out)["exit_code"] == 130
    assert [one["outcome"] for one in json.loads(out)["results"]] == ["failed", "done"]


def test_an_interrupted_apply_does_not_wait(desk: Sandbox) -> None:
    """What was interrupted before is not waited for at all."""
    desk.sim.world.switch(no_stock=True)
    desk.declare(item("a"), item("b"))
    desk.sim.faults.before("create", lambda _: desk.started[-1].send_signal(signal.SIGINT))
    process = desk.start("apply", "--auto-approve", "--wait", "--parallelism", "1")
    out, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "1 done, 1 not attempted" in out
    assert "serve" not in err


def test_the_lock_is_free_while_it_waits(desk: Sandbox) -> None:
    """Somebody else may apply meanwhile."""
    desk.sim.world.switch(no_stock=True)
    desk.declare(item("chat"))
    entered, leave = threading.Event(), threading.Event()

    def hold(_request: Request) -> None:
        entered.set()
        leave.wait(20)

    desk.sim.faults.after("create", lambda _: desk.sim.faults.before("list", hold))
    process = desk.start("apply", "--auto-approve", "--wait=0.1")
    assert entered.wait(20)
    desk.declare(item("chat"), item("embed"))
    codes = desk.run("apply", "--auto-approve").code
    leave.set()
    process.communicate(timeout=20)
    assert (codes, process.returncode) == (0, 4)


@pytest.mark.parametrize("text", ["soon", "10h", "the.plan"])
def test_a_duration_that_is_none(desk: Sandbox, text: str) -> None:
    """It is a usage error before anything is asked."""
    desk.declare(item("chat"))
    ran = desk.run("apply", "--auto-approve", f"--wait={text}")
    assert ran.code == 64
    assert "is not a valid duration; use 60, 60s or 5m" in ran.err
    assert desk.sim.requests == []
