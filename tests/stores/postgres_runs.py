"""Runs that hold the lock of an inventory in PostgreSQL: in this process, and in one that can be killed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from reconciler.inventory.lock_holder import LockHolder, current_holder

_PROGRAM = """
import os, sys, time
from reconciler.inventory.lock_holder import current_holder
from reconciler.inventory.stores.postgres import lock, open_store

lock.RECONNECT_TIMEOUT = float(sys.argv[2])
store = open_store(sys.argv[1], os.environ)
with store.hold(current_holder(command="apply", environ=os.environ, clock=time.time, who="other")) as hold:
    hold.append(b"of the other run\\n")
    print("held", flush=True)
    for line in sys.stdin:
        try:
            hold.check()
            hold.append(line.encode())
            print("appended", flush=True)
        except Exception as error:
            print(error.problem.code, flush=True)
"""


def holder(command: str = "apply") -> LockHolder:
    """Return this process as a holder of a lock."""
    return current_holder(command=command, environ={"USER": "ann"}, clock=time.time)


@contextmanager
def other_process(
    address: str, *, reconnects: float = 30.0, prefix: Sequence[str] = ()
) -> Iterator[subprocess.Popen[str]]:
    """Yield a process that holds the lock and appends each line of its input. `prefix` starts it."""
    command = [*prefix, sys.executable, "-c", _PROGRAM, address, str(reconnects)]
    with subprocess.Popen(
        command, env=dict(os.environ), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert answer(process) == "held"
            yield process
        finally:
            process.kill()


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
