"""All operations of the HTTP API in one table, of which the routes and the OpenAPI document are made."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from reconciler.model.lazy_dataclass import dataclass
from reconciler.server.api import catalog, documentation, reads, writes
from reconciler.server.metrics import metrics_page

Handler = Callable[[Request], Awaitable[Response]]


class Access(StrEnum):
    """The right that an operation needs."""

    OPEN = "open"
    READ = "read"
    WRITE = "write"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation. id: its operationId. body and answer: names of schemas in the OpenAPI document, or "".

    success: the status of an answer that is no error; statuses: the others. query: the names of its
    parameters. media: the content type of the answer.
    """

    id: str
    method: str
    path: str
    summary: str
    handler: Handler
    access: Access = Access.READ
    body: str = ""
    answer: str = "Error"
    success: int = 200
    statuses: tuple[int, ...] = ()
    query: tuple[str, ...] = ()
    media: str = "application/json"
    tag: str = "endpoints"

    @property
    def succeeds(self) -> bool:
        """Return True unless Novita offers no such operation."""
        return self.answer != "Error"


def _get(path: str, op: str, summary: str, handler: Handler, answer: str, **rest: Any) -> Operation:
    return Operation(id=op, method="GET", path=path, summary=summary, handler=handler, answer=answer, **rest)


def _write(method: str, path: str, op: str, summary: str, handler: Handler, **rest: Any) -> Operation:
    rest.setdefault("access", Access.WRITE)
    return Operation(id=op, method=method, path=path, summary=summary, handler=handler, **rest)


_ALL: Final = "/api/v1/endpoints"
_ONE: Final = "/api/v1/endpoints/{name}"
_CHANGE: Final = (400, 404, 409, 413, 503)

