"""A monotonic clock, waits that an interrupt ends, and polling with backoff."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from typing import Protocol

from reconciler.model import durations


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
        clock.wait(min(left, durations.INTERRUPT_CHECK))


def poll(
    clock: Clock, *, within: float, longest: float, first: float = durations.FIRST_POLL
) -> Iterator[int]:
    """Count attempts from 0, with a pause after each. The last one comes after `within` seconds.

    The pauses are those of `next_pause`.
    """
    start = clock.now()
    for count in itertools.count():
        yield count
        elapsed = clock.now() - start
        if elapsed >= within:
            return
        clock.wait(min(next_pause(elapsed, longest=longest, first=first), within - elapsed))


def next_pause(elapsed: float, *, longest: float, first: float = durations.FIRST_POLL) -> float:
    """Return the pause after a wait of `elapsed` seconds: a share of it, between `first` and `longest`."""
    return min(max(durations.POLL_SHARE * elapsed, first), longest)
