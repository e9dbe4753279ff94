"""Another run, as a process: it holds the lock of an inventory, and appends each line of its input."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

_PROGRAM = """
import os, sys, time
from pathlib import Path
from reconciler.inventory.lock_holder import current_holder
from reconciler.inventory.stores.address import open_store

store = open_store(sys.argv[1], Path(), os.environ)
holder = current_holder(command="apply", environ=os.environ, clock=time.time, who=sys.argv[2])
with store.hold(holder) as hold:
    hold.append(f"of the {sys.argv[2]} run\\n".encode())
    print("held", flush=True)
    for line in sys.stdin:
        try:
            hold.check()
            hold.append(line.encode())
            print("appended", flush=True)
        except Exception as error:
            print(error.problem.code, flush=True)
"""


@contextmanager
def other_run(
    address: str, environ: Mapping[str, str], *, who: str, setup: str = "", prefix: Sequence[str] = ()
) -> Iterator[subprocess.Popen[str]]:
    """Yield the process once it has the lock. setup: statements before all others; prefix: starts it."""
    command = [*prefix, sys.executable, "-c", setup + _PROGRAM, address, who]
    with subprocess.Popen(
        command, env=dict(environ), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()