OPERATIONS: Final = (
    _get(
        "/health", "health", "The process is alive", reads.health, "Health", access=Access.OPEN, tag="server"
    ),
    _get(
        "/healthz",
        "healthz",
        "The process is alive",
        reads.health,
        "Health",
        access=Access.OPEN,
        tag="server",
    ),
    _get(
        "/readyz",
        "readyz",
        "The account can be listed",
        reads.ready,
        "Health",
        access=Access.OPEN,
        statuses=(503,),
        tag="server",
    ),
    _write(
        "POST",
        _ALL,
        "deploy",
        "Create an endpoint",
        writes.deploy,
        body="DeployRequest",
        answer="DeployResponse",
        statuses=_CHANGE,
    ),
    _get(
        _ALL,
        "listEndpoints",
        "List all endpoints, from the cache",
        reads.list_endpoints,
        "EndpointList",
        query=("fresh",),
        statuses=(400,),
    ),
    _write(
        "POST",
        f"{_ALL}/preview",
        "preview",
        "The request that a deploy would send",
        writes.preview,
        access=Access.READ,
        body="DeployRequest",
        answer="Text",
        media="text/plain",
        statuses=(400, 413),
    ),
    _get(
        _ONE,
        "getEndpoint",
        "One endpoint",
        reads.get_endpoint,
        "Endpoint",
        query=("fresh", "reveal"),
        statuses=(403, 404),
    ),
    _write(
        "PUT",
        _ONE,
        "replaceSettings",
        "Settings that only a database has",
        catalog.replace_endpoint_settings,
        body="Settings",
        statuses=(404, 501),
    ),
    _write(
        "DELETE",
        _ONE,
        "deleteEndpoint",
        "Delete an endpoint",
        writes.delete,
        answer="DeleteResponse",
        statuses=(400, 404, 409, 503),
    ),
    _get(
        f"{_ONE}/status",
        "getStatus",
        "The status of one endpoint",
        reads.get_status,
        "Status",
        query=("fresh",),
        statuses=(404,),
    ),
    _write(
        "POST",
        f"{_ONE}/scale",
        "scale",
        "Set the number of workers",
        writes.scale,
        body="ScaleRequest",
        answer="UpdateResponse",
        statuses=_CHANGE,
    ),
    _write(
        "PATCH",
        f"{_ONE}/deployment",
        "updateDeployment",
        "Change image, workers, env or timeout",
        writes.update,
        body="UpdateRequest",
        answer="UpdateResponse",
        statuses=_CHANGE,
    ),
    _get(
        f"{_ONE}/workers",
        "listWorkers",
        "The workers of one endpoint",
        reads.list_workers,
        "WorkerList",
        query=("fresh",),
    ),
    _get(
        f"{_ONE}/workers/sync",
        "syncWorkers",
        "The same, asked anew",
        reads.list_workers,
        "WorkerList",
        query=("fresh",),
    ),
    _get(
        f"{_ONE}/workers/exec",
        "execWorker",
        "A shell in a worker",
        catalog.exec_pod,
        "Error",
        statuses=(503,),
    ),
    _get(f"{_ONE}/workers/{{pod}}/describe", "describeWorker", "A pod", catalog.describe_pod, "Error"),
    _get(f"{_ONE}/workers/{{pod}}/yaml", "workerYaml", "The YAML of a pod", catalog.pod_yaml, "Error"),
    _get(f"{_ONE}/logs", "getLogs", "Logs", catalog.logs, "Error"),
    _get(
        f"{_ONE}/events",
        "listEvents",
        "Changes that this server has seen",
        reads.list_events,
        "EventList",
        query=("limit",),
    ),
    _write(
        "POST",
        f"{_ONE}/check-image",
        "checkImage",
        "Look for a newer image",
        catalog.check_image,
        statuses=(501,),
    ),
    _write(
        "POST",
        f"{_ALL}/check-images",
        "checkImages",
        "Look for newer images",
        catalog.check_image,
        statuses=(501,),
    ),
    _get(
        "/api/v1/workers/{id}", "getWorker", "One worker", reads.get_worker, "WorkerDetail", statuses=(404,)
    ),
    _get(
        "/api/v1/specs",
        "listSpecs",
        "The specs of specs.yaml",
        catalog.get_specs,
        "SpecList",
        query=("category",),
        tag="specs",
    ),
    _write(
        "POST",
        "/api/v1/specs",
        "createSpec",
        "Create a spec",
        catalog.write_spec,
        body="Settings",
        statuses=(501,),
        tag="specs",
    ),
    _get(
        "/api/v1/specs/capacity",
        "listCapacity",
        "Capacity of all specs",
        catalog.capacity,
        "Error",
        statuses=(501,),
        tag="specs",
    ),
    _get(
        "/api/v1/specs/{name}", "getSpec", "One spec", catalog.get_spec, "Spec", statuses=(404,), tag="specs"
    ),
    _write(
        "PUT",
        "/api/v1/specs/{name}",
        "updateSpec",
        "Change a spec",
        catalog.write_spec,
        body="Settings",
        statuses=(501,),
        tag="specs",
    ),
    _write(
        "DELETE",
        "/api/v1/specs/{name}",
        "deleteSpec",
        "Delete a spec",
        catalog.write_spec,
        statuses=(501,),
        tag="specs",
    ),
    _get(
        "/api/v1/specs/{name}/capacity",
        "getCapacity",
        "Capacity of a spec",
        catalog.capacity,
        "Error",
        statuses=(501,),
        tag="specs",
    ),
    _get(
        "/api/v1/config/default-env",
        "getDefaultEnv",
        "Variables that a deploy adds",
        catalog.get_default_env,
        "DefaultEnv",
        tag="server",
    ),
    _get("/api/v1/k8s/pvcs", "listPvcs", "Network storages", catalog.list_pvcs, "ClaimList", tag="server"),
    _get(
        "/metrics",
        "metrics",
        "Metrics for Prometheus",
        metrics_page,
        "Text",
        media="text/plain",
        tag="server",
    ),
    _get(
        "/openapi.json",
        "openapi",
        "This document",
        documentation.openapi,
        "Document",
        access=Access.OPEN,
        tag="server",
    ),
    _get(
        "/docs",
        "docs",
        "This document as a page",
        documentation.page,
        "Text",
        access=Access.OPEN,
        media="text/html",
        tag="server",
    ),
    _get(
        "/docs.css",
        "docsStyle",
        "The style of that page",
        documentation.style,
        "Text",
        access=Access.OPEN,
        media="text/css",
        tag="server",
    ),
)
