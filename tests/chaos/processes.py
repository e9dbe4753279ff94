"""The runs of the command line, and signals that interrupt them."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Final

from reconciler.simulator import Server
from tests.chaos.faults import WRITES
from tests.fork_server import ForkServer

KEY: Final = "sk-chaos-7f3a9c"
TOKEN: Final = "hf-chaos-51ab02"
HAND: Final = "hf-hand-c0ffee"
SECRETS: Final = (KEY, TOKEN, HAND)

SIGNALS: Final = (signal.SIGKILL, signal.SIGKILL, signal.SIGINT, signal.SIGTERM)
ENDED: Final = {0, 1, 3, 4, 5, 6, 7, 8, 130, -signal.SIGKILL, -signal.SIGINT, -signal.SIGTERM, 143}
"""The expected exit codes: no usage error, and no timeout."""


class Runs:
    """The command line in a folder, with one simulated account."""

    def __init__(self, folder: Path, fork_server: ForkServer, novita: Server) -> None:
        self._folder = folder
        self._fork_server = fork_server
        self._novita = novita
        self.out = folder / "out.log"
        self.environ: dict[str, str] = {}
        self.options: tuple[str, ...] = ()

    def start(self, *words: str, out: Path | None = None) -> int:
        words = (*words, *self.options)
        env = {
            **os.environ,
            "NOVITA_BASE_URL": self._novita.url,
            "NOVITA_API_KEY": KEY,
            "TOKEN": TOKEN,
            "HAND": HAND,
            "CI": "true",
            **self.environ,
        }
        with self.out.open("a") as log:
            log.write(f"$ reconciler {' '.join(words)}\n")
        return self._fork_server.start(words, cwd=self._folder, env=env, out=out or self.out, err=self.out)

    def wait(self, pid: int) -> int:
        code = self._fork_server.wait(pid)
        with self.out.open("a") as log:
            log.write(f"-> {code}\n")
        return code

    def run(self, *words: str, out: Path | None = None) -> int:
        return self.wait(self.start(*words, out=out))

    def writes(self) -> int:
        """Return the number of writes that Novita has received."""
        return sum(one.operation in WRITES for one in self._novita.requests)


class Interruption:
    """A signal right before or after Novita performs the nth write, or after a delay."""

    def __init__(self, rng: Random, novita: Server, operations: Sequence[str] = WRITES) -> None:
        self._pid = 0
        self._over = False
        self._lock = threading.Lock()
        self.number = rng.choice(SIGNALS)
        if rng.random() < 0.3:
            delay = rng.random() * 0.25
            self.description = f"{self.number.name} after {delay:.3f} s"
            timer = threading.Timer(delay, self.send)
            timer.daemon = True
            timer.start()
            return
        self._left = rng.choice([1, 1, 1, 2, 2, 3, 5])
        when = rng.choice(["before", "after"])
        self.description = f"{self.number.name} {when} Novita acts on write {self._left}"
        hook = {"before": novita.faults.before, "after": novita.faults.after}[when]
        for operation in operations:
            hook(operation, self._count, nth=0)

    def set_process(self, pid: int) -> None:
        with self._lock:
            self._pid = pid

    def process_ended(self) -> None:
        """Send no signal any more: the process ID may be reused."""
        with self._lock:
            self._over = True

    def _count(self, *_: object) -> None:
        with self._lock:
            self._left -= 1
            is_it = self._left == 0
        if is_it:
            self.send()

    def send(self, *_: object) -> None:
        """Send the signal now, unless the run has ended."""
        with self._lock:
            if self._pid and not self._over:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self._pid, self.number)
