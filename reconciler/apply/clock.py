"""A monotonic clock, waits that an interrupt ends, and polling with backoff."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Final, Protocol

INTERRUPT_CHECK_SECONDS: Final = 0.25
"""Seconds between two checks for an interrupt during a pause."""


class Clock(Protocol):
    """Seconds since some start, and a wait in seconds."""

    def now(self) -> float: ...

    def wait(self, seconds: float) -> None: ...


class SystemClock:
    """The clock of this machine."""

    def now(self) -> float:
        return time.monotonic()

    def wait(self, seconds: float) -> None:
        time.sleep(seconds)


def pause(clock: Clock, seconds: float, stop: threading.Event) -> None:
    """Wait for some seconds, or until `stop` is set."""
    end = clock.now() + seconds
    while not stop.is_set() and (left := end - clock.now()) > 0:
        clock.wait(min(left, INTERRUPT_CHECK_SECONDS))


def poll(clock: Clock, *, within: float, first: float = 0.25, factor: float = 2.0) -> Iterator[int]:
    """Count attempts from 0 with growing pauses between them. The last one comes after `within` seconds."""
    deadline = clock.now() + within
    pause, count = first, 0
    while True:
        yield count
        left = deadline - clock.now()
        if left <= 0:
            return
        clock.wait(min(pause, left))
        pause *= factor
        count += 1
