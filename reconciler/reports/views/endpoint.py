"""One live endpoint as text: its state, its configuration, its workers, and where its logs are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from textwrap import wrap
from typing import Final

from reconciler.kinds.registry import ENDPOINT
from reconciler.model.secrets import mask
from reconciler.model.status import ConditionType, EndpointInfo, Worker
from reconciler.model.values import Fields, Json, leaves
from reconciler.reports.terminal.style import PLAIN, Style
from reconciler.reports.terminal.table import Cell, Screen, cell_width, fits, pad, table_text
from reconciler.reports.terminal.values import plain, shown
from reconciler.reports.views.documents import endpoint_document
from reconciler.reports.views.endpoints import age, colored_status, lease_text, schedule_text

_SENTENCES: Final = frozenset({"message", "workers", "lease", "schedule"})


def endpoint_text(
    app: EndpointInfo,
    configuration: Fields,
    now: datetime,
    style: Style = PLAIN,
    screen: Screen | None = None,
    *,
    spec_name: str = "",
) -> str:
    """Return the details of an endpoint, its configuration, its workers and the addresses of its logs.

    Secrets in `configuration` are masked. `spec_name` is the declared spec, "" for none.
    """
    details = [(name, plain(value)) for name, value in _details(app, now) if value]
    table = ENDPOINT.table
    spec = [(("specName",), spec_name)] if spec_name else []
    settings = []
    for path, value in sorted([*leaves(configuration), *spec], key=lambda leaf: table.reading_rank(leaf[0])):
        settings.append((plain(table.label(path)), shown(table.value_shown(path, value))))
    parts = [
        [colored_status(app.status, plain(app.name), style), *_pairs(details, style, screen)],
        [style.bold("Configuration"), *_pairs(settings, style, screen)],
    ]
    text = "\n\n".join("\n".join(lines) for lines in parts) + "\n"
    if app.workers:
        text += f"\n{_workers_text(app.workers, now, screen)}"
    if logs := logs_text(app, style, screen):
        text += f"\n{style.bold('Logs')}\n{logs}"
    return text


def endpoint_details_document(app: EndpointInfo, configuration: Fields, spec_name: str) -> dict[str, Json]:
    """Return the document of `get --json`: that of `list --json`, with the configuration on the wire."""
    return {
        **endpoint_document(app),
        "spec_name": spec_name or None,
        "configuration": mask(configuration),
    }


def logs_text(app: EndpointInfo, style: Style = PLAIN, screen: Screen | None = None) -> str:
    """Return a line for each address at which Novita offers logs; "" if there is none."""
    found = [(plain(name), plain(log)) for name, log in logs_of(app)]
    return "".join(f"{line}\n" for line in _pairs(found, style, screen))


def logs_of(app: EndpointInfo) -> Iterator[tuple[str, str]]:
    """Yield (the name of the endpoint or the ID of a worker, the address of its log)."""
    if app.log:
        yield app.name, app.log
    for worker in _failed_first(app.workers):
        if worker.log:
            yield worker.id, worker.log


def _pairs(
    pairs: Sequence[tuple[str, str]], style: Style = PLAIN, screen: Screen | None = None
) -> Iterator[str]:
    """Yield a line for each name with its value, which stands below the name if it does not fit beside it.

    A sentence is folded there. Other values are left whole, so that they can be copied.
    """
    width = max((cell_width(name) for name, _ in pairs), default=0)
    for name, value in pairs:
        if screen is None or width + 4 + cell_width(value) <= screen.width:
            yield f"  {style.dim(pad(name, width))}  {value}"
            continue
        yield f"  {style.dim(name)}"
        is_sentence = name in _SENTENCES
        lines = wrap(value, max(screen.width - 4, 20), break_on_hyphens=False) if is_sentence else [value]
        yield from (f"    {line}" for line in lines)


def _workers_text(workers: Sequence[Worker], now: datetime, screen: Screen | None) -> str:
    rows = [
        [
            Cell(worker.id),
            Cell(
                f"{worker.state}, draining" if worker.is_draining else worker.state,
                "green" if worker.is_ready else "red" if worker.has_failed else "yellow",
            ),
            Cell("yes" if worker.healthy else "no"),
            Cell(age(worker.created_at, now)),
            Cell(worker.message),
        ]
        for worker in _failed_first(workers)
    ]
    titles: tuple[str, ...] = ("WORKER", "STATE", "HEALTHY", "AGE", "MESSAGE")
    if screen is not None and not fits(titles, rows, screen):
        titles, rows = (*titles[:2], titles[-1]), [[*row[:2], row[-1]] for row in rows]
    return table_text(titles, rows, screen)


def _failed_first(workers: Sequence[Worker]) -> list[Worker]:
    return sorted(workers, key=lambda worker: not worker.has_failed)


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
    yield "lease", lease_text(app.lease) if app.lease else ""
    yield "schedule", schedule_text(app.scheduled) if app.scheduled else ""
    if app.created_at is not None:
        yield "created", f"{app.created_at:%Y-%m-%dT%H:%M:%SZ}, {age(app.created_at, now)} ago"
    yield "managed", app.management
    for kind in ConditionType:
        for condition in app.conditions:
            if condition.type is kind and condition.status:
                yield kind.value.lower(), f"yes ({condition.reason})"
