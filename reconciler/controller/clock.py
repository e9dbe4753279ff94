"""The time of a controller. Tests have one that jumps."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """The time of day, a time that never jumps, and waiting. Thread-safe."""

    def now(self) -> datetime:
        """Return the time of day in UTC, which an operator may set."""

    def monotonic(self) -> float:
        """Return seconds that only grow."""

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Wait until the event is set, at most so many seconds. Return whether it is set."""


class SystemClock:
    """The clock of this machine."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def wait(self, event: threading.Event, seconds: float) -> bool:
        return event.wait(max(seconds, 0.0))
