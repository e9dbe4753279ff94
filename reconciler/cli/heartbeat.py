"""Periodic progress messages for changes that take long, from one thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from reconciler.model import durations
from reconciler.model.plan import Change


class Heartbeat:
    """Calls `on_beat(change, elapsed seconds)` every `interval` seconds for each change in progress.

    After `end` has returned, there is no further call for that change.
    """

    def __init__(
        self,
        on_beat: Callable[[Change, float], None],
        *,
        interval: float = durations.HEARTBEAT_INTERVAL,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._on_beat = on_beat
        self._interval = interval
        self._now = now
        self._started: dict[str, float] = {}
        self._due: dict[str, tuple[float, Change]] = {}
        self._changed = threading.Condition()
        self._is_stopped = False
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def __enter__(self) -> Heartbeat:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._is_stopped = True
            self._changed.notify()
        self._thread.join()

    def begin(self, change: Change) -> None:
        """Start the calls for a change; for a change that began before, the elapsed time continues."""
        with self._changed:
            now = self._now()
            self._started.setdefault(change.name, now)
            self._due.setdefault(change.name, (now + self._interval, change))
            self._changed.notify()

    def end(self, change: Change) -> None:
        """Stop the calls for a change."""
        with self._changed:
            self._due.pop(change.name, None)

    def elapsed(self, change: Change) -> float:
        """Return the seconds since a change began; 0 if it has not begun."""
        return self._now() - self._started.get(change.name, self._now())

    def _run(self) -> None:
        with self._changed:
            while not self._is_stopped:
                now = self._now()
                for name, (due, change) in self._due.items():
                    if due <= now:
                        self._due[name] = (due + self._interval, change)
                        self._on_beat(change, now - self._started[name])
                next_due = min((due for due, _ in self._due.values()), default=None)
                self._changed.wait(None if next_due is None else max(0.0, next_due - self._now()))
