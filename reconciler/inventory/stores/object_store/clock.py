"""Clocks of a lease: the time that has passed here, and the time of the server."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from reconciler.model.durations import OBJECT_CLOCK
from reconciler.model.lazy_dataclass import dataclass


def passed() -> float:
    """Return seconds that also pass while the machine sleeps, unlike those of `time.monotonic` on Linux."""
    return time.clock_gettime(_BOOT_TIME)


_BOOT_TIME = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerClock:
    """The clock of the server: its time when an object was written, and `passed()` right after that."""

    written: datetime
    at: float

    def now(self) -> datetime:
        """Return a time that the server has reached by now. It may be up to `OBJECT_CLOCK` further."""
        return self.written + timedelta(seconds=passed() - self.at)

    def is_over(self, modified: datetime, lease: float) -> bool:
        """Return whether a lease that was renewed at `modified` is over for certain."""
        return (self.now() - modified).total_seconds() > lease + OBJECT_CLOCK
