"""The page of all endpoints, and that of one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from reconciler.kinds.registry import KINDS
from reconciler.model.problem import Problem
from reconciler.model.resource import Live
from reconciler.model.secrets import MASK
from reconciler.model.status import Managed, Status
from reconciler.novita.messages import CONSOLE
from reconciler.planning.matching import matched
from reconciler.reports.terminal.values import plain, shown
from reconciler.server.account_cache import Snapshot
from reconciler.server.pages.pages import Pages
from reconciler.server.pages.query import SORTS, Query
from reconciler.server.pages.rendering import render
from reconciler.server.pages.rows import MISSING, Table
from reconciler.server.pages.sessions import Session


async def show_endpoints(pages: Pages, request: Request, session: Session) -> Response:
    """Answer with the table of all endpoints that match the query."""
    snapshot = await pages.service.cache.get()
    table = await pages.table(snapshot)
    query = Query.of(request.query_params)
    rows, found = await pages.table_html(table, query)
    failure = pages.service.cache.failure
    return render(
        "endpoints.html",
        session=session,
        place="/",
        query=query,
        rows=rows,
        found=found,
        total=len(table.rows),
        content=table.number,
        taken_at=table.snapshot.taken_at,
        problems=(*(failure.problems if failure else ()), *table.snapshot.local.problems),
        counts=tuple(_counts(table, query)),
        states=(*Status, MISSING),
        managed=tuple(Managed),
        sorts=SORTS,
    )


async def show_endpoint(pages: Pages, request: Request, session: Session) -> Response:
    """Answer with the page of one endpoint, by its name or ID."""
    snapshot = await pages.service.cache.get()
    table = await pages.table(snapshot)
    name = request.path_params["name"]
    row = table.find(name)
    if row is None:
        return pages.refusal(session, 404, _unknown(name))
    live = next((live for live in table.snapshot.live if live.id == row.key), None)
    return render(
        "endpoint.html",
        session=session,
        place="",
        row=row,
        content=table.number,
        taken_at=table.snapshot.taken_at,
        live=live,
        settings=tuple(_settings(table.snapshot, live)) if live else (),
        versions=pages.tables.versions_of(row.name),
        seen=[one for one in reversed(pages.service.cache.history) if one.event.name == row.name][:20],
        console=CONSOLE,
        logs=_logs(live) if live else {},
    )


def _counts(table: Table, query: Query) -> Iterator[tuple[str, int, str, str, bool]]:
    """Return the counts above the table: words, count, URL of the filter, tone, and whether it is on."""
    for state in (*Status, MISSING):
        if count := sum(row.state == state for row in table.rows):
            tone = next(row.tone for row in table.rows if row.state == state)
            is_on = query.state == state
            yield state.lower(), count, query.url(state="" if is_on else str(state)), tone, is_on
    for show, words, tone in (("differs", "differ", "news"), ("drift", "drifted", "warn")):
        count = sum(row.has_drift if show == "drift" else bool(row.action) for row in table.rows)
        if count:
            is_on = query.show == show
            yield words, count, query.url(show="" if is_on else show), tone, is_on


def _settings(snapshot: Snapshot, live: Live) -> Iterator[tuple[str, str]]:
    """Return the settings of a live endpoint, one path and value each. No value of `envs` is shown."""
    local = snapshot.local
    record = next((record for record in local.inventory.records.values() if record.id == live.id), None)
    name = record.name if record else live.name
    desired = next((desired for desired in local.desired or () if desired.name == name), None)
    fields: dict[str, Any] = dict(matched(name, desired, record, live).redacted.fields)
    table = KINDS[live.kind].table
    for path, value in sorted(_leaves(fields), key=lambda leaf: table.reading_rank(leaf[0])):
        is_hidden = path[0] == "envs" and value not in ({}, None)
        yield plain(table.label(path)), MASK if is_hidden else shown(table.value_shown(path, value))


def _logs(live: Live) -> Mapping[str, str]:
    """Return the address of the log of each worker that has one, by its ID."""
    workers = live.raw.get("workers")
    found = (worker for worker in workers if isinstance(worker, Mapping)) if isinstance(workers, list) else ()
    return {
        str(worker.get("id")): log for worker in found if isinstance(log := worker.get("log"), str) and log
    }


def _leaves(fields: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key, value in fields.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, (*path, key))
        else:
            yield (*path, key), value


def _unknown(name: str) -> Problem:
    return Problem(
        code="not-found",
        summary=f"there is no endpoint `{name}`: it is neither in the account nor declared",
        hint="it may have been deleted; the list shows all endpoints",
    )
