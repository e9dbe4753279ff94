"""An adaptive limit of concurrent calls: halved after a 429, raised again while answers succeed (AIMD)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Throttle:
    """Admits at most `max_limit` calls at once. Thread-safe.

    A 429 halves the limit. As many other answers as the limit raise it by one. A group of calls that all meet
    the same rate limit counts as one 429: only a call that began after the last decrease causes another one.
    """

    def __init__(self, max_limit: int) -> None:
        self._max_limit = max_limit
        self._limit = float(max_limit)
        self._active = 0
        self._decreases = 0
        self._changed = threading.Condition()

    @property
    def limit(self) -> int:
        """The number of calls that may be active now."""
        return max(1, int(self._limit))

    @contextmanager
    def slot(self) -> Iterator[Slot]:
        """Wait for a free slot, and hold it for one call."""
        with self._changed:
            self._changed.wait_for(lambda: self._active < self.limit)
            self._active += 1
            slot = Slot(self, self._decreases)
        try:
            yield slot
        finally:
            with self._changed:
                self._active -= 1
                self._changed.notify()

    def decrease(self, seen_decreases: int) -> None:
        """Halve the limit, unless it was decreased since the call began."""
        with self._changed:
            if seen_decreases == self._decreases:
                self._decreases += 1
                self._limit = max(1.0, self._limit / 2)

    def increase(self) -> None:
        """Raise the limit a little, up to `max_limit`."""
        with self._changed:
            before = self.limit
            self._limit = min(float(self._max_limit), self._limit + 1 / self._limit)
            self._changed.notify(self.limit - before)


class Slot:
    """The slot of one call, which reports the call's outcome to the throttle."""

    def __init__(self, throttle: Throttle, decreases: int) -> None:
        self._throttle = throttle
        self._decreases = decreases

    def rate_limited(self) -> None:
        """Report an answer of 429."""
        self._throttle.decrease(self._decreases)

    def answered(self) -> None:
        """Report any other answer."""
        self._throttle.increase()
