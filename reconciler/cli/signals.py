"""Immediate handling of signals while the main thread waits.

CPython runs signal handlers between two instructions of the main thread. A signal that arrives just before
that thread begins to wait, or in another thread, does not interrupt the wait: the handler runs after it,
which takes a minute if a server hangs. Therefore a thread reads each signal from the file descriptor of
`signal.set_wakeup_fd`, and wakes the main thread.

A destructor or a library may swallow the exception that Ctrl-C raises. Therefore Ctrl-C is recorded, and the
record is checked before anything is written. Python itself swallows it in the callbacks of an import, and
commands import much while they wait for the account. Therefore Ctrl-C is deferred to the next wake-up there.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

from reconciler.model import durations

_interrupted: Final = threading.Event()

_deferred: Final = threading.Event()
"""Set from a Ctrl-C until its exception is raised."""


def was_interrupted() -> bool:
    """Return True if Ctrl-C was pressed in this run, even if the exception was swallowed."""
    return _interrupted.is_set()


@contextmanager
def immediate_signals() -> Iterator[None]:
    """Run signal handlers without delay within this context, and record Ctrl-C.

    This has no effect outside of the main thread, and on Windows.
    """
    main = threading.main_thread()
    if threading.current_thread() is not main or main.ident is None or os.name == "nt":
        yield
        return
    _interrupted.clear()
    _deferred.clear()
    is_default = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if is_default:
        signal.signal(signal.SIGINT, _record)
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    # SIGURG is used to wake the main thread; nothing else sends it
    former = signal.signal(signal.SIGURG, _raise_deferred)
    stopped = threading.Event()
    before = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    thread = threading.Thread(target=_wake, args=(main.ident, reading, stopped), name="signals", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        signal.set_wakeup_fd(before)
        os.close(writing)
        thread.join()
        os.close(reading)
        signal.signal(signal.SIGURG, former)
        if is_default:
            signal.signal(signal.SIGINT, signal.default_int_handler)


def _record(_number: int, frame: FrameType | None) -> None:
    _interrupted.set()
    _deferred.set()
    _raise_deferred(signal.SIGURG, frame)


def _raise_deferred(_number: int, frame: FrameType | None) -> None:
    """Raise KeyboardInterrupt after a Ctrl-C, unless the main thread is in Python's import machinery."""
    is_importing = frame is not None and frame.f_code.co_filename.startswith("<frozen importlib")
    if _deferred.is_set() and not is_importing:
        _deferred.clear()
        raise KeyboardInterrupt


def _wake(main: int, reading: int, stopped: threading.Event) -> None:
    while received := os.read(reading, 64):
        if any(number != signal.SIGURG for number in received):
            for seconds in durations.WAKE_DELAYS:
                if stopped.wait(seconds):
                    return
                signal.pthread_kill(main, signal.SIGURG)
