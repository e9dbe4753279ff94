"""Signals are heard at once, wherever the main thread waits.

CPython runs a handler between two steps of the main thread. A signal that comes just before that thread goes
to wait, or that another thread receives, interrupts nothing: the handler would run when the wait is over,
which with a server that hangs is a minute. So a thread learns of each signal from the descriptor that
CPython writes to in any case (`signal.set_wakeup_fd`), and wakes the main thread.

What a Ctrl-C raises, a destructor or a library may swallow. So it is remembered, and asked for before
anything is written.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

PAUSES: Final = (0.0, 0.05, 0.2)
"""Seconds before each waking: the main thread may be about to wait at the first one, too."""


_pressed: Final = threading.Event()


def was_interrupted() -> bool:
    """Whether Ctrl-C was pressed in this run, also where nobody came to know of it."""
    return _pressed.is_set()


@contextmanager
def immediate_signals() -> Iterator[None]:
    """Within this, a signal that has a handler does not wait for the main thread, and Ctrl-C is remembered.

    It does nothing outside of the main thread, and on Windows.
    """
    main = threading.main_thread()
    if threading.current_thread() is not main or main.ident is None or os.name == "nt":
        yield
        return
    _pressed.clear()
    is_ours = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if is_ours:
        signal.signal(signal.SIGINT, _remember)
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    # nobody sends this one, and it means nothing to us
    former = signal.signal(signal.SIGURG, lambda _number, _frame: None)
    over = threading.Event()
    before = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    thread = threading.Thread(target=_wake, args=(main.ident, reading, over), name="signals", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        signal.set_wakeup_fd(before)
        os.close(writing)
        thread.join()
        os.close(reading)
        signal.signal(signal.SIGURG, former)
        if is_ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)


def _remember(number: int, frame: FrameType | None) -> None:
    _pressed.set()
    signal.default_int_handler(number, frame)


def _wake(main: int, reading: int, over: threading.Event) -> None:
    while heard := os.read(reading, 64):
        if any(number != signal.SIGURG for number in heard):
            for seconds in PAUSES:
                if over.wait(seconds):
                    return
                signal.pthread_kill(main, signal.SIGURG)
