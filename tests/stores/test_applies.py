"""An apply is killed, stopped or cut off between the intent, the create and the record of an endpoint."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.inventory.session import load
from reconciler.simulator import Server
from tests.chaos.declarations import SPECS
from tests.chaos.processes import Runs
from tests.fork_server import ForkServer
from tests.stores.engines import StoreUnderTest

NAMES = ("a", "b", "c")


class Sandbox:
    """Three endpoints to create, a simulated account, and one inventory in a store."""

    def __init__(
        self, folder: Path, fork_server: ForkServer, novita: Server, under_test: StoreUnderTest
    ) -> None:
        self.novita = novita
        self.under_test = under_test
        self.runs = Runs(folder, fork_server, novita)
        self.runs.environ = dict(under_test.disturbed_environ)
        self.runs.options = ("--state", under_test.disturbed)
        (folder / "specs.yaml").write_text(json.dumps(SPECS))
        (folder / "config.yaml").write_text(json.dumps({"novita": {"settle_seconds": 0.3}}))
        items = [{"endpoint": name, "appName": name, "specName": "small", "image": "i:1"} for name in NAMES]
        (folder / "endpoints.yaml").write_text(json.dumps({"endpoints": items}))

    def at_create(self, when: str, action: Callable[[], object]) -> None:
        """Perform an action right before or after Novita performs the first create."""
        hook = self.novita.faults.before if when == "before" else self.novita.faults.after
        hook("create", lambda *_: action(), nth=1)

    def check_convergence(self) -> None:
        """Apply once more: each endpoint is there once and recorded, and a plan is empty."""
        self.under_test.free_lock()
        codes = [self.runs.run("apply", "--yes"), self.runs.run("plan", "--detailed-exitcode")]
        log = self.runs.out.read_text()
        assert codes == [0, 0], log
        live = {one["name"]: one["id"] for one in self.novita.world.endpoints}
        assert Counter(one["name"] for one in self.novita.world.endpoints) == Counter(NAMES), log
        inventory = load(self.under_test.store())
        assert {name: record.id for name, record in inventory.records.items()} == live, log
        assert not inventory.intents
        assert "Traceback" not in log
        assert "has a bug" not in log


@pytest.fixture
def sandbox(tmp_path: Path, fork_server: ForkServer, under_test: StoreUnderTest) -> Iterator[Sandbox]:
    with Server() as novita:
        yield Sandbox(tmp_path, fork_server, novita, under_test)


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_apply_may_be_killed_at_a_create(sandbox: Sandbox, when: str) -> None:
    started: list[int] = []
    may_kill = threading.Event()

    def kill() -> None:
        may_kill.wait(10)
        os.kill(started[0], signal.SIGKILL)

    sandbox.at_create(when, kill)
    started.append(sandbox.runs.start("apply", "--yes"))
    may_kill.set()
    assert sandbox.runs.wait(started[0]) == -signal.SIGKILL
    sandbox.check_convergence()


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_apply_may_lose_its_connections_at_a_create(sandbox: Sandbox, when: str) -> None:
    """Before it: between the intent and the create. After it: between the create and the record."""
    relay = sandbox.under_test.relay
    if relay is None:
        pytest.skip("a file has no connection")
    sandbox.at_create(when, relay.drop)
    code = sandbox.runs.run("apply", "--yes")
    assert code in (0, 1, 5), sandbox.runs.out.read_text()
    sandbox.check_convergence()


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_apply_may_be_stopped_at_a_create_until_another_took_its_lock(sandbox: Sandbox, when: str) -> None:
    """It wakes up in the middle of its work. What it has sent is found; it sends nothing more."""
    under_test, pid, is_stopped = sandbox.under_test, [0], threading.Event()
    has_started = threading.Event()

    def stop() -> None:
        has_started.wait(10)
        os.kill(pid[0], signal.SIGSTOP)
        is_stopped.set()

    sandbox.at_create(when, stop)
    pid[0] = sandbox.runs.start("apply", "--yes", "--parallelism", "1")
    has_started.set()
    assert is_stopped.wait(60)
    options: tuple[Any, ...] = ()
    if under_test.name == "s3" and when == "before":
        options = ("--lock-timeout", "30s")
    elif under_test.can_unlock:
        store = under_test.store()
        found = store.holder()
        assert found
        store.unlock(found.lock_id)
    code = sandbox.runs.run("apply", "--yes", *options)
    assert code == (0 if under_test.can_unlock else 7), sandbox.runs.out.read_text()
    sent = sandbox.runs.writes()
    os.kill(pid[0], signal.SIGCONT)
    code = sandbox.runs.wait(pid[0])
    if under_test.can_unlock:
        assert code != 0
        assert sandbox.runs.writes() == sent, sandbox.runs.out.read_text()
    else:
        assert code == 0
    sandbox.check_convergence()


def test_a_create_that_arrives_after_a_takeover_is_no_duplicate(sandbox: Sandbox) -> None:
    """The run was killed when it had sent a create, which Novita performs after the next run has ended.

    No lock of a store can stop that request. The name of the app is taken by then, or the next run found it.
    """
    pid, is_sent, may_arrive = [0], threading.Event(), threading.Event()
    has_started = threading.Event()

    def wait() -> None:
        has_started.wait(10)
        os.kill(pid[0], signal.SIGKILL)
        is_sent.set()
        assert may_arrive.wait(50)

    sandbox.at_create("before", wait)
    pid[0] = sandbox.runs.start("apply", "--yes", "--parallelism", "1")
    has_started.set()
    assert is_sent.wait(60)
    assert sandbox.runs.wait(pid[0]) == -signal.SIGKILL
    sandbox.under_test.free_lock()
    code = sandbox.runs.run("apply", "--yes")
    may_arrive.set()
    assert code in (0, 1, 5), sandbox.runs.out.read_text()
    sandbox.check_convergence()
