"""The stream of events that tells open pages when their content has changed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from reconciler.model import durations
from reconciler.model.encoding import json_bytes
from reconciler.model.text import utc_text
from reconciler.server.account_cache import Snapshot
from reconciler.server.pages.pages import Pages
from reconciler.server.pages.sessions import Session


async def follow_changes(pages: Pages, _request: Request, _session: Session) -> Response:
    """Answer with a stream of server-sent events, until the browser leaves or the server stops."""
    return StreamingResponse(
        _events(pages),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _events(pages: Pages) -> AsyncIterator[bytes]:
    yield b"retry: 1000\n\n"
    snapshots = pages.service.cache.changes()
    stopping = asyncio.ensure_future(pages.service.stopping.wait())
    listed: asyncio.Future[Snapshot] = asyncio.ensure_future(anext(snapshots))
    ran = asyncio.ensure_future(pages.runs.changed())
    latest = pages.service.cache.latest
    try:
        while not stopping.done():
            if latest is not None:
                yield await _state(pages, latest)
                await asyncio.sleep(durations.STREAM_PAUSE)
            await asyncio.wait(
                (stopping, listed, ran),
                timeout=durations.STREAM_HEARTBEAT,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if listed.done():
                latest = listed.result()
                listed = asyncio.ensure_future(anext(snapshots))
            if ran.done():
                ran = asyncio.ensure_future(pages.runs.changed())
    finally:
        for task in (stopping, listed, ran):
            task.cancel()
            with suppress(asyncio.CancelledError, StopAsyncIteration):
                await task
        await snapshots.aclose()


async def _state(pages: Pages, snapshot: Snapshot) -> bytes:
    table = await pages.table(snapshot)
    failure = pages.service.cache.failure
    state = {
        "content": table.number,
        "runs": pages.runs.number,
        "taken_at": utc_text(snapshot.taken_at),
        "problem": failure.problem.summary if failure else "",
    }
    return b"event: state\ndata: " + json_bytes(state) + b"\n\n"
