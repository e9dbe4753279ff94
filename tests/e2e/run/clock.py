"""A clock that jumps from one action to the next, so that a day takes some seconds."""

import heapq
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count

BEGIN = datetime(2026, 3, 2, tzinfo=UTC)
"""A Monday, 00:00."""


class VirtualClock:
    """The clock of one loop, which runs in the thread of the test. Its waits run the actions that are due."""

    def __init__(self, begin: datetime = BEGIN) -> None:
        self.seconds = 0.0
        self._begin = begin
        self._actions: list[tuple[float, int, Callable[[], object]]] = []
        self._number = count()

    def now(self) -> datetime:
        return self._begin + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def at(self, hours: float, action: Callable[[], object]) -> None:
        """Let an action happen at a time of the day."""
        heapq.heappush(self._actions, (hours * 3600, next(self._number), action))

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Perform the actions of the next seconds, until one of them sets the event."""
        end = self.seconds + max(seconds, 0.0)
        while not event.is_set() and self._actions and self._actions[0][0] <= end:
            time, _, action = heapq.heappop(self._actions)
            self.seconds = max(self.seconds, time)
            action()
        if not event.is_set():
            self.seconds = end
        return event.is_set()

    def set_back(self, seconds: float) -> None:
        """Set the time of day back, as an operator may do."""
        self._begin -= timedelta(seconds=seconds)
