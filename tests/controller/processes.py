"""Processes that want to lead one inventory, which a test can stop and kill."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

from reconciler.controller.clock import SystemClock
from reconciler.controller.leader import leadership
from reconciler.controller.state import SYNC_STATE
from reconciler.model.errors import InventoryError
from reconciler.model.inventory_location import parse_location
from reconciler.workflow.runtime.context import Context
from tests.stores.engines import StoreUnderTest

_FORKS: Final = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.stores.writers", "tests.controller.processes"])

SECONDS: Final = 60
"""The longest wait for something that must happen."""

PERIOD: Final = 0.02
"""Seconds between two acts of a leader. Each replaces the document by its name."""


class Process:
    """A process that leads, or waits to lead. It tells each turn of events as a tuple of texts.

    ("waits", who leads, hint), ("leads",), ("lost", code), ("ended",)
    """

    def __init__(self, address: str, environ: Mapping[str, str], who: str, idle: float) -> None:
        self._pipe, theirs = _FORKS.Pipe()
        arguments = (theirs, address, dict(environ), who, idle)
        self._process = _FORKS.Process(target=_control, args=arguments, daemon=True)
        self._process.start()
        theirs.close()
        self.who = who
        assert self._process.pid
        self.pid: int = self._process.pid

    def next(self) -> tuple[str, ...]:
        """Return the next turn of events."""
        assert self._pipe.poll(SECONDS), f"{self.who} tells nothing"
        found: tuple[str, ...] = self._pipe.recv()
        return found

    def is_silent(self) -> bool:
        return not self._pipe.poll(0)

    def send(self, number: int) -> None:
        """Send a signal."""
        os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill the process as `kill -9` does, and wait for its end."""
        self._process.kill()
        self._process.join(60)

    def wait(self) -> int | None:
        """Return the exit code of the process, which ends by itself."""
        self._process.join(SECONDS)
        return self._process.exitcode


@contextmanager
def process(
    under_test: StoreUnderTest, who: str, *, is_disturbed: bool = False, idle: float = 0.0
) -> Iterator[Process]:
    """Start a process. is_disturbed: it reaches the store through the relay."""
    address = under_test.disturbed if is_disturbed else under_test.address
    environ = under_test.disturbed_environ if is_disturbed else under_test.environ
    started = Process(address, environ, who, idle)
    try:
        yield started
    finally:
        started.kill()


def _control(pipe: Connection, address: str, environ: Mapping[str, str], who: str, idle: float) -> None:
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    context = Context(
        root=Path("/"), environ=environ, state=parse_location(address), command="reconciler run", who=who
    )

    def tell(*turn: Any) -> None:
        pipe.send(turn)

    while not stop.is_set():
        with leadership(
            context,
            stop,
            SystemClock(),
            tell=lambda problem: tell("waits", problem.summary, problem.hint),
            idle=idle,
        ) as leader:
            if leader is None:
                break
            tell("leads")
            try:
                while not stop.is_set():
                    leader.write_document(SYNC_STATE, who.encode())
                    stop.wait(PERIOD)
            except InventoryError as error:
                tell("lost", error.problem.code)
    tell("ended")
    time.sleep(0.01)
    os._exit(0)
