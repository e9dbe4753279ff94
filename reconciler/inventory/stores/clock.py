"""The time that has passed, by which a run judges whether its lock can still be relied on."""

from __future__ import annotations

import time
from typing import Final

_CLOCK: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def passed() -> float:
    """Return seconds that also pass while the machine sleeps, unlike those of `time.monotonic` on Linux."""
    return time.clock_gettime(_CLOCK)
