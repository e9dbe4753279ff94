"""The operations that only a server of `run` has: the state, health, and the calls of git servers."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from reconciler.controller.state import SyncState, WaitingPlan
from reconciler.model.text import utc_text
from reconciler.server.api.route_table import OPERATIONS, Access, Operation
from reconciler.server.guard import BodyTooLarge, read_body
from reconciler.server.responses import error_response, json_response
from reconciler.server.service import service_of
from reconciler.server.settings import MAX_BODY_SIZE
from reconciler.server.sync.view import Controlled, Shown, SyncView

MAX_HOOK_BODIES: Final = 32
"""Bodies of calls of git servers that are read at once (count), because anybody may send them."""

_SIGNATURES: Final = ("x-hub-signature-256", "webhook-signature", "x-gitlab-token")

_reading = asyncio.Semaphore(MAX_HOOK_BODIES)


async def show_sync(request: Request) -> Response:
    """Answer with the state of each environment. Plans have their text for a token that may write."""
    shown = await _view(request).shown()
    may_write = request.state.caller.may_write
    return json_response({"environments": [_object(one, shows_text=may_write) for one in shown]})


async def alive(request: Request) -> Response:
    """Answer 200 while all loops move, else 503."""
    stopped = [one for one in _view(request).controlled.boards if not one.is_alive]
    if not stopped:
        return json_response({"status": "ok"})
    names = ", ".join(one.environment or "the only environment" for one in stopped)
    return error_response(503, f"the loop has ended or stands still: {names}", "restart the process")


async def ready(request: Request) -> Response:
    """Answer 200 after the first round without an error in each environment, or if another process leads."""
    waiting = [one for one in _view(request).controlled.boards if not one.is_ready]
    if not waiting:
        return json_response({"status": "ok"})
    names = ", ".join(one.environment or "the only environment" for one in waiting)
    return error_response(503, f"no round has succeeded yet: {names}", "the log and /sync say why")


async def receive_hook(request: Request) -> Response:
    """Let each environment look for a new revision, if the sender knows the secret. Answer at once."""
    controlled = _view(request).controlled
    assert controlled.hook is not None
    headers = dict(request.headers)
    if not any(name in headers for name in _SIGNATURES):
        return _unauthorized()
    if _reading.locked():
        answer = error_response(503, "too many calls at once", "send it again")
        answer.headers["Retry-After"] = "1"
        return answer
    try:
        async with _reading:
            body = await read_body(request)
    except BodyTooLarge:
        return error_response(413, f"the body has more than {MAX_BODY_SIZE} bytes", "send less")
    except TimeoutError:
        return error_response(408, "the body did not arrive in time", "send it again")
    if not controlled.hook.is_authentic(headers, body):
        return _unauthorized()
    for receive in controlled.receivers:
        receive()
    return json_response({"status": "ok"}, status=202)


def controlled_operations(controlled: Controlled) -> tuple[Operation, ...]:
    """Return the operations of `serve`, with those of a controller."""
    own = (*_OWN, _HOOK) if controlled.hook is not None else _OWN
    replaced = {one.path for one in own}
    return (*own, *(one for one in OPERATIONS if one.path not in replaced))


def _health(path: str, op: str, summary: str, handler: Any) -> Operation:
    return Operation(
        id=op,
        method="GET",
        path=path,
        summary=summary,
        handler=handler,
        answer="Health",
        access=Access.OPEN,
        statuses=(503,),
        tag="server",
    )


_OWN: Final = (
    _health("/health", "health", "The loops of the controller move", alive),
    _health("/healthz", "healthz", "The loops of the controller move", alive),
    _health("/readyz", "readyz", "A round has succeeded, or this process stands by", ready),
    Operation(
        id="getSync",
        method="GET",
        path="/api/v1/sync",
        summary="The state of the controller in each environment, with its waiting plan",
        handler=show_sync,
        answer="Sync",
        tag="sync",
    ),
)

_HOOK: Final = Operation(
    id="hook",
    method="POST",
    path="/hook",
    summary="A git server says that something was pushed",
    handler=receive_hook,
    access=Access.OPEN,
    answer="Health",
    success=202,
    statuses=(401, 408, 413, 503),
    tag="sync",
)


def _view(request: Request) -> SyncView:
    view = service_of(request).sync
    assert view is not None
    return view


def _unauthorized() -> Response:
    return error_response(401, "unauthorized", "sign the call with the secret of --hook-secret-env")


def _object(shown: Shown, *, shows_text: bool) -> dict[str, Any]:
    state = shown.state or SyncState(environment=shown.environment)
    return {
        "environment": shown.environment,
        "leader": state.leader,
        "isLeading": shown.board.is_leading,
        "revision": state.revision,
        "rejected": state.rejected,
        "checkedAt": _time(state.checked_at),
        "succeededAt": _time(state.succeeded_at),
        "nextRoundAt": _time(state.next_round_at),
        "result": state.result.value if state.result else None,
        "paused": list(state.paused),
        "waiting": _waiting(state.waiting, shows_text=shows_text) if state.waiting else None,
        "endpoints": [
            {
                "address": one.address,
                "status": one.status.value,
                "driftedFields": one.drifted_fields,
                "why": one.why,
            }
            for one in state.endpoints
        ],
        "problem": shown.problem.summary if shown.problem else "",
    }


def _waiting(waiting: WaitingPlan, *, shows_text: bool) -> dict[str, Any]:
    return {
        "digest": waiting.digest,
        "since": _time(waiting.since),
        "revision": waiting.revision,
        "summary": waiting.summary,
        "text": waiting.text if shows_text else None,
    }


def _time(moment: datetime | None) -> str | None:
    return utc_text(moment) if moment else None
