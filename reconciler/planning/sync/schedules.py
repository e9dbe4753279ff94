"""Schedules: worker counts that are desired at a time, in place of the declared ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from reconciler.model.problem import Problem, Severity
from reconciler.model.resource import Desired, Inventory, Tracked, address
from reconciler.model.sync.schedule import Schedule, ScheduledCounts, counts_text, schedule_text
from reconciler.model.text import minute_text
from reconciler.model.values import Path
from reconciler.planning.selection import EVERYTHING, Selection

if TYPE_CHECKING:
    from reconciler.model.sync.policy import SyncPolicy

COUNTS: Final[Path] = ("workerConfig", "minNum")

_MAX_TIMES: Final = 200
"""Times (count) of a schedule that are looked at for the next other counts."""

_MAX_NOTES: Final = 10
"""Endpoints (count) that have a note each. More of them have one together."""


def apply_schedules(
    desired: Sequence[Desired],
    inventory: Inventory,
    now: datetime,
    selection: Selection = EVERYTHING,
) -> tuple[tuple[Desired, ...], tuple[Problem, ...]]:
    """Return what is desired at `now`, and notes about the schedules. A running lease has its own note."""
    if not any(endpoint.schedule for endpoint in desired):
        return tuple(desired), ()
    noted: list[tuple[Desired, ScheduledCounts]] = []
    for endpoint in desired:
        record = inventory.records.get(endpoint.name)
        is_leased = record is not None and record.lease is not None and not record.lease.has_expired(now)
        counts = scheduled_counts(endpoint.schedule, now)
        if counts and selection.has(endpoint.name) and not is_leased:
            noted.append((endpoint, counts))
    return tuple(with_schedule(endpoint, now) for endpoint in desired), tuple(_notes(noted))


def scheduled_counts(schedule: Sequence[Schedule], now: datetime) -> ScheduledCounts | None:
    """Return the worker counts at `now`; None without a schedule."""
    if not schedule:
        return None
    entry = _entry(schedule, now)
    return ScheduledCounts(min=entry.min, max=entry.max, until=_next_counts(schedule, now))


def with_schedule(desired: Desired, now: datetime) -> Desired:
    """Return the endpoint with the worker counts of its schedule at `now`."""
    if not desired.schedule:
        return desired
    entry = _entry(desired.schedule, now)
    return with_counts(desired, entry.min, entry.max)


def with_counts(desired: Desired, low: int, high: int) -> Desired:
    """Return the endpoint with other worker counts than declared; `declared_counts` says which those are."""
    worker = {**desired.fields.get("workerConfig", {}), "minNum": low, "maxNum": high}
    return replace(
        desired,
        fields={**desired.fields, "workerConfig": worker},
        declared_counts=desired.declared_counts or declared_counts(desired),
    )


def declared_counts(desired: Desired) -> str:
    """Return which worker counts are declared, as a record keeps it: those in the fields, or the schedule."""
    if desired.declared_counts or desired.schedule:
        return desired.declared_counts or schedule_text(desired.schedule)
    worker = desired.fields.get("workerConfig", {})
    return counts_text(worker["minNum"], worker["maxNum"]) if worker.keys() >= {"minNum", "maxNum"} else ""


def recorded_counts(record: Tracked) -> str:
    """Return which worker counts were declared at the last apply; "" if the record does not know it."""
    worker = record.applied.get("workerConfig", {})
    known = worker.keys() >= {"minNum", "maxNum"}
    return record.declared_counts or (counts_text(worker["minNum"], worker["maxNum"]) if known else "")


def is_declared_as_before(desired: Desired, record: Tracked) -> bool:
    """Return whether the declaration of the worker counts is that of the last apply.

    If so, only time has changed them: a lease has ended, or the schedule says so. It is known only for an
    endpoint that had a lease or a schedule then.
    """
    return record.declared_counts != "" and record.declared_counts == declared_counts(desired)


def due_reason(desired: Desired) -> str:
    """Return why time has changed the worker counts."""
    return "due by its schedule" if desired.schedule else "its lease has ended"


def next_change(
    desired: Iterable[Desired], inventory: Inventory, policy: SyncPolicy, now: datetime
) -> datetime | None:
    """Return when time next changes what the controller does: a lease ends, a schedule has other counts, a
    window opens or closes, or a suspension ends. None if nothing does.

    policy: that of the settings, over which each endpoint has its own.
    """
    from reconciler.planning.sync.windows import next_opening_or_closing

    declared = list(desired)
    policies = {policy, *(policy.merged(one.sync) for one in declared if one.sync)}
    schedules = {one.schedule for one in declared if one.schedule}
    times = [
        *(record.lease.until for record in inventory.records.values() if record.lease),
        *(next_opening_or_closing(one, now) for one in policies),
        *(_next_counts(one, now) for one in schedules),
    ]
    return min((time for time in times if time is not None and time > now), default=None)


def _entry(schedule: Sequence[Schedule], now: datetime) -> Schedule:
    """Return the entry whose last time is the latest; of several at the same time the later one."""
    from reconciler.model.sync.cron import last_time  # most plans have no schedule

    return max(reversed(schedule), key=lambda entry: last_time(entry.cron, entry.tz, now))


def _next_counts(schedule: Sequence[Schedule], now: datetime) -> datetime | None:
    """Return the next time at which the counts are others than now."""
    from reconciler.model.sync.cron import next_time

    current, time = _entry(schedule, now), now
    for _ in range(_MAX_TIMES):
        time = min(next_time(entry.cron, entry.tz, time) for entry in schedule)
        entry = _entry(schedule, time)
        if (entry.min, entry.max) != (current.min, current.max):
            return time
    return None


def _notes(noted: Sequence[tuple[Desired, ScheduledCounts]]) -> Iterable[Problem]:
    if len(noted) > _MAX_NOTES:
        until = min((counts.until for _, counts in noted if counts.until), default=None)
        end = f"; the next change is at {minute_text(until)}" if until else ""
        yield Problem(
            code="schedule",
            severity=Severity.NOTE,
            summary=f"{len(noted)} endpoints have the worker counts of their schedules{end}",
        )
        return
    for desired, counts in noted:
        until_text = f" until {minute_text(counts.until)}" if counts.until else ""
        yield Problem(
            code="schedule",
            severity=Severity.NOTE,
            summary=f"`{desired.name}` has {counts.counts} by its schedule{until_text}",
            address=address(desired.name),
            place=desired.place_of(COUNTS),
        )
