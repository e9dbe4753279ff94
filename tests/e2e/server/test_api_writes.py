"""`doctor --probe-api --with-writes` names the switch that was set, and leaves nothing behind."""

from __future__ import annotations

import random
import signal
import time
from typing import Any

import pytest

from reconciler.apply.clock import SystemClock
from reconciler.inventory.lock_holder import current_holder
from reconciler.inventory.stores.address import open_store
from reconciler.model.problem import ExitCode
from reconciler.simulator import Fault
from reconciler.simulator.profile import profile_from
from tests.e2e.sandbox import Sandbox, item

COMMAND = ("doctor", "--probe-api", "--with-writes", "--yes")
SWITCHES = (
    "request_timeout_fill=60", "cuda_fill=12.4", "update_omitted=keep", "immutable=refuse",
    "check_references=true", "clamp.workerConfig.freeTimeout=1000", "clamp.policy.value=500",
    "env_order=reversed", "env_order=shuffled", "drain_offered=false", "delete_key=id", "delete_key=name",
    "delete_key=strict", "delete_key=strict-name", "cluster_inactive_tries=2", "number_style=int",
)  # fmt: skip
LAGS = (
    "get_lag_seconds", "list_lag_seconds", "update_lag_seconds", "get_behind_seconds", "list_behind_seconds",
    "terminating_seconds",
)  # fmt: skip


@pytest.fixture
def moments(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time of the account and of the waits, which passes only while a run waits."""
    now = [1_800_000_000.0]
    account = sandbox.sim.world._account
    account.clock = sandbox.sim.world._clock = lambda: now[0]
    monkeypatch.setattr(SystemClock, "now", lambda _self: now[0])
    monkeypatch.setattr(SystemClock, "wait", lambda _self, seconds: now.__setitem__(0, now[0] + seconds))
    return now


def switch(sandbox: Sandbox, settings: list[str]) -> None:
    account = sandbox.sim.world._account
    account.profile = profile_from(settings, account.profile)


def options(document: dict[str, Any]) -> list[str]:
    return [word for word in document["simulator"].split()[2:] if word != "--set"]


def left(sandbox: Sandbox) -> list[str]:
    return [name for name in sandbox.live() if name.startswith("reconciler-probe-")]


@pytest.mark.parametrize("setting", ["", *SWITCHES])
def test_the_report_names_the_switch_that_is_set(
    sandbox: Sandbox, moments: list[float], setting: str
) -> None:
    switch(sandbox, setting.split())

    ran = sandbox.run(*COMMAND, "--json")

    assert ran.code == 0, ran.err
    assert options(ran.document) == setting.split()
    assert left(sandbox) == []


@pytest.mark.parametrize("name", LAGS)
def test_the_report_names_the_lag_that_is_set(sandbox: Sandbox, moments: list[float], name: str) -> None:
    switch(sandbox, [f"{name}=2"])

    ran = sandbox.run(*COMMAND, "--json")

    assert ran.code == 0, ran.err
    (found,) = options(ran.document)
    key, _, seconds = found.partition("=")
    assert key == name
    assert 2 <= float(seconds) <= 2.8  # the pauses between reads are up to 0.3 s after two seconds


@pytest.mark.parametrize("seed", range(4))
def test_the_report_names_each_switch_of_a_mixture(sandbox: Sandbox, moments: list[float], seed: int) -> None:
    chosen = {one.partition("=")[0]: one for one in random.Random(seed).sample(SWITCHES, 5)}
    switch(sandbox, list(chosen.values()))

    ran = sandbox.run(*COMMAND, "--json")

    assert ran.code == 0, ran.err
    assert sorted(options(ran.document)) == sorted(chosen.values())


def test_nothing_is_written_without_the_word(sandbox: Sandbox) -> None:
    ran = sandbox.run("doctor", "--probe-api", "--with-writes", typed="yes\nyes\n")

    assert ran.code == 1
    assert sandbox.sent() == []
    assert "Only 'create' will be accepted" in ran.err
    assert "at most $0.035" in ran.err
    assert "reconciler doctor --probe-api --with-writes --yes" in ran.err


def test_yes_alone_writes_nothing(sandbox: Sandbox) -> None:
    assert sandbox.run("doctor", "--probe-api", "--yes").code == 0
    assert sandbox.sent() == []


def test_other_endpoints_are_not_touched(sandbox: Sandbox) -> None:
    sandbox.declare(item("chat"))
    sandbox.apply()
    before = sandbox.live()

    assert sandbox.run(*COMMAND).code == 0
    assert sandbox.live() == before
    assert sandbox.plan().code == 0


@pytest.mark.parametrize(
    ("setting", "why"),
    [("balance=0", "the balance of $0.00 is not enough"), ("limits.minRootfsSize=200", "200")],
)
def test_it_refuses_without_money_or_quota(sandbox: Sandbox, setting: str, why: str) -> None:
    switch(sandbox, [setting])

    ran = sandbox.run(*COMMAND)

    assert ran.code == 1
    assert why in ran.err
    assert sandbox.sent() == []


def test_it_waits_for_no_other_writer(sandbox: Sandbox) -> None:
    store = open_store(sandbox.root / "state" / "novita.json", sandbox.root, {})
    holder = current_holder(command="reconciler apply", environ={}, clock=time.time, who="")
    with store.hold(holder, timeout=0):
        ran = sandbox.run(*COMMAND)

    assert ran.code == ExitCode.LOCKED
    assert sandbox.sent() == []


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


def test_a_create_whose_answer_is_lost_is_found(sandbox: Sandbox) -> None:
    switch(sandbox, ["request_timeout_fill=60"])
    sandbox.sim.faults.add(Fault(operation="create", kind="lost_answer"))

    ran = sandbox.run(*COMMAND)

    assert len(sandbox.sent("create")) == 1
    assert left(sandbox) == []
    assert ran.code in (0, 5), ran.err


def remove(sandbox: Sandbox, name: str) -> None:
    """Run the commands that the probe prints, and expect that nothing is left."""
    assert sandbox.run("recover").code == 0
    if name in sandbox.live() or name in sandbox.run("state", "list").out:
        ran = sandbox.run("delete", name, "--yes")
        assert ran.code == 0, ran.err
    assert left(sandbox) == []
    assert name not in sandbox.run("state", "list").out


@pytest.mark.parametrize(
    ("operation", "when", "nth"),
    [("create", "before", 2), ("create", "after", 2), ("update", "after", 1), ("update", "after", 6),
     ("delete", "before", 1), ("delete", "after", 1)],
)  # fmt: skip
def test_what_a_killed_run_leaves_can_be_removed(
    sandbox: Sandbox, operation: str, when: str, nth: int
) -> None:
    sandbox.killed(operation, when=when, nth=nth, command=COMMAND)
    log = (sandbox.root.parent / "killed.log").read_text()
    name = log.partition("reconciler delete ")[2].split()[0]

    remove(sandbox, name)
    assert sandbox.run(*COMMAND).code == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_deletes_the_endpoint(sandbox: Sandbox, number: int) -> None:
    processes: list[Any] = []
    sandbox.sim.faults.after("update", lambda _: processes[0].send_signal(number), nth=2)
    processes.append(sandbox.start(*COMMAND))
    out, err = processes[0].communicate(timeout=60)

    assert processes[0].returncode == 130, out + err
    assert "The endpoint is deleted." in err
    assert left(sandbox) == []
