"""How many calls are under way at once: fewer after a 429, and more again when all is calm."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Throttle:
    """Lets at most `widest` calls through, halves that on a 429, and widens by one for each calm round.

    A round of calls that all meet the same limit counts as one 429: only a call that began after the last
    narrowing narrows again. Thread-safe.
    """

    def __init__(self, widest: int) -> None:
        self._widest = widest
        self._width = float(widest)
        self._inside = 0
        self._narrowings = 0
        self._changed = threading.Condition()

    @property
    def width(self) -> int:
        """How many calls may be under way now (count)."""
        return max(1, int(self._width))

    @contextmanager
    def passing(self) -> Iterator[Turn]:
        """Wait for a place, and hold it for one call."""
        with self._changed:
            self._changed.wait_for(lambda: self._inside < self.width)
            self._inside += 1
            turn = Turn(self, self._narrowings)
        try:
            yield turn
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify_all()

    def narrow(self, seen: int) -> None:
        with self._changed:
            if seen == self._narrowings:
                self._narrowings += 1
                self._width = max(1.0, self._width / 2)

    def widen(self) -> None:
        with self._changed:
            self._width = min(float(self._widest), self._width + 1 / self._width)


class Turn:
    """One call's place, and what became of it."""

    def __init__(self, gate: Throttle, narrowings: int) -> None:
        self._gate = gate
        self._narrowings = narrowings

    def throttled(self) -> None:
        """Novita said that it is too much."""
        self._gate.narrow(self._narrowings)

    def calm(self) -> None:
        """Novita answered."""
        self._gate.widen()
