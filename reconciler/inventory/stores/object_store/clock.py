"""The clock of the server, by which a lease ends."""

from __future__ import annotations

from datetime import datetime, timedelta

from reconciler.inventory.stores.clock import passed
from reconciler.model.durations import OBJECT_CLOCK
from reconciler.model.lazy_dataclass import dataclass


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
