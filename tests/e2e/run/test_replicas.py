"""Two replicas of `reconciler run`, and a command line, on one inventory."""

import json
import os
import signal
import subprocess
import sys
import time
from typing import Any

import pytest

from reconciler.controller.state import SYNC_STATE
from reconciler.inventory.lock_holder import current_holder
from reconciler.inventory.stores.address import open_store
from reconciler.inventory.stores.base import APPROVED_PLAN, Store
from tests.e2e.run.test_process import AUTO, OFTEN, ended
from tests.e2e.sandbox import ROOT, Sandbox, item
from tests.postgres_server import PostgresServer
from tests.terminal import on_terminal

NAMES = ("a", "b", "c", "d")


@pytest.fixture
def address(sandbox: Sandbox, postgres_server: PostgresServer) -> str:
    """An inventory in PostgreSQL, and a policy that applies."""
    sandbox.write("config.yaml", AUTO)
    return postgres_server.address("prod")


def store_of(sandbox: Sandbox, address: str) -> Store:
    return open_store(address, sandbox.root, {})


def leader_of(store: Store) -> int:
    """Wait until a process leads, and return it."""
    end = time.monotonic() + 60
    while (found := store.sibling.holder()) is None or not found.pid:
        assert time.monotonic() < end, "nobody leads"
        time.sleep(0.01)
    return found.pid


def state_of(store: Store) -> dict[str, Any]:
    """Return what the leader knows."""
    found: dict[str, Any] = json.loads(store.sibling.read_document(SYNC_STATE) or b"{}")
    return found


def completed(store: Store) -> None:
    """Wait until an apply that was interrupted is completed."""
    end = time.monotonic() + 60
    while store.read_document(APPROVED_PLAN) is not None:
        assert time.monotonic() < end, "the apply is not completed"
        time.sleep(0.05)


def two(sandbox: Sandbox, *args: str) -> tuple[subprocess.Popen[str], subprocess.Popen[str]]:
    """Start two replicas, and return the one that leads and the other one."""
    replicas = [sandbox.start(*args), sandbox.start(*args)]
    leader = leader_of(store_of(sandbox, args[args.index("--state") + 1]))
    replicas.sort(key=lambda one: one.pid != leader)
    return replicas[0], replicas[1]


def test_an_apply_whose_leader_dies_is_completed_by_the_next_one(sandbox: Sandbox, address: str) -> None:
    """At once, and not at its next interval. It looks for what the dead one began, and creates the rest."""
    sandbox.declare(item("first"))
    leader, other = two(
        sandbox, "run", "--poll", "0.1s", "--interval", "60m", "--parallelism", "1", "--state", address
    )
    sandbox.await_live("first")
    sandbox.sim.faults.after("create", lambda _: os.kill(leader.pid, signal.SIGKILL), nth=2)
    sandbox.declare(*map(item, ("first", *NAMES)))
    assert leader.wait(30) == -signal.SIGKILL
    for name in NAMES:
        sandbox.await_live(name)
    completed(store_of(sandbox, address))
    ended(other)
    assert len(sandbox.sent("create")) == 1 + len(NAMES)
    assert set(sandbox.live()) == {"first", *NAMES}
    assert sandbox.run("--state", address, "plan", "--detailed-exitcode").code == 0


def test_an_approved_plan_whose_leader_dies_needs_no_second_approval(sandbox: Sandbox, address: str) -> None:
    sandbox.write("config.yaml", {"novita": {"settle_seconds": 0.05}})
    sandbox.declare(*map(item, NAMES))
    leader, other = two(sandbox, *OFTEN, "--parallelism", "1", "--state", address)
    store, end = store_of(sandbox, address), time.monotonic() + 60
    while not (waiting := state_of(store).get("waiting")):
        assert time.monotonic() < end, "no plan waits"
        time.sleep(0.05)
    sandbox.sim.faults.after("create", lambda _: os.kill(leader.pid, signal.SIGKILL), nth=2)
    command = [sys.executable, "-m", "reconciler", "--state", address, "approve", waiting["digest"]]
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
    code, screen = on_terminal(command, environ, cwd=sandbox.root, answer="yes")
    assert code == 0, screen
    assert leader.wait(30) == -signal.SIGKILL
    for name in NAMES:
        sandbox.await_live(name)
    completed(store)
    ended(other)
    assert len(sandbox.sent("create")) == len(NAMES)
    assert sandbox.run("--state", address, "plan", "--detailed-exitcode").code == 0


def test_a_replica_acts_as_soon_as_the_leader_has_ended(sandbox: Sandbox, address: str) -> None:
    sandbox.declare(item("a"))
    leader, other = two(sandbox, *OFTEN, "--state", address)
    sandbox.await_live("a")
    began = time.monotonic()
    ended(leader)
    assert leader_of(store_of(sandbox, address)) == other.pid
    assert time.monotonic() - began < 25
    sandbox.declare(item("a"), item("b"))
    sandbox.await_live("b")
    assert f"(pid {other.pid}) acts now" in ended(other)


def test_a_leader_waits_for_a_command_line_and_says_so(sandbox: Sandbox, address: str) -> None:
    """It keeps its leadership: another leader would meet the same lock."""
    sandbox.declare(item("a"))
    leader, other = two(sandbox, *OFTEN, "--state", address)
    sandbox.await_live("a")
    store = store_of(sandbox, address)
    anna = current_holder(command="reconciler apply", environ={"USER": "anna"}, clock=time.time)
    with store.hold(anna, timeout=10):
        sandbox.declare(item("a"), item("b"))
        end = time.monotonic() + 60
        while not any("locked by anna" in line for line in state_of(store).get("paused", ())):
            assert time.monotonic() < end, "it does not say that it waits"
            time.sleep(0.05)
        assert leader_of(store) == leader.pid
        assert set(sandbox.live()) == {"a"}
    sandbox.apply("--state", address, "--lock-timeout", "20s")
    ended(other)
    said = ended(leader)
    assert f"waiting: The inventory {address} is locked by anna on " in said
    assert "failed" not in said
    assert len(sandbox.sent("create")) == 2
