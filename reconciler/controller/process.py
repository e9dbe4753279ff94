"""The process of `reconciler run`: a thread for each environment, and the signals that end it."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from reconciler.config.references.helper_process import kill_helpers
from reconciler.controller.loop import Loop
from reconciler.model.durations import INTERRUPT_CHECK
from reconciler.model.errors import ReconcilerError, defect
from reconciler.model.problem import ExitCode, Problem
from reconciler.model.sync.durations import SHUTDOWN_LIMIT

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Signals of Ctrl-C, of systemd and Kubernetes, and of a closed terminal."""


def run_loops(
    loops: Sequence[Loop],
    report: Callable[[Loop, Sequence[Problem]], None],
    on_signal: Callable[[], None] | None = None,
) -> None:
    """Run all loops until each has ended, which a signal causes in an orderly way.

    report: gets the problems of a loop that cannot go on; the others go on. on_signal: also called by one.
    A process that has not ended SHUTDOWN_LIMIT seconds after a signal, or that gets a second one, is ended at
    once: what was sent is in the journal, and the next process completes it.
    """

    def run(loop: Loop) -> None:
        try:
            loop.run()
        except ReconcilerError as error:
            report(loop, error.problems)
        except Exception as error:
            report(loop, (defect(error),))

    threads = [threading.Thread(target=run, args=(loop,), name="loop", daemon=True) for loop in loops]
    stops = [loop.stop for loop in loops]
    signals: list[int] = []
    with _stop_signals([*stops, on_signal] if on_signal else stops, signals):
        for thread in threads:
            thread.start()
        end: float | None = None
        while any(thread.is_alive() for thread in threads):
            for thread in threads:
                thread.join(INTERRUPT_CHECK)
            if signals and end is None:
                end = time.monotonic() + SHUTDOWN_LIMIT
                kill_helpers()  # and a git that downloads
            if len(signals) > 1 or (end is not None and time.monotonic() > end):
                os._exit(ExitCode.INTERRUPTED)


@contextmanager
def _stop_signals(stops: Sequence[Callable[[], None]], signals: list[int]) -> Iterator[None]:
    """Call these functions at each signal, which is added to the list."""

    def stop(number: int, _frame: FrameType | None) -> None:
        signals.append(number)
        for one in stops:
            one()

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    # signals that nohup or a shell ignores stay ignored
    handled = [number for number in STOP_SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    previous = [(number, signal.signal(number, stop)) for number in handled]
    try:
        yield
    finally:
        for number, handler in previous:
            signal.signal(number, handler)
