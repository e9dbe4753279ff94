"""The shapes of bodies and answers, as JSON Schemas of the OpenAPI document."""

from __future__ import annotations

from typing import Any, Final

from reconciler.server.api.property_texts import MEANINGS

_TEXT: Final = {"type": "string"}
_COUNT: Final = {"type": "integer", "minimum": 0}
_TIME: Final = {"type": "string", "format": "date-time"}
_OPTIONAL_TIME: Final = {"type": ["string", "null"], "format": "date-time"}
_FLAG: Final = {"type": "boolean"}
_ENV: Final = {"type": ["object", "null"], "additionalProperties": {"type": "string"}}


def _optional(kind: str) -> dict[str, Any]:
    return {"type": [kind, "null"]}


def _object(
    properties: dict[str, Any], required: tuple[str, ...] | None = None, description: str = ""
) -> dict[str, Any]:
    """Return the schema of an object; all properties are required unless named."""
    return {
        "type": "object",
        **({"description": description} if description else {}),
        "properties": {name: MEANINGS.get(name, {}) | field for name, field in properties.items()},
        "required": list(properties if required is None else required),
    }


def _list(name: str) -> dict[str, Any]:
    return {"type": "array", "items": {"$ref": f"#/components/schemas/{name}"}}


_ENDPOINT_FIELDS: Final = {
    "name": _TEXT,
    "displayName": _TEXT,
    "description": _TEXT,
    "specName": _TEXT | {"description": "The spec of specs.yaml with its product and region, or empty."},
    "image": _TEXT,
    "imagePrefix": _TEXT,
    "imageDigest": _TEXT,
    "imageLastChecked": {"type": ["string", "null"]},
    "latestImage": _TEXT,
    "replicas": _COUNT | {"description": "The maximum number of workers."},
    **dict.fromkeys(
        (
            "gpuCount",
            "minReplicas",
            "maxReplicas",
            "scaleUpThreshold",
            "scaleDownIdleTime",
            "scaleUpCooldown",
            "scaleDownCooldown",
            "priority",
        ),
        _COUNT,
    ),
    "enableDynamicPrio": _FLAG,
    "highLoadThreshold": _COUNT,
    "priorityBoost": _COUNT,
    "lastScaleTime": _TIME,
    "lastTaskTime": _TIME,
    "firstPendingTime": _TIME,
    "env": _ENV
    | {"description": "Values are masked, unless reveal=env is asked with a token that may write."},
    "labels": _ENV,
    "taskTimeout": _COUNT,
    "enablePtrace": _FLAG,
    "maxPendingTasks": _COUNT,
    "status": _TEXT,
    "readyReplicas": _COUNT,
    "availableReplicas": _COUNT,
    "healthStatus": {"type": "string", "enum": ["HEALTHY", "DEGRADED", "UNHEALTHY"]},
    "healthMessage": _TEXT,
    "workerCount": _COUNT,
    "activeWorkerCount": _COUNT,
    "totalTasks": _COUNT,
    "completedTasks": _COUNT,
    "failedTasks": _COUNT,
    "createdAt": _TIME,
    "updatedAt": _TIME,
}

_DEPLOY_FIELDS: Final = {
    "endpoint": {"type": "string", "minLength": 1, "description": "Its unique name."},
    "specName": {"type": "string", "minLength": 1, "description": "A spec of specs.yaml."},
    "image": {"type": "string", "minLength": 1, "description": "A container image."},
    "replicas": _optional("integer") | {"description": "Number of workers (default 1)."},
    "taskTimeout": _optional("integer")
    | {"description": "Seconds after which an idle worker is removed (default 300)."},
    "env": _ENV,
    "minReplicas": _optional("integer"),
    "maxReplicas": _optional("integer"),
    **{
        name: _optional("integer") | {"description": "Accepted; Novita has no such setting."}
        for name in (
            "maxPendingTasks",
            "scaleUpCooldown",
            "scaleDownCooldown",
            "priority",
            "highLoadThreshold",
            "priorityBoost",
        )
    },
    "scaleUpThreshold": _optional("integer"),
    "scaleDownIdleTime": _optional("integer"),
    "enableDynamicPrio": _optional("boolean"),
    "volumeMounts": {"type": ["array", "null"], "description": "Refused unless empty."},
    "shmSize": _optional("string") | {"description": "Refused unless empty."},
    "enablePtrace": _optional("boolean") | {"description": "Refused if true."},
}

_WORKER_FIELDS: Final = {
    "id": _TEXT,
    "endpoint": _TEXT,
    "pod_name": _TEXT,
    "status": {"type": "string", "enum": ["online", "busy", "draining", "offline"]},
    "concurrency": _COUNT,
    "current_jobs": _COUNT,
    "jobs_in_progress": {"type": "array"},
    "last_heartbeat": _TIME,
    "registered_at": _TIME,
    "podPhase": _TEXT,
    "podStatus": _TEXT,
    "podReason": _TEXT,
    "podMessage": _TEXT,
}

_MESSAGE: Final = _object({"endpoint": _TEXT, "message": _TEXT})

