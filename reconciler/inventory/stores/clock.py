"""The time that has passed, by which a run judges whether its lock can still be relied on, and pauses."""

from __future__ import annotations

import threading
import time
from typing import Final

_CLOCK: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def passed() -> float:
    """Return seconds that also pass while the machine sleeps, unlike those of `time.monotonic` on Linux."""
    return time.clock_gettime(_CLOCK)


def pause(seconds: float, stop: threading.Event | None) -> bool:
    """Wait so many seconds, or until the event is set. Return whether it is set."""
    if stop is not None:
        return stop.wait(seconds)
    time.sleep(seconds)
    return False
