"""Endpoints in the form of the original service: its field names, in its order."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from reconciler.model.resource import Live
from reconciler.model.secrets import MASK, reveal
from reconciler.model.status import AppStatus, EndpointInfo, SpecInfo, Status, StorageInfo, Worker
from reconciler.model.text import utc_text
from reconciler.server.account_cache import SeenEvent

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
        "healthStatus": health_of(info),
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
    return utc_text(moment) if moment else ZERO_TIME


def status_object(status: AppStatus) -> dict[str, Any]:
    """Return a status as `GET /{name}/status` answers it."""
    return {
        "endpoint": status.endpoint,
        "status": status.status.value,
        "readyReplicas": status.ready_replicas,
        "availableReplicas": status.available_replicas,
        "totalReplicas": status.total_replicas,
        **({"message": status.message} if status.message else {}),
    }


def worker_object(info: EndpointInfo, worker: Worker) -> dict[str, Any]:
    """Return a worker as `GET /{name}/workers` answers it."""
    is_online = worker.state == "running"
    return {
        "id": worker.id,
        "endpoint": info.name,
        "pod_name": worker.id,
        "status": "online" if is_online else "offline",
        "concurrency": 1,
        "current_jobs": 0,
        "jobs_in_progress": [],
        "last_heartbeat": ZERO_TIME,
        "registered_at": time_text(info.created_at),
        "podPhase": worker.state,
        "podStatus": worker_status(worker),
        "podReason": "Ready" if worker.is_ready else worker.state,
        "podMessage": worker.message or ("Worker is healthy and running" if worker.is_ready else ""),
    }


def worker_detail(info: EndpointInfo, worker: Worker) -> dict[str, Any]:
    """Return a worker as `GET /workers/{id}` answers it."""
    created = time_text(info.created_at)
    return {
        "id": worker.id,
        "workerId": worker.id,
        "endpoint": info.name,
        "podName": worker.id,
        "status": "ONLINE" if worker.state == "running" else "OFFLINE",
        "concurrency": 1,
        "currentJobs": 0,
        "lastHeartbeat": ZERO_TIME,
        "totalTasksCompleted": 0,
        "totalTasksFailed": 0,
        "totalExecutionTimeMs": 0,
        "createdAt": created,
        "updatedAt": created,
        **({"failureReason": worker.message} if worker.message and not worker.is_ready else {}),
    }


def worker_status(worker: Worker) -> str:
    """Return the status of a worker in the words of the original service."""
    if worker.is_ready:
        return Status.RUNNING.value
    return Status.FAILED.value if worker.state in ("failed", "error") else Status.PENDING.value


def event_object(seen: SeenEvent) -> dict[str, Any]:
    """Return a change as `GET /{name}/events` answers it."""
    event = seen.event
    reasons = [condition.reason for condition in event.conditions if condition.status and condition.reason]
    return {
        "id": seen.number,
        "workerId": "",
        "endpoint": event.name,
        "eventType": ",".join(happening.value for happening in event.happenings),
        **({"oldStatus": seen.old_status} if seen.old_status else {}),
        "newStatus": event.status.value,
        **({"reason": ", ".join(reasons)} if reasons else {}),
        **({"message": event.message} if event.message else {}),
        "createdAt": time_text(seen.seen_at),
    }


def claim_object(storage: StorageInfo) -> dict[str, Any]:
    """Return a network storage as `GET /k8s/pvcs` answers it. What Novita does not have or say is empty."""
    return {
        "name": storage.name,
        "namespace": "",
        "status": "Bound",
        "volume": storage.id,
        "capacity": "" if storage.size_gb is None else f"{storage.size_gb}G",
        "accessModes": "ReadWriteMany",
        "storageClass": storage.region,
        "createdAt": "",
        "mountedBy": list(storage.mounted_by),
    }


def spec_object(spec: SpecInfo) -> dict[str, Any]:
    """Return a spec as `GET /specs` answers it."""
    storage = {"ephemeralStorage": spec.ephemeral_storage} if spec.ephemeral_storage else {}
    return {
        "name": spec.name,
        "displayName": spec.display_name,
        "category": spec.category,
        "resourceType": spec.resource_type,
        "resources": {
            "gpu": spec.gpu,
            "gpuType": spec.gpu_type,
            "cpu": spec.cpu,
            "memory": spec.memory,
            **storage,
        },
        "platforms": {
            "novita": {
                "productId": spec.product_id,
                "region": spec.region,
                "cudaVersion": spec.cuda_version,
            }
        },
    }
