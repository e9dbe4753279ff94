"""Handlers for specs and defaults, and for what Novita does not offer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from reconciler.novita.messages import CONSOLE
from reconciler.server.api.endpoint_objects import claim_object, spec_object
from reconciler.server.api.reads import get_status
from reconciler.server.responses import error_response, json_response
from reconciler.server.service import service_of
from reconciler.workflow.specs import list_specs
from reconciler.workflow.storages import list_storages


async def get_specs(request: Request) -> Response:
    """Answer with the specs of specs.yaml, of one category if the query names one."""
    found = await asyncio.to_thread(list_specs, service_of(request).context)
    category = request.query_params.get("category")
    specs = (spec for spec in found.specs if category is None or spec.category == category)
    return json_response([spec_object(spec) for spec in specs])


async def get_spec(request: Request) -> Response:
    """Answer with one spec."""
    found = await asyncio.to_thread(list_specs, service_of(request).context)
    name = request.path_params["name"]
    for spec in found.specs:
        if spec.name == name:
            return json_response(spec_object(spec))
    return error_response(404, f"spec {name} not found", "GET /api/v1/specs lists all")


async def list_pvcs(request: Request) -> Response:
    """Answer with the network storages as volume claims, which every worker of a region may write."""
    found = await asyncio.to_thread(list_storages, service_of(request).context)
    return json_response([claim_object(storage) for storage in found.storages])


async def get_default_env(_request: Request) -> Response:
    """Answer with the variables that a deploy adds to those of the request: none."""
    return json_response({})


async def replace_endpoint_settings(request: Request) -> Response:
    """Answer 501, as the original service does without a database: these settings exist only in it."""
    found = await get_status(request)
    if found.status_code != 200:
        return found
    return error_response(
        501, "metadata store not available", "PATCH /api/v1/endpoints/{name}/deployment changes an endpoint"
    )


def unsupported(status: int, error: str, hint: str) -> Callable[[Request], Awaitable[Response]]:
    """Return a handler that answers with this error."""

    async def answer(_request: Request) -> Response:
        return error_response(status, error, hint)

    return answer


logs = unsupported(
    500,
    "GetAppLogs is not supported by Novita provider - please use Novita dashboard for logs",
    f"open {CONSOLE} and look at the endpoint's workers",
)
_WORKERS_HINT = "GET /api/v1/endpoints/{name}/workers shows the workers with their state"
describe_pod = unsupported(500, "DescribePod not supported by Novita provider", _WORKERS_HINT)
pod_yaml = unsupported(500, "GetPodYAML not supported by Novita provider", _WORKERS_HINT)
exec_pod = unsupported(503, "K8s provider not available", _WORKERS_HINT)
check_image = unsupported(
    501, "images are not checked", "PATCH /api/v1/endpoints/{name}/deployment sets another image"
)
write_spec = unsupported(501, "specs are files here", "edit specs.yaml; it is read for every request")
capacity = unsupported(501, "Novita's API does not report capacity", "GET /api/v1/specs lists the specs")
