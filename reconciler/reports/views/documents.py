"""JSON documents of live endpoints, events, specs and checks."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.model.problem import Problem
from reconciler.model.run_report import Check
from reconciler.model.status import AppStatus, Condition, EndpointInfo, ReplicaEvent, SpecInfo
from reconciler.model.sync.lease import Lease
from reconciler.model.sync.schedule import ScheduledCounts
from reconciler.model.text import utc_text
from reconciler.model.values import Json


def endpoint_document(app: EndpointInfo) -> dict[str, Json]:
    """Return one element of `list --json`, which is also the document of `get --json`."""
    return {
        "name": app.name,
        "id": app.id,
        "status": app.status.value,
        "state": app.state,
        "message": app.message,
        "min_replicas": app.min_replicas,
        "max_replicas": app.max_replicas,
        "desired_replicas": app.desired_replicas,
        "total_replicas": app.total_replicas,
        "ready_replicas": app.ready_replicas,
        "available_replicas": app.available_replicas,
        "conditions": _conditions(app.conditions),
        "workers": [
            {
                "id": worker.id,
                "state": worker.state,
                "healthy": worker.healthy,
                "message": worker.message,
                "draining": worker.is_draining,
                "ended": worker.has_ended,
                "created_at": utc_text(worker.created_at) if worker.created_at else None,
                "ready_at": utc_text(worker.ready_at) if worker.ready_at else None,
                "log": worker.log,
            }
            for worker in app.workers
        ],
        "image": app.image,
        "url": app.url,
        "app_name": app.app_name,
        "product": app.product,
        "region": app.region,
        "created_at": utc_text(app.created_at) if app.created_at else None,
        "managed": app.managed.value if app.managed else None,
        **({"environment": app.environment} if app.environment else {}),
        "labels": dict(app.labels),
        "lease": lease_document(app.lease),
        **({"schedule": _schedule_document(app.scheduled)} if app.scheduled else {}),
        "log": app.log,
    }


def lease_document(lease: Lease | None) -> Json:
    """Return a lease; null for none."""
    if lease is None:
        return None
    return {"min": lease.min, "max": lease.max, "until": utc_text(lease.until), "why": lease.why}


def _schedule_document(scheduled: ScheduledCounts) -> Json:
    until = utc_text(scheduled.until) if scheduled.until else None
    return {"min": scheduled.min, "max": scheduled.max, "until": until}


def status_document(status: AppStatus) -> dict[str, Json]:
    """Return one element of `status --json`."""
    return {
        "endpoint": status.endpoint,
        "status": status.status.value,
        "total_replicas": status.total_replicas,
        "ready_replicas": status.ready_replicas,
        "available_replicas": status.available_replicas,
        "message": status.message,
    }


def event_document(event: ReplicaEvent, at: str) -> dict[str, Json]:
    """Return the line of `watch --json` for an event."""
    return {
        "type": "event",
        "at": at,
        "happenings": [happening.value for happening in event.happenings],
        "name": event.name,
        "id": event.id,
        "status": event.status.value,
        "desired_replicas": event.desired_replicas,
        "ready_replicas": event.ready_replicas,
        "available_replicas": event.available_replicas,
        "conditions": _conditions(event.conditions),
        "message": event.message,
        "lease": lease_document(event.lease),
    }


def problem_document(problem: Problem, at: str) -> dict[str, Json]:
    """Return the line of `watch --json` for a problem."""
    return {"type": "problem", "at": at, **problem.to_dict()}


def spec_document(spec: SpecInfo) -> dict[str, Json]:
    """Return one element of `specs --json`."""
    return {
        "name": spec.name,
        "display_name": spec.display_name,
        "category": spec.category,
        "resource_type": spec.resource_type,
        "gpu": spec.gpu,
        "gpu_type": spec.gpu_type,
        "cpu": spec.cpu,
        "memory": spec.memory,
        "ephemeral_storage": spec.ephemeral_storage,
        "product_id": spec.product_id,
        "region": spec.region,
        "cuda_version": spec.cuda_version,
        "usable": spec.is_usable,
        "why_not": list(spec.unusable_reasons),
    }


def doctor_document(checks: Iterable[Check], exit_code: int) -> dict[str, Json]:
    """Return the document of `doctor --json`."""
    return {
        "checks": [
            {"name": check.name, "grade": check.status.value, "found": check.detail, "way_out": check.hint}
            for check in checks
        ],
        "exit_code": exit_code,
    }


def _conditions(conditions: Iterable[Condition]) -> list[Json]:
    return [
        {"type": condition.type.value, "status": condition.status, "reason": condition.reason}
        for condition in conditions
    ]
