"""The signals that stop a process, and their handler."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Signals of Ctrl-C, of a cancelled CI job, systemd or Kubernetes, and of a closed terminal."""


@contextmanager
def on_stop_signal(handler: Callable[[int, FrameType | None], object]) -> Iterator[None]:
    """Call `handler` for each stop signal within this context.

    Signals that nohup or a shell ignores stay ignored. In other threads than the main one, which alone
    receives signals, this has no effect.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [number for number in STOP_SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    former = [(number, signal.signal(number, handler)) for number in numbers]
    try:
        yield
    finally:
        for number, before in former:
            signal.signal(number, before)
