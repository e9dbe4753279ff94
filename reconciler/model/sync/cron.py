"""Times that recur, as cron writes them. Only this module uses cronsim, and only a file with a cron needs it.

A time that a change to summer time leaves out comes right after the gap. One that occurs twice, when summer
time ends, counts once.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Final

UTC_NAME: Final = "UTC"

_FIELDS: Final = 5


def cron_fault(cron: str) -> str:
    """Return why the text is not a cron expression, as the rest of a sentence; "" if it is one."""
    if len(cron.split()) != _FIELDS:
        return f"has {len(cron.split())} fields, not five: minute, hour, day of month, month, day of week"
    from cronsim import CronSimError

    try:
        times = _times(cron, UTC_NAME, datetime(2000, 1, 1, tzinfo=UTC))
    except CronSimError as error:
        return f"has a {str(error).lower()}"
    return "" if next(times, None) else "names a day that never comes"


def zone_fault(name: str) -> str:
    """Return why the text is not a time zone, as the rest of a sentence; "" if it is one."""
    if _zone(name) is not None:
        return ""
    if _zone("Etc/UTC") is None:
        return "cannot be read: this machine has no time zones"
    return "is not a time zone of IANA"


@lru_cache(maxsize=4096)
def last_time(cron: str, tz: str, at: datetime) -> datetime:
    """Return the latest time up to `at`, in UTC. The expression has no fault, so that there is one."""
    return next(_times(cron, tz, at + timedelta(microseconds=1), is_reversed=True))


@lru_cache(maxsize=4096)
def next_time(cron: str, tz: str, after: datetime) -> datetime:
    """Return the earliest time after that one, in UTC. The expression has no fault, so that there is one."""
    return next(_times(cron, tz, after))


def _times(cron: str, tz: str, start: datetime, *, is_reversed: bool = False) -> Iterator[datetime]:
    from cronsim import CronSim

    zone = _zone(tz)
    if zone is None:
        raise ValueError(f"{tz!r} is not a time zone")
    times = CronSim(cron, start.astimezone(zone), reverse=is_reversed)
    return (when.astimezone(UTC) for when in times)


@lru_cache(maxsize=256)
def _zone(name: str) -> tzinfo | None:
    if name == UTC_NAME:
        return UTC  # needs no data of the machine
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown, no name of a zone, the name of a folder
        return None
