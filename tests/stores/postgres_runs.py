"""Runs that hold the lock of an inventory in PostgreSQL: in this process, and in one that can be killed."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from reconciler.inventory.lock_holder import LockHolder, current_holder
from tests.stores.other_run import other_run


def holder(command: str = "apply") -> LockHolder:
    """Return this process as a holder of a lock."""
    return current_holder(command=command, environ={"USER": "ann"}, clock=time.time)


@contextmanager
def other_process(
    address: str, *, reconnects: float = 30.0, prefix: Sequence[str] = ()
) -> Iterator[subprocess.Popen[str]]:
    """Yield a process that holds the lock and appends each line of its input. `prefix` starts it."""
    setup = f"from reconciler.inventory.stores.postgres import lock; lock.RECONNECT_TIMEOUT = {reconnects}"
    with other_run(address, os.environ, who="other", setup=setup, prefix=prefix) as process:
        yield process


def append(process: subprocess.Popen[str], line: str) -> str:
    """Let a process append a line, and return `appended` or the code of its problem."""
    assert process.stdin
    process.stdin.write(f"{line}\n")
    process.stdin.flush()
    return answer(process)


def answer(process: subprocess.Popen[str]) -> str:
    """Return the next line of a process."""
    assert process.stdout
    return process.stdout.readline().strip()
