"""Handlers that read endpoints."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from reconciler.model.resource import Live
from reconciler.model.status import EndpointInfo
from reconciler.server.account_cache import Snapshot
from reconciler.server.api.endpoint_objects import (
    endpoint_object,
    event_object,
    status_object,
    worker_detail,
    worker_object,
)
from reconciler.server.responses import (
    error_response,
    json_response,
    raw_json,
    snapshot_headers,
)
from reconciler.server.service import find_in, service_of

MAX_EVENTS = 50
"""Events of an answer unless `limit` says otherwise (count)."""


async def health(_request: Request) -> Response:
    """Answer that the process is alive."""
    return json_response({"status": "ok"})


async def ready(request: Request) -> Response:
    """Answer 200 if the account can be listed, else 503."""
    service = service_of(request)
    await service.cache.get()
    if service.cache.failure is not None:
        problem = service.cache.failure.problem
        return error_response(503, problem.summary, problem.hint)
    return json_response({"status": "ok"})


async def list_endpoints(request: Request) -> Response:
    """Answer with all endpoints by name, from the cache unless `fresh=1` asks Novita."""
    if "reveal" in request.query_params:
        return error_response(400, "the list never reveals values", "ask for one endpoint: NAME?reveal=env")
    snapshot = await service_of(request).snapshot(request)
    return raw_json(snapshot.list_json, headers=snapshot_headers(snapshot))


async def get_endpoint(request: Request) -> Response:
    """Answer with one endpoint; `reveal=env` shows the values of its variables to a token that may write."""
    reveals = request.query_params.get("reveal") == "env"
    caller = request.state.caller
    if reveals and not (caller.name and caller.may_write):
        return error_response(
            403,
            "only a token that may write sees the values of env",
            "send it as Authorization: Bearer TOKEN",
        )
    found, snapshot = await _find(request)
    if found is None:
        return _no_endpoint(snapshot)
    live, info = found
    shown = endpoint_object(live, info, spec=snapshot.spec_of(info), reveals_env=reveals)
    return json_response(shown, headers=snapshot_headers(snapshot))


async def get_status(request: Request) -> Response:
    """Answer with the status of one endpoint."""
    found, snapshot = await _find(request)
    if found is None:
        return _no_endpoint(snapshot)
    return json_response(status_object(found[1].app_status()), headers=snapshot_headers(snapshot))


async def list_workers(request: Request) -> Response:
    """Answer with the workers of one endpoint; an unknown one has none."""
    found, snapshot = await _find(request)
    workers = found[1].workers if found else ()
    objects = [worker_object(found[1], worker) for worker in workers] if found else []
    return json_response(objects, headers=snapshot_headers(snapshot))


async def get_worker(request: Request) -> Response:
    """Answer with one worker by its ID."""
    snapshot = await service_of(request).snapshot(request)
    for info in snapshot.infos:
        for worker in info.workers:
            if worker.id == request.path_params["id"]:
                return json_response(worker_detail(info, worker), headers=snapshot_headers(snapshot))
    return error_response(404, "worker not found", "GET /api/v1/endpoints/{name}/workers lists the workers")


async def list_events(request: Request) -> Response:
    """Answer with the changes of one endpoint that this server has seen, newest first."""
    service = service_of(request)
    await service.snapshot(request)
    text = request.query_params.get("limit", "")
    limit = min(int(text), 1000) if text.isdecimal() and len(text) < 6 else MAX_EVENTS
    name = request.path_params["name"]
    seen = [one for one in reversed(service.cache.history) if name in (one.event.name, one.event.id)]
    return json_response([event_object(one) for one in seen[:limit]])


async def _find(request: Request) -> tuple[tuple[Live, EndpointInfo] | None, Snapshot]:
    snapshot = await service_of(request).snapshot(request)
    return find_in(snapshot, request.path_params["name"]), snapshot


def _no_endpoint(snapshot: Snapshot) -> Response:
    answer = error_response(
        404, "endpoint not found", "GET /api/v1/endpoints lists all; ?fresh=1 asks Novita again"
    )
    answer.headers.update(snapshot_headers(snapshot))
    return answer
