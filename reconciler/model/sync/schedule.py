"""Worker counts that change at times of the day or the week."""

from __future__ import annotations

from reconciler.model.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Worker counts that apply from each time of `cron` on, until the next time of any schedule."""

    cron: str
    min: int
    max: int
    tz: str = "UTC"
