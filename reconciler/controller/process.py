"""The process of `reconciler run`: a thread for each environment, and the signals that end it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from reconciler.controller.loop import Loop
from reconciler.model.errors import ReconcilerError, defect
from reconciler.model.problem import Problem

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Signals of Ctrl-C, of systemd and Kubernetes, and of a closed terminal."""


def run_loops(
    loops: Sequence[Loop],
    report: Callable[[Loop, Sequence[Problem]], None],
    on_signal: Callable[[], None] | None = None,
) -> None:
    """Run all loops until each has ended, which a signal causes in an orderly way.

    report: gets the problems of a loop that cannot go on; the others go on. on_signal: also called by one.
    """

    def run(loop: Loop) -> None:
        try:
            loop.run()
        except ReconcilerError as error:
            report(loop, error.problems)
        except Exception as error:
            report(loop, (defect(error),))

    threads = [threading.Thread(target=run, args=(loop,), name="loop") for loop in loops]
    stops = [loop.stop for loop in loops]
    with _stop_signals([*stops, on_signal] if on_signal else stops):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


@contextmanager
def _stop_signals(stops: Sequence[Callable[[], None]]) -> Iterator[None]:
    def stop(_number: int, _frame: FrameType | None) -> None:
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
