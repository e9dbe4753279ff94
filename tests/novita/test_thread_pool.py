"""Daemon threads for reads, which no exit waits for."""

from __future__ import annotations

import threading

import pytest

from reconciler.novita.thread_pool import Cancelled, DaemonThreadPool


class Work:
    """Something that lasts until it is let go."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.goes_on = threading.Event()

    def __call__(self) -> str:
        self.begun.release()
        assert self.goes_on.wait(60)
        return threading.current_thread().name


def test_the_pool_has_a_size() -> None:
    pool, work = DaemonThreadPool(2), Work()
    found = [pool.submit(work) for _ in range(5)]
    assert work.begun.acquire(timeout=60)
    assert work.begun.acquire(timeout=60)
    assert not work.begun.acquire(timeout=0.05)
    work.goes_on.set()
    assert [one.result(60) for one in found] == ["reads"] * 5


def test_waiting_calls_are_cancelled_on_exit() -> None:
    pool, work = DaemonThreadPool(1), Work()
    first = pool.submit(work)
    assert work.begun.acquire(timeout=60)
    with pool:
        second = pool.submit(work)
    work.goes_on.set()
    assert first.result(60) == "reads"
    with pytest.raises(Cancelled):
        second.result(60)
    assert not work.begun.acquire(blocking=False)


def test_an_exception_is_raised_by_the_future() -> None:
    found = DaemonThreadPool(1).submit(lambda: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        found.result(60)


def test_the_threads_are_daemons() -> None:
    assert DaemonThreadPool(1).submit(lambda: threading.current_thread().daemon).result(60)
