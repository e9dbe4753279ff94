"""The pages of the controller: its environments, one of them, and the approval of a waiting plan."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from reconciler.controller.approval import approve
from reconciler.model import durations
from reconciler.model.encoding import json_bytes
from reconciler.model.problem import Problem
from reconciler.model.settings import name_to_type
from reconciler.model.sync.durations import APPROVAL_POLL
from reconciler.model.text import minute_text
from reconciler.server.account_service import TooManyWrites
from reconciler.server.pages.pages import Form, Pages
from reconciler.server.pages.rendering import render
from reconciler.server.pages.sessions import Session
from reconciler.server.sync.rows import (
    TONES,
    SyncQuery,
    counts_in_words,
    headline,
    name_and_page,
    plan_lines,
    sync_path,
)
from reconciler.server.sync.view import Shown, SyncView, approval_of, current
from reconciler.workflow.approve import is_digest
from reconciler.workflow.runtime.author import user_of

MAX_PLAN_LINES: Final = 5000
"""Lines of a waiting plan on the page; a browser is slow with more. The command shows all."""


async def show_sync(pages: Pages, request: Request, session: Session) -> Response:
    """Answer with the only environment, or with the list of all."""
    view = _view(pages)
    shown = await view.shown()
    if len(shown) == 1:
        return await _environment(pages, request, session, shown[0])
    return render(
        "sync_all.html",
        session=session,
        place="/sync",
        content=view.number,
        rows=[
            (one, sync_path(one.environment, is_only=False), *headline(one), counts_in_words(one.state))
            for one in shown
        ],
    )


async def show_environment(pages: Pages, request: Request, session: Session) -> Response:
    """Answer with one environment."""
    name = request.path_params["environment"]
    shown = next((one for one in await _view(pages).shown() if one.environment == name), None)
    if shown is None:
        return pages.refusal(session, 404, _unknown())
    return await _environment(pages, request, session, shown)


async def approve_waiting(pages: Pages, _request: Request, session: Session, form: Form) -> Response:
    """Approve the waiting plan that was shown. The leader, in whatever process, performs it or nothing."""
    view, digest = _view(pages), form.get("digest", "")
    board = view.find(form.get("of", ""))
    if board is None:
        return pages.refusal(session, 404, _unknown())
    shown = await asyncio.to_thread(current, board)
    waiting = shown.state.waiting if shown.state else None
    if shown.problem is not None:
        return pages.refusal(session, 500, shown.problem)
    if waiting is None or not is_digest(digest) or waiting.digest != digest:
        return pages.refusal(session, 409, _no_longer_waits(has_other=waiting is not None))
    name = name_to_type(board.context.environment)
    if form.get("environment", "").strip() != name:
        return pages.refusal(session, 400, _not_named(name))
    timeout = pages.service.settings.lock_timeout
    context = replace(board.context, who=session.caller.name, lock_timeout=timeout, helper_calls={})
    try:
        await pages.service.write(lambda: approve(context, waiting, user_of(context)))
    except TooManyWrites:
        return pages.refusal(session, 503, _busy())
    board.wake.set()
    path = sync_path(board.environment, is_only=len(view.controlled.boards) == 1)
    return RedirectResponse(path, status_code=303)


async def follow_sync(pages: Pages, _request: Request, _session: Session) -> Response:
    """Answer with a stream of server-sent events, until the browser leaves or the server stops."""
    return StreamingResponse(
        _events(pages),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _events(pages: Pages) -> AsyncIterator[bytes]:
    view = _view(pages)
    yield b"retry: 1000\n\n"
    stopping = asyncio.ensure_future(pages.service.stopping.wait())
    changed = asyncio.ensure_future(view.changed())
    try:
        await view.shown()
        while not stopping.done():
            yield b"event: state\ndata: " + json_bytes({"content": view.number, "problem": ""}) + b"\n\n"
            await asyncio.sleep(durations.STREAM_PAUSE)
            await asyncio.wait(
                (stopping, changed), timeout=durations.STREAM_HEARTBEAT, return_when=asyncio.FIRST_COMPLETED
            )
            if changed.done():
                changed = asyncio.ensure_future(view.changed())
    finally:
        for task in (stopping, changed):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def _environment(pages: Pages, request: Request, session: Session, shown: Shown) -> Response:
    view, state = _view(pages), shown.state
    boards = view.controlled.boards
    path = sync_path(shown.environment, is_only=len(boards) == 1)
    query = SyncQuery.of(path, request.query_params)
    rows = state.endpoints if state else ()
    waiting = state.waiting if state else None
    approval = await asyncio.to_thread(approval_of, shown) if waiting else None
    lines = plan_lines(waiting.text.strip("\n")) if waiting and session.caller.may_write else []
    words, tone = headline(shown)
    return render(
        "sync.html",
        session=session,
        place="/sync",
        content=view.number,
        shown=shown,
        state=state,
        headline=words,
        tone=tone,
        query=query,
        counts=tuple(query.counts(rows)),
        rows=query.select(rows),
        total=len(rows),
        tones=TONES,
        name_and_page=name_and_page,
        has_pages=shown.board is boards[0],
        waiting=waiting,
        since=minute_text(waiting.since) if waiting else "",
        lines=lines[:MAX_PLAN_LINES],
        left_out=max(0, len(lines) - MAX_PLAN_LINES),
        approval=approval,
        until=minute_text(approval.until) if approval else "",
        name_to_type=name_to_type(shown.board.context.environment),
        seconds=int(APPROVAL_POLL),
        is_only=len(boards) == 1,
    )


def _view(pages: Pages) -> SyncView:
    assert pages.service.sync is not None
    return pages.service.sync


def _no_longer_waits(*, has_other: bool) -> Problem:
    return Problem(
        code="plan-changed",
        summary="nothing was approved: this plan does not wait any more",
        detail="Another plan waits now."
        if has_other
        else "It was applied, or the files, the inventory or the account have changed.",
        hint="go back, look at the page again, and approve what it shows",
    )


def _not_named(name: str) -> Problem:
    return Problem(
        code="not-approved",
        summary="nothing was approved: the name of the environment was not typed",
        hint=f"go back, and type {name} to approve the plan" if name else "go back, and reload the page",
    )


def _busy() -> Problem:
    return Problem(
        code="too-many-writes",
        summary="nothing was approved: too many changes wait for the inventory",
        hint="go back, and try again in some seconds",
    )


def _unknown() -> Problem:
    return Problem(
        code="not-found",
        summary="this process controls no such environment",
        hint="the page Sync lists those that it controls",
    )
