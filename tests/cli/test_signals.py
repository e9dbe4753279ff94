"""Signals that CPython would handle late."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext

import pytest

from reconciler.cli.signals import immediate_signals
from reconciler.model import durations

LONG = 1.5
"""Seconds of a wait, during which the handler must run at once."""


@pytest.fixture
def heard() -> Iterator[list[float]]:
    """The times at which the handler of SIGINT ran."""
    times: list[float] = []
    former = signal.signal(signal.SIGINT, lambda _number, _frame: times.append(time.monotonic()))
    yield times
    signal.signal(signal.SIGINT, former)


def in_another_thread() -> threading.Thread:
    """Send a signal that does not interrupt the wait of the main thread."""

    def raised() -> None:
        time.sleep(0.1)  # for the main thread to wait meanwhile; were it late, the test would still pass
        signal.pthread_kill(threading.get_ident(), signal.SIGINT)

    thread = threading.Thread(target=raised)
    thread.start()
    return thread


def on_a_lock() -> None:
    threading.Event().wait(LONG)


def on_a_pipe() -> None:
    reading, writing = os.pipe()
    timer = threading.Timer(LONG, os.write, (writing, b"x"))
    timer.start()
    assert os.read(reading, 1) == b"x"
    timer.join(60)
    os.close(reading)
    os.close(writing)


@pytest.mark.parametrize("wait", [on_a_lock, on_a_pipe])
@pytest.mark.parametrize(("way", "is_late"), [(immediate_signals, False), (nullcontext, True)])
def test_a_handler_runs_while_the_main_thread_waits(
    heard: list[float],
    wait: Callable[[], None],
    way: Callable[[], AbstractContextManager[None]],
    is_late: bool,
) -> None:
    began = time.monotonic()
    with way():
        thread = in_another_thread()
        wait()
        thread.join(60)
    assert [at - began > LONG / 2 for at in heard] == [is_late]


def test_the_end_is_not_delayed(heard: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C ends the run without delay."""
    monkeypatch.setattr(durations, "WAKE_DELAYS", (0.0, 30.0))
    began = time.monotonic()
    with immediate_signals():
        os.kill(os.getpid(), signal.SIGINT)
    assert time.monotonic() - began < 15
    assert len(heard) == 1


def test_handlers_and_threads_are_restored(heard: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    made = os.pipe()
    monkeypatch.setattr(os, "pipe", lambda: made)
    before = signal.getsignal(signal.SIGURG)
    with immediate_signals():
        os.kill(os.getpid(), signal.SIGINT)
    assert len(heard) == 1
    assert signal.getsignal(signal.SIGURG) == before
    assert "signals" not in {thread.name for thread in threading.enumerate()}
    for descriptor in made:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(descriptor)


def test_it_has_no_effect_in_another_thread() -> None:
    before = signal.getsignal(signal.SIGURG)
    seen = []

    def run() -> None:
        with immediate_signals():
            seen.append(signal.getsignal(signal.SIGURG))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(60)
    assert seen == [before]
