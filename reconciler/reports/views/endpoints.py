"""Live endpoints as text: a table of all, the details of one, and events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from reconciler.model.status import ConditionType, EndpointInfo, Happening, ReplicaEvent, Status, Worker
from reconciler.model.text import quantity
from reconciler.reports.terminal.style import PLAIN, Style
from reconciler.reports.terminal.table import Cell, Screen, table_text
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
WATCH: Final = ("name", "status", "ready", "scale", "age", "message")
WIDE_WATCH: Final = ("name", "id", "status", "ready", "running", "scale", "age", "url", "message")


def endpoints_text(
    apps: Sequence[EndpointInfo], columns: Sequence[str], now: datetime, screen: Screen | None = None
) -> str:
    """Return a table of the endpoints with these columns; on a terminal, a summary follows."""
    titles, rows = table_of(apps, columns, now, unicode=screen is None or screen.unicode)
    text = table_text(titles, rows, screen)
    return text if screen is None else f"{text}\n{summary_line(apps)}\n"


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
    titles = [column.upper().removesuffix("_REPLICAS") for column in columns]
    return titles, [[_cell(app, column, now, unicode=unicode) for column in columns] for app in apps]


def summary_line(apps: Sequence[EndpointInfo]) -> str:
    """Return the number of endpoints by status, and of workers, in one line."""
    counts = Counter(app.status for app in apps)
    statuses = ", ".join(f"{counts[status]} {status.value.lower()}" for status in Status if counts[status])
    total, ready = sum(app.total_replicas for app in apps), sum(app.ready_replicas for app in apps)
    return f"{quantity(len(apps), 'endpoint')}: {statuses}. {quantity(total, 'worker')}, {ready} ready."


def endpoint_text(
    app: EndpointInfo, now: datetime, style: Style = PLAIN, screen: Screen | None = None
) -> str:
    """Return the details of one endpoint and its workers."""
    details = [(name, plain(value)) for name, value in _details(app, now) if value]
    width = max(len(name) for name, _ in details)
    lines = [colored_status(app.status, plain(app.name), style)]
    lines += [f"  {style.dim(name.ljust(width))}  {value}" for name, value in details]
    text = "\n".join(lines) + "\n"
    if not app.workers:
        return text
    rows = [
        [
            Cell(worker.id),
            Cell(_state(worker), "green" if worker.is_ready else "red" if worker.has_failed else "yellow"),
            Cell("yes" if worker.healthy else "no"),
            Cell(worker.message),
        ]
        for worker in sorted(app.workers, key=lambda worker: not worker.has_failed)
    ]
    return f"{text}\n{table_text(('WORKER', 'STATE', 'HEALTHY', 'MESSAGE'), rows, screen)}"


def _state(worker: Worker) -> str:
    return f"{worker.state}, draining" if worker.is_draining else worker.state


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
    return "  ".join([*words, *([plain(event.message)] if event.message else [])])


def age(created: datetime | None, now: datetime) -> str:
    """Return the age in the largest unit that gives at least 2: `90s`, `5m`, `30h`, `4d`; "" if unknown."""
    if created is None:
        return ""
    seconds = max(int((now - created) / timedelta(seconds=1)), 0)
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
            return Cell(app.status.value, COLOURS[app.status])
        case "ready":
            is_scaled_to_zero = app.min_replicas == app.total_replicas == 0
            desired = 0 if is_scaled_to_zero else app.desired_replicas
            text = f"{app.ready_replicas}/{desired}"
            drawn = bar(app.ready_replicas, desired, unicode=unicode)
            return Cell(text, COLOURS[app.status], f"{drawn.ljust(BAR)} {text}")
        case "scale":
            return Cell(f"{app.min_replicas}-{app.max_replicas}")
        case "total":
            return Cell(str(app.total_replicas))
        case "running" | "available":
            return Cell(str(app.available_replicas))
        case "age":
            return Cell(age(app.created_at, now))
        case "managed":
            return Cell(app.managed.value if app.managed else "", "" if _is_managed(app) else "yellow")
        case _:
            return Cell(str(getattr(app, column)), "dim" if column in ("id", "url") else "")


def _is_managed(app: EndpointInfo) -> bool:
    return app.managed is not None and app.managed.value in ("declared", "imperative")


def _details(app: EndpointInfo, now: datetime) -> Iterator[tuple[str, str]]:
    state_text = (
        f" (Novita state: {app.state})" if app.state.lower() != app.status.value.lower() and app.state else ""
    )
    yield "status", f"{app.status.value}{state_text}"
    yield "message", app.message
    yield "id", app.id
    yield "url", app.url
    yield (
        "workers",
        f"{app.ready_replicas} ready, {app.available_replicas} running, {app.total_replicas} in total;"
        f" scales from {app.min_replicas} to {app.max_replicas}",
    )
    yield "image", app.image
    yield "app name", app.app_name
    yield "product", app.product
    yield "region", app.region
    if app.created_at is not None:
        yield "created", f"{app.created_at:%Y-%m-%dT%H:%M:%SZ}, {age(app.created_at, now)} ago"
    yield "managed", app.managed.value if app.managed else ""
    for kind in ConditionType:
        for condition in app.conditions:
            if condition.type is kind and condition.status:
                yield kind.value.lower(), f"yes ({condition.reason})"
