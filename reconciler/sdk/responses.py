"""Responses, with the names of the original provider."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.status import EndpointInfo, Status, Worker


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployResponse:
    """The result of a request. created_at: the time of Novita's response, in UTC."""

    endpoint: str
    message: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AppInfo:
    """One live endpoint.

    replicas: the maximum number of workers (`workerConfig.maxNum`); available_replicas: running workers;
    ready_replicas: running and healthy workers. workers: the existing workers with their state and health.
    message: why the endpoint does not serve, as Novita states it. labels: `provider`, `endpoint-id` and
    `region`. created_at: in UTC, None if Novita does not state it.
    """

    name: str
    status: Status
    replicas: int
    ready_replicas: int
    available_replicas: int
    image: str
    labels: Mapping[str, str]
    id: str
    url: str
    message: str
    created_at: datetime | None
    workers: tuple[Worker, ...]


def info_of(app: EndpointInfo) -> AppInfo:
    """Return the endpoint as the response of `get_app`."""
    return AppInfo(
        name=app.name,
        status=app.status,
        replicas=app.desired_replicas,
        ready_replicas=app.ready_replicas,
        available_replicas=app.available_replicas,
        image=app.image,
        labels=app.labels,
        id=app.id,
        url=app.url,
        message=app.message,
        created_at=app.created_at,
        workers=app.workers,
    )
