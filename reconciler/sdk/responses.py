"""What a caller gets, in the seed's names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from reconciler.model.status import EndpointInfo, Status, Worker


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployResponse:
    """What became of a request. created_at: when Novita had answered, in UTC."""

    endpoint: str
    message: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AppInfo:
    """One live endpoint.

    replicas: the most workers there may be (`workerConfig.maxNum`); available_replicas: those that run;
    ready_replicas: those that run and are healthy. workers: those that are not removed, each with its state
    and health. message: why it does not serve, in Novita's words.
    labels: `provider`, `endpoint-id` and `region`. created_at: in UTC, None where Novita does not say.
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
    """The endpoint in the seed's words."""
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
