"""Worker counts for a limited time."""

from __future__ import annotations

from datetime import datetime

from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.sync.schedule import workers_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Temporary worker counts in place of the declared ones, which end at `until`."""

    min: int
    max: int
    until: datetime
    why: str

    def has_expired(self, now: datetime) -> bool:
        return now >= self.until

    @property
    def counts(self) -> str:
        """The worker counts in words, such as `4 workers` or `2 to 8 workers`."""
        return workers_text(self.min, self.max)
