"""Live endpoints as text: a table of all, and events."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from reconciler.model.command import command_line
from reconciler.model.status import ConditionType, EndpointInfo, Happening, ReplicaEvent, Status
from reconciler.model.sync.lease import Lease
from reconciler.model.sync.schedule import ScheduledCounts
from reconciler.model.text import minute_text, quantity
from reconciler.reports.terminal.style import PLAIN, Style
from reconciler.reports.terminal.table import MAX_DRAWN_ROWS, Cell, Screen, cell_width, fits, table_text
from reconciler.reports.terminal.values import plain

COLOURS: Final[Mapping[Status, str]] = {
    Status.RUNNING: "green",
    Status.PENDING: "yellow",
    Status.UPDATING: "yellow",
    Status.STOPPED: "dim",
    Status.FAILED: "bold red",
    Status.TERMINATING: "dim",
}
BAR: Final = 8
"""Maximum width of a bar in columns; up to this number, each worker has its own column."""

LIST: Final = ("name", "status", "ready", "scale", "age", "managed", "url")
WIDE: Final = ("name", "id", "status", "ready", "running", "scale", "age", "managed", "image", "product",
               "region", "url", "message")  # fmt: skip
STATUS: Final = ("endpoint", "status", "total", "ready_replicas", "available", "message")
WIDE_STATUS: Final = (
    "endpoint", "id", "status", "total", "ready_replicas", "available", "age", "url", "message"
)  # fmt: skip
WATCH: Final = ("name", "status", "ready", "scale", "age", "reason")
WIDE_WATCH: Final = ("name", "id", "status", "ready", "running", "scale", "age", "url", "message")

_NARROWER: Final[Mapping[tuple[str, ...], Sequence[tuple[str, ...]]]] = {
    LIST: (
        ("name", "status", "ready", "scale", "managed", "url"),
        ("name", "status", "count", "managed", "url"),
        ("name", "status", "ready", "scale", "age", "managed"),
        ("name", "status", "count", "scale", "managed"),
        ("name", "status", "count", "managed"),
    ),
    STATUS: (
        ("endpoint", "status", "total", "ready_replicas", "message"),
        ("endpoint", "status", "count", "message"),
    ),
    WATCH: (
        ("name", "status", "ready", "scale", "reason"),
        ("name", "status", "count", "scale", "reason"),
        ("name", "status", "count", "reason"),
    ),
}
"""What is left out on terminals that are too narrow for all columns, in this order."""

LEASE_NAME: Final = 24
"""Columns of a name before its lease."""

MAX_SCHEDULE_LINES: Final = 10
"""Endpoints with a schedule (count) that have a line each below the table."""

TITLES: Final[Mapping[str, str]] = {"ready_replicas": "READY", "count": "READY", "reason": "MESSAGE"}


def endpoints_text(
    apps: Sequence[EndpointInfo], columns: tuple[str, ...], now: datetime, screen: Screen | None = None
) -> str:
    """Return a table of the endpoints with these columns, or with fewer on a narrow terminal.

    On a terminal, the leases, the schedules and a summary follow; elsewhere both are the last columns.
    """
    if screen is None:
        leases = ("lease",) if any(app.lease for app in apps) else ()
        schedules = ("schedule",) if any(app.scheduled for app in apps) else ()
        return table_text(*table_of(apps, (*columns, *leases, *schedules), now))
    is_drawn = len(apps) <= MAX_DRAWN_ROWS
    fitting = fitting_columns(apps, columns, now, screen) if is_drawn else columns
    lines = [*lease_lines(apps, screen), *_schedule_lines(apps, screen), cut(summary_line(apps), screen)]
    if "url" in columns and "url" not in fitting:
        command = command_line("reconciler", "list", "--json")
        lines.append(cut(f"The URLs do not fit; {command} prints them.", screen))
    table = table_text(*table_of(apps, fitting, now, unicode=screen.unicode), screen)
    return f"{table}\n" + "".join(f"{line}\n" for line in lines)


def fitting_columns(
    apps: Sequence[EndpointInfo],
    columns: tuple[str, ...],
    now: datetime,
    screen: Screen,
    *,
    one_line: bool = False,
) -> tuple[str, ...]:
    """Return the columns, without those for which the screen is too narrow. `one_line`: see `rich_table`."""
    layouts = (columns, *_NARROWER.get(columns, ()))
    return next(
        (
            layout
            for layout in layouts
            if fits(*table_of(apps, layout, now, unicode=screen.unicode), screen, one_line=one_line)
        ),
        layouts[-1],
    )


def lease_lines(apps: Iterable[EndpointInfo], screen: Screen) -> list[str]:
    """Return a line for each running lease, cut at the width of the screen."""
    return [
        cut(f"{cut(plain(app.name), screen, LEASE_NAME)}: lease {lease_text(app.lease)}", screen)
        for app in apps
        if app.lease
    ]


def _schedule_lines(apps: Iterable[EndpointInfo], screen: Screen) -> list[str]:
    """Return a line for each endpoint with a schedule; one line if there are many."""
    scheduled = [(app.name, app.scheduled) for app in apps if app.scheduled]
    if len(scheduled) > MAX_SCHEDULE_LINES:
        command = command_line("reconciler", "list", "--json")
        return [cut(f"{len(scheduled)} endpoints have schedules; {command} prints them.", screen)]
    return [
        cut(f"{cut(plain(name), screen, LEASE_NAME)}: schedule {schedule_text(counts)}", screen)
        for name, counts in scheduled
    ]


def schedule_text(scheduled: ScheduledCounts) -> str:
    """Return the worker counts of a schedule, and until when they apply."""
    return (
        f"until {minute_text(scheduled.until)}, {scheduled.counts}" if scheduled.until else scheduled.counts
    )


def lease_text(lease: Lease) -> str:
    """Return the end of a lease, its worker counts and its reason."""
    return f"until {minute_text(lease.until)}, {lease.counts}: {plain(lease.why)}"


def cut(line: str, screen: Screen, width: int | None = None) -> str:
    """Return the line, shortened to `width` columns, by default that of the screen."""
    width = screen.width if width is None else width
    if cell_width(line) <= width:
        return line
    from rich.cells import set_cell_size

    return set_cell_size(line, width - 1).rstrip() + ("…" if screen.unicode else "~")


def worst_first(apps: Iterable[EndpointInfo]) -> list[EndpointInfo]:
    """Return the endpoints: failed ones, those with failed workers, those on their way, then the rest."""

    def rank(app: EndpointInfo) -> int:
        if app.has_condition(ConditionType.FAILED):
            return 0
        if any(worker.has_failed and worker.message for worker in app.workers):
            return 1
        return 2 if app.has_condition(ConditionType.PROGRESSING) else 3 + (app.status is Status.RUNNING)

    return sorted(apps, key=lambda app: (rank(app), app.name, app.id))


def table_of(
    apps: Sequence[EndpointInfo], columns: Sequence[str], now: datetime, *, unicode: bool = True
) -> tuple[list[str], list[list[Cell]]]:
    """Return the titles and the rows of a table with these columns."""
    titles = [TITLES.get(column, column.upper()) for column in columns]
    return titles, [[_cell(app, column, now, unicode=unicode) for column in columns] for app in apps]


def summary_line(apps: Sequence[EndpointInfo]) -> str:
    """Return the number of endpoints by status, and of workers, in one line."""
    counts = Counter(app.status for app in apps)
    statuses = ", ".join(f"{counts[status]} {status.value.lower()}" for status in Status if counts[status])
    total, ready = sum(app.total_replicas for app in apps), sum(app.ready_replicas for app in apps)
    return f"{quantity(len(apps), 'endpoint')}: {statuses}. {quantity(total, 'worker')}, {ready} ready."


def colored_status(status: Status, text: str, style: Style) -> str:
    """Return a text in the colour of a status."""
    match status:
        case Status.RUNNING:
            return style.added(text)
        case Status.PENDING | Status.UPDATING:
            return style.changed(text)
        case Status.FAILED:
            return style.error(text)
        case Status.STOPPED | Status.TERMINATING:
            return style.dim(text)


def event_text(event: ReplicaEvent, at: str, style: Style = PLAIN, *, wide: bool = False) -> str:
    """Return the line for an event: time, name, event, status, `ready/desired` and message."""
    events = ",".join(happening.value for happening in event.happenings)
    words = [
        at,
        plain(event.name),
        style.bold(events),
        "-"
        if Happening.DELETED in event.happenings
        else colored_status(event.status, event.status.value, style),
        f"{event.ready_replicas}/{event.desired_replicas}",
    ]
    if wide:
        active = ",".join(condition.type.value for condition in event.conditions if condition.status)
        words += [plain(event.id), f"running={event.available_replicas}", f"conditions={active or '-'}"]
    if event.lease:
        words.append(f"lease {lease_text(event.lease)}")
    return "  ".join([*words, *([plain(event.message)] if event.message else [])])


def age(created: datetime | None, now: datetime) -> str:
    """Return the age in the largest unit that gives at least 2: `90s`, `5m`, `30h`, `4d`; "" if unknown."""
    if created is None:
        return ""
    seconds = max(int((now - created).total_seconds()), 0)
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length}{unit}"
    return f"{seconds}s"


def bar(ready: int, desired: int, *, unicode: bool = True) -> str:
    """Return a bar of the ready workers among the desired ones."""
    full, empty = ("█", "░") if unicode else ("#", ".")
    width = min(desired, BAR)
    drawn = min(-(-ready * width // desired), width) if desired else 0
    return full * drawn + empty * (width - drawn)


def _cell(app: EndpointInfo, column: str, now: datetime, *, unicode: bool) -> Cell:
    match column:
        case "name" | "endpoint":
            return Cell(app.name, "bold")
        case "status":
            return Cell(app.status.value, _colour(app))
        case "ready" | "count":
            is_scaled_to_zero = app.min_replicas == app.total_replicas == 0
            desired = 0 if is_scaled_to_zero else app.desired_replicas
            text = f"{app.ready_replicas}/{desired}"
            drawn = bar(app.ready_replicas, desired, unicode=unicode)
            return Cell(text, _colour(app), f"{drawn.ljust(BAR)} {text}" if column == "ready" else "")
        case "scale":
            return Cell(f"{app.min_replicas}-{app.max_replicas}")
        case "total":
            return Cell(str(app.total_replicas))
        case "running" | "available":
            return Cell(str(app.available_replicas))
        case "age":
            return Cell(age(app.created_at, now))
        case "reason":  # first in a column that may be cut, without the ID of the worker
            return Cell(re.sub(r"^worker \S+ ", "", app.message))
        case "lease":
            return Cell(lease_text(app.lease) if app.lease else "")
        case "schedule":
            return Cell(schedule_text(app.scheduled) if app.scheduled else "")
        case "managed":
            return Cell(app.management, "" if _is_managed(app) or app.environment else "yellow")
        case _:
            return Cell(str(getattr(app, column)), "dim" if column in ("id", "url") else "")


def _colour(app: EndpointInfo) -> str:
    is_failing = app.has_condition(ConditionType.FAILED)
    return COLOURS[Status.FAILED if is_failing else app.status]


def _is_managed(app: EndpointInfo) -> bool:
    return app.managed is not None and app.managed.value in ("declared", "imperative")
