"""Time as the applier knows it: a monotonic now, and waits that an interrupt ends."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Final, Protocol

NOTICED_WITHIN: Final = 0.25
"""Seconds until an interrupt ends a pause."""


class Clock(Protocol):
    """Seconds since some start, and a wait in seconds."""

    def now(self) -> float: ...

    def wait(self, seconds: float) -> None: ...


class SystemClock:
    """The machine's clock. `hurry` ends all waits at once, those to come as well."""

    def __init__(self) -> None:
        self._hurry = threading.Event()

    def now(self) -> float:
        return time.monotonic()

    def wait(self, seconds: float) -> None:
        self._hurry.wait(seconds)

    def hurry(self) -> None:
        self._hurry.set()


def pause(clock: Clock, seconds: float, stop: threading.Event) -> None:
    """Wait, but no longer than until `stop` is noticed."""
    end = clock.now() + seconds
    while not stop.is_set() and (left := end - clock.now()) > 0:
        clock.wait(min(left, NOTICED_WITHIN))


def attempts(clock: Clock, *, within: float, first: float = 0.25, factor: float = 2.0) -> Iterator[int]:
    """Count up from 0 with growing pauses until `within` seconds have passed; the last one is at the end."""
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
