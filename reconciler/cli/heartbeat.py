"""Signs of life of what takes long, from one thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from reconciler.model.plan import Change

INTERVAL: Final = 10.0
"""Seconds between two beats, as with Terraform."""


class Heartbeat:
    """Calls `beat(change, seconds since it began)` every `interval` seconds for each change that lasts.

    Once `end` has returned there is no further beat for that change.
    """

    def __init__(
        self,
        beat: Callable[[Change, float], None],
        *,
        interval: float = INTERVAL,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._beat = beat
        self._interval = interval
        self._now = now
        self._began: dict[str, float] = {}
        self._due: dict[str, tuple[float, Change]] = {}
        self._changed = threading.Condition()
        self._is_over = False
        self._thread = threading.Thread(target=self._run, name="heart", daemon=True)

    def __enter__(self) -> Heartbeat:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._is_over = True
            self._changed.notify()
        self._thread.join()

    def begin(self, change: Change) -> None:
        """Beat for it, unless it does so already; one that goes on goes on counting."""
        with self._changed:
            now = self._now()
            self._began.setdefault(change.name, now)
            self._due.setdefault(change.name, (now + self._interval, change))
            self._changed.notify()

    def end(self, change: Change) -> None:
        with self._changed:
            self._due.pop(change.name, None)

    def elapsed(self, change: Change) -> float:
        """Seconds since it began; 0 when it has not."""
        return self._now() - self._began.get(change.name, self._now())

    def _run(self) -> None:
        with self._changed:
            while not self._is_over:
                now = self._now()
                for name, (due, change) in self._due.items():
                    if due <= now:
                        self._due[name] = (due + self._interval, change)
                        self._beat(change, now - self._began[name])
                following = min((due for due, _ in self._due.values()), default=None)
                self._changed.wait(None if following is None else max(0.0, following - self._now()))