SCHEMAS: Final[dict[str, Any]] = {
    "DeployRequest": _object(
        _DEPLOY_FIELDS, ("endpoint", "specName", "image"), "A new endpoint. Unknown fields are ignored."
    ),
    "UpdateRequest": _object(
        {
            "image": _optional("string"),
            "replicas": _optional("integer"),
            "env": _ENV | {"description": "Replaces all variables."},
            "taskTimeout": _optional("integer"),
        },
        (),
        "Changed fields; null and absent ones stay as they are.",
    ),
    "ScaleRequest": _object({"replicas": _COUNT}),
    "Settings": {"type": "object", "description": "Not kept: it exists only in the original service."},
    "DeployResponse": _object({"createdAt": _TEXT, "endpoint": _TEXT, "message": _TEXT}),
    "UpdateResponse": _MESSAGE,
    "DeleteResponse": _object({"message": _TEXT, "name": _TEXT}),
    "Endpoint": _object(
        _ENDPOINT_FIELDS,
        tuple(name for name in _ENDPOINT_FIELDS if name != "healthMessage"),
        "Fields that Novita does not have are zero.",
    ),
    "EndpointList": _list("Endpoint"),
    "Status": _object(
        {
            "endpoint": _TEXT,
            "status": {
                "type": "string",
                "enum": ["Running", "Pending", "Updating", "Stopped", "Failed", "Terminating"],
            },
            "readyReplicas": _COUNT,
            "availableReplicas": _COUNT,
            "totalReplicas": _COUNT,
            "message": _TEXT,
        },
        ("endpoint", "status", "readyReplicas", "availableReplicas", "totalReplicas"),
    ),
    "Worker": _object(_WORKER_FIELDS),
    "WorkerList": _list("Worker"),
    "WorkerDetail": _object(
        {"id": _TEXT, "workerId": _TEXT, "endpoint": _TEXT, "status": _TEXT, "createdAt": _TIME}
    ),
    "Event": _object(
        {
            "id": _COUNT | {"description": "Its number."},
            "workerId": _TEXT | {"description": "Empty: an event is about an endpoint."},
            "endpoint": _TEXT,
            "eventType": _TEXT,
            "oldStatus": _TEXT,
            "newStatus": _TEXT,
            "reason": _TEXT,
            "message": _TEXT,
            "createdAt": _TIME | {"description": "When it was seen."},
        },
        ("id", "workerId", "endpoint", "eventType", "newStatus", "createdAt"),
    ),
    "EventList": _list("Event"),
    "Spec": _object(
        {
            "name": _TEXT,
            "displayName": _TEXT,
            "category": _TEXT,
            "resourceType": _TEXT,
            "resources": {"type": "object", "additionalProperties": {"type": "string"}},
            "platforms": {"type": "object"},
        }
    ),
    "SpecList": _list("Spec"),
    "Claim": _object(
        {
            "name": _TEXT,
            "namespace": _TEXT | {"description": "Empty: Novita has none."},
            "status": _TEXT | {"const": "Bound"},
            "volume": _TEXT | {"description": "The ID of the network storage."},
            "capacity": _TEXT | {"description": "Such as 200G; empty if it is unknown."},
            "accessModes": _TEXT | {"const": "ReadWriteMany"},
            "storageClass": _TEXT | {"description": "The region."},
            "createdAt": _TEXT | {"description": "Empty: Novita does not say."},
            "mountedBy": {"type": "array", "items": _TEXT},
        }
    ),
    "ClaimList": _list("Claim"),
    "DefaultEnv": {"type": "object", "additionalProperties": {"type": "string"}},
    "Health": _object({"status": {"type": "string", "const": "ok"}}),
    "Sync": _object({"environments": _list("SyncEnvironment")}),
    "SyncEnvironment": _object(
        {
            "environment": _TEXT | {"description": "Its name; empty if config.yaml declares none."},
            "leader": _TEXT | {"description": "Who acts."},
            "isLeading": _FLAG | {"description": "This process acts."},
            "revision": _TEXT | {"description": "The revision of the files in force."},
            "rejected": _TEXT | {"description": "A newer revision that is not valid, or empty."},
            **dict.fromkeys(("checkedAt", "succeededAt", "nextRoundAt"), _OPTIONAL_TIME),
            "result": {
                "type": ["string", "null"],
                "enum": ["success", "no_change", "refused", "error", None],
            },
            "paused": {"type": "array", "items": _TEXT | {"description": "Why no change is made."}},
            "waiting": {"anyOf": [{"$ref": "#/components/schemas/WaitingPlan"}, {"type": "null"}]},
            "endpoints": _list("SyncEndpoint"),
            "problem": _TEXT | {"description": "Why the state cannot be read, or empty."},
        }
    ),
    "SyncEndpoint": _object(
        {
            "address": _TEXT,
            "status": {"type": "string", "enum": ["synced", "drifted", "pending", "blocked"]},
            "driftedFields": _COUNT,
            "why": _TEXT,
        }
    ),
    "WaitingPlan": _object(
        {
            "digest": _TEXT | {"description": "What `reconciler approve` and the page approve."},
            "since": _TIME,
            "revision": _TEXT,
            "summary": _TEXT,
            "text": _optional("string")
            | {"description": "As `plan` prints it, null for a token that may only read."},
        }
    ),
    "Document": {"type": "object"},
    "Text": {"type": "string"},
    "Error": _object(
        {
            "error": _TEXT | {"description": "What happened."},
            "hint": _TEXT | {"description": "How to go on."},
            "details": _TEXT,
            "endpoint": _TEXT,
            "spec": _TEXT,
            "field": _TEXT | {"description": "The field that is wrong."},
            "problems": {"type": "array", "items": {"type": "object"}},
        },
        ("error",),
    ),
}
