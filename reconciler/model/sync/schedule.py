"""Worker counts that change at times of the day or the week."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from reconciler.model.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Worker counts that apply from each time of `cron` on, until the next time of any schedule."""

    cron: str
    min: int
    max: int
    tz: str = "UTC"

    def __str__(self) -> str:
        return f"{self.cron} {self.tz} {counts_text(self.min, self.max)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledCounts:
    """Worker counts by a schedule. until: when others apply, in UTC; None if they never change."""

    min: int
    max: int
    until: datetime | None

    @property
    def counts(self) -> str:
        """The worker counts in words, such as `4 workers` or `2 to 8 workers`."""
        return workers_text(self.min, self.max)


def counts_text(low: int, high: int) -> str:
    """Return worker counts for a record."""
    return f"{low}-{high}"


def schedule_text(entries: Iterable[Schedule]) -> str:
    """Return a declared schedule for a record."""
    return "; ".join(map(str, entries))


def workers_text(low: int, high: int) -> str:
    """Return worker counts in words, such as `4 workers` or `2 to 8 workers`."""
    counts = f"{high}" if low == high else f"{low} to {high}"
    return f"{counts} worker{'' if counts == '1' else 's'}"
