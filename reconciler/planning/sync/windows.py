"""Windows of a policy: whether changes may be made now, and when that changes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.sync.cron import last_time, next_time
from reconciler.model.sync.policy import SyncPolicy, Window, WindowKind
from reconciler.model.text import minute_text

_MAX_STEPS: Final = 1_000
"""Openings and closings (count) that are looked at for the next time at which changes may be made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """Why no change is made, in one line, and until when; None if no end was found."""

    reason: str
    until: datetime | None


def closed(policy: SyncPolicy, now: datetime) -> Closed | None:
    """Return why no change may be made at `now`; None if changes may be made."""
    reason = _reason(policy, now)
    if not reason:
        return None
    until: datetime | None = now
    for _ in range(_MAX_STEPS):
        until = next_opening_or_closing(policy, until) if until else None
        if until is None or not _reason(policy, until):
            break
    else:
        until = None
    end = f" until {minute_text(until)}" if until else ""
    return Closed(reason=f"{reason}{end}", until=until)


def next_opening_or_closing(policy: SyncPolicy, now: datetime) -> datetime | None:
    """Return the next time at which a window opens or closes, or a suspension ends; None if there is none."""
    times = [time for window in policy.windows for time in _edges(window, now)]
    if policy.suspend_until is not None and policy.suspend_until > now:
        times.append(policy.suspend_until)
    return min(times, default=None)


def _reason(policy: SyncPolicy, now: datetime) -> str:
    if policy.suspend_until is not None and now < policy.suspend_until:
        return "suspended"
    kinds = {window.kind for window in policy.windows}
    opened = {window.kind for window in policy.windows if _end(window, now) is not None}
    if WindowKind.DENY in opened:
        return "in a deny window"
    if WindowKind.ALLOW in kinds - opened:
        return "outside of the allow windows"
    return ""


def _end(window: Window, now: datetime) -> datetime | None:
    """Return when the open window closes; None if it is not open."""
    end = last_time(window.cron, window.tz, now) + timedelta(seconds=window.seconds)
    return end if now < end else None


def _edges(window: Window, now: datetime) -> Iterator[datetime]:
    if (end := _end(window, now)) is not None:
        yield end
    yield next_time(window.cron, window.tz, now)
