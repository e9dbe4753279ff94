"""Worker counts for a limited time."""

from __future__ import annotations

from datetime import datetime

from reconciler.model.lazy_dataclass import dataclass


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
        counts = f"{self.max}" if self.min == self.max else f"{self.min} to {self.max}"
        return f"{counts} worker{'' if counts == '1' else 's'}"
