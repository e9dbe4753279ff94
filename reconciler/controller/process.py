"""The process of `reconciler run`: a thread for each environment, and the signals that end it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from types import FrameType

from reconciler.config.references.helper_process import kill_helpers
from reconciler.controller.loop import Loop
from reconciler.model.durations import INTERRUPT_CHECK
from reconciler.model.errors import ReconcilerError, defect
from reconciler.model.problem import ExitCode, Problem
from reconciler.model.sync.durations import SHUTDOWN_LIMIT
from reconciler.workflow.runtime.stop_signals import on_stop_signal


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
    signals: list[int] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        signals.append(number)
        for loop in loops:
            loop.stop()
        if on_signal:
            on_signal()

    with on_stop_signal(stop):
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
