"""Handlers that change endpoints, with the goals of `deploy`, `update`, `scale` and `delete`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from reconciler.kinds.registry import ENDPOINT
from reconciler.model.apply_events import ChangeResult
from reconciler.model.encoding import json_indented
from reconciler.model.errors import ReconcilerError
from reconciler.sdk.change import require_deleted
from reconciler.server.account_service import TooManyWrites
from reconciler.server.api.bodies import BadBody, deploy_item, json_object, replicas_of, update_fields
from reconciler.server.api.reads import get_status
from reconciler.server.responses import (
    IGNORED_HEADER,
    error_response,
    escaped_as_go,
    failure,
    json_response,
)
from reconciler.server.service import service_of
from reconciler.workflow.imperative import (
    delete_goal,
    deploy_goal,
    desired_from_item,
    read_files,
    update_goal,
)
from reconciler.workflow.plan import Goal
from reconciler.workflow.runtime.context import Context


async def deploy(request: Request) -> Response:
    """Create an endpoint."""
    item, ignored = deploy_item(await json_object(request))
    facts = {"details": "Deployment", "endpoint": item["endpoint"], "spec": item["specName"]}
    result = await _change(request, lambda context: deploy_goal(context, item), facts)
    if isinstance(result, Response):
        return result
    message = f"Endpoint deployed successfully (ID: {result.id if result else ''})"
    body = {"createdAt": "", "endpoint": item["endpoint"], "message": message}
    return json_response(body, headers=_ignored(ignored))


async def preview(request: Request) -> Response:
    """Answer with the body that a deploy would send to Novita, with masked values."""
    item, ignored = deploy_item(await json_object(request))
    context = service_of(request).context

    def body() -> Any:
        desired, _ = desired_from_item(context, item, read_files(context))
        return ENDPOINT.create_request(desired).masked_body()

    try:
        shown = await asyncio.to_thread(body)
    except ReconcilerError as error:
        return failure(error)
    text = escaped_as_go(json_indented(shown).encode())
    return Response(text, media_type="text/plain; charset=utf-8", headers=_ignored(ignored))


async def update(request: Request) -> Response:
    """Change the image, workers, env or timeout of an endpoint."""
    name = request.path_params["name"]
    fields, ignored = update_fields(await json_object(request))
    facts = {"details": "Update", "endpoint": name}
    if not fields:
        found = await get_status(request)
        if found.status_code != 200:
            return found
    else:
        result = await _change(request, lambda context: update_goal(context, name, fields), facts)
        if isinstance(result, Response):
            return result
    body = {"endpoint": name, "message": "Endpoint updated successfully"}
    return json_response(body, headers=_ignored(ignored))


async def scale(request: Request) -> Response:
    """Set the number of workers of an endpoint."""
    name = request.path_params["name"]
    replicas = replicas_of(await json_object(request))
    facts = {"details": "Scale", "endpoint": name}
    result = await _change(request, lambda context: update_goal(context, name, {"replicas": replicas}), facts)
    if isinstance(result, Response):
        return result
    return json_response({"endpoint": name, "message": "Endpoint scaled successfully"})


async def delete(request: Request) -> Response:
    """Delete an endpoint."""
    name = request.path_params["name"]
    result = await _change(request, lambda context: delete_goal(context, name), {})
    if isinstance(result, Response):
        return result
    try:
        require_deleted(result)
    except ReconcilerError as error:
        return failure(error)
    return json_response({"message": "Endpoint deleted successfully", "name": name})


async def bad_body(_request: Request, error: Exception) -> Response:
    """Answer to a body that is no request, with the field and the way out."""
    assert isinstance(error, BadBody)
    facts = {"field": error.field} if error.field else {}
    return error_response(error.status, error.summary, error.hint, **facts)


async def _change(
    request: Request, goal_of: Callable[[Context], tuple[Context, Goal]], facts: Mapping[str, Any]
) -> ChangeResult | Response | None:
    """Make a change and return its result, or the answer that says why it was not made."""
    service = service_of(request)
    # a client that waits for minutes gives up, so images are only begun to be warmed
    context = replace(service.context_for(request.state.caller), prewarm_timeout=0.0)
    try:
        return await service.change(lambda: goal_of(context))
    except TooManyWrites:
        answer = error_response(
            503, "too many changes wait for the inventory", "send it again later", **facts
        )
        answer.headers["Retry-After"] = "5"
        return answer
    except ReconcilerError as error:
        return failure(error, **facts)


def _ignored(names: tuple[str, ...]) -> dict[str, str]:
    """Return a header that names fields that Novita does not have, as far as a header can hold them."""
    if not names:
        return {}
    words = (name for name in names if name.isidentifier() and name.isascii())
    return {IGNORED_HEADER: ", ".join(words)[:500]}
