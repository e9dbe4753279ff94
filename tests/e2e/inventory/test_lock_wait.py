"""A run that waits for the lock says so, and who has it, on every engine."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

from reconciler.cli.output import Output
from reconciler.inventory.lock_holder import LockHolder
from reconciler.inventory.stores.address import open_store
from reconciler.model import durations
from reconciler.model.inventory_location import parse_location
from tests.e2e.inventory.test_shared_store import _address  # noqa: F401 - the fixture `address`
from tests.e2e.sandbox import Sandbox, item

BOB = LockHolder(
    who="bob",
    host="elsewhere",
    pid=os.getpid(),
    command="reconciler apply",
    since="2026-11-28T12:00:00Z",
    ci_run_url="",
    version="",
)


def run_while_locked(sandbox: Sandbox, location: str) -> str:
    """Return what an apply says that has to wait; the lock is free as soon as it says that it waits."""
    held, told = threading.Event(), threading.Event()
    tell: Callable[[Output, str], None] = Output.tell

    def note(out: Output, text: str) -> None:
        tell(out, text)
        if text.startswith("Waiting for the lock"):
            told.set()

    def hold() -> None:
        with open_store(parse_location(location), sandbox.root, os.environ).hold(BOB):
            held.set()
            assert told.wait(60)

    sandbox.monkeypatch.setattr(Output, "tell", note)
    sandbox.monkeypatch.setattr(durations, "LOCK_NOTICE", 0.05)
    sandbox.declare(item("a"))
    other = threading.Thread(target=hold)
    other.start()
    assert held.wait(60)
    ran = sandbox.run("apply", "--yes", "--lock-timeout", "60s", "--state", location)
    other.join(60)
    assert ran.code == 0, ran.err
    return next(line for line in ran.err.splitlines() if line.startswith("Waiting"))


def test_a_file(sandbox: Sandbox) -> None:
    assert run_while_locked(sandbox, "state/novita.json") == (
        "Waiting for the lock of the inventory state/novita.json, which bob on elsewhere"
        f" (pid {os.getpid()}, since 2026-11-28T12:00:00Z: reconciler apply) holds..."
    )


def test_a_shared_store(sandbox: Sandbox, address: str) -> None:
    line = run_while_locked(sandbox, address)
    assert line.startswith(f"Waiting for the lock of the inventory {address}")
    assert ("bob on elsewhere" in line) == (not address.startswith("http"))


def test_nothing_is_said_about_a_free_lock(sandbox: Sandbox) -> None:
    sandbox.declare(item("a"))
    ran = sandbox.run("apply", "--yes", "--lock-timeout", "60s")
    assert ran.code == 0
    assert "Waiting" not in ran.err
