"""Endpoints in the form of the original service: its field names, in its order."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from reconciler.model.resource import Live
from reconciler.model.secrets import MASK, reveal
from reconciler.model.status import EndpointInfo, Status

ZERO_TIME: Final = "0001-01-01T00:00:00Z"
"""The time that means never."""


def endpoint_object(
    live: Live, info: EndpointInfo, *, spec: str = "", reveals_env: bool = False
) -> dict[str, Any]:
    """Return an endpoint as `GET /api/v1/endpoints/{name}` answers it.

    spec: the name of its spec in specs.yaml. Fields that Novita does not have are zero, as the original
    service answers without a record of its own. `env` is masked unless `reveals_env`.
    """
    workers, envs = live.fields.get("workerConfig", {}), live.fields.get("envs", {})
    created = time_text(info.created_at)
    health = health_of(info)
    return {
        "name": info.name,
        "displayName": info.name,
        "description": "",
        "specName": spec,
        "image": info.image,
        "imagePrefix": "",
        "imageDigest": "",
        "imageLastChecked": None,
        "latestImage": "",
        "replicas": info.desired_replicas,
        "gpuCount": workers.get("gpuNum", 0),
        "minReplicas": info.min_replicas,
        "maxReplicas": info.max_replicas,
        "scaleUpThreshold": 0,
        "scaleDownIdleTime": workers.get("freeTimeout", 0),
        "scaleUpCooldown": 0,
        "scaleDownCooldown": 0,
        "priority": 0,
        "enableDynamicPrio": False,
        "highLoadThreshold": 0,
        "priorityBoost": 0,
        "lastScaleTime": ZERO_TIME,
        "lastTaskTime": ZERO_TIME,
        "firstPendingTime": ZERO_TIME,
        "env": {key: reveal(value) if reveals_env else MASK for key, value in sorted(envs.items())},
        "labels": dict(info.labels),
        "taskTimeout": workers.get("freeTimeout", 0),
        "enablePtrace": False,
        "maxPendingTasks": 0,
        "status": info.status.value,
        "readyReplicas": info.ready_replicas,
        "availableReplicas": info.available_replicas,
        "healthStatus": health,
        **({"healthMessage": info.message} if info.message else {}),
        "workerCount": info.total_replicas,
        "activeWorkerCount": info.available_replicas,
        "totalTasks": 0,
        "completedTasks": 0,
        "failedTasks": 0,
        "createdAt": created,
        "updatedAt": created,
    }


def health_of(info: EndpointInfo) -> str:
    """Return HEALTHY, DEGRADED (fewer ready workers than the minimum) or UNHEALTHY."""
    if info.status is Status.FAILED:
        return "UNHEALTHY"
    return "DEGRADED" if info.ready_replicas < info.min_replicas else "HEALTHY"


def time_text(moment: datetime | None) -> str:
    """Return a time in UTC in the form of RFC 3339."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else ZERO_TIME
