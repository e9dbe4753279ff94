"""Exports of Waverless: deploy requests, endpoints as its API returns them, and specs.

Source: the REST API of waverless. Its answers say what was asked of Waverless, not what Novita has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from reconciler.convert.candidates import Candidate, Credential, GpuWish, Parts, SpecItem
from reconciler.convert.reasons import LABELS
from reconciler.convert.source import Origin, Section, dotted
from reconciler.convert.values import put_env, put_range
from reconciler.kinds.foreign_shapes import is_metadata, is_request, is_spec
from reconciler.kinds.image_reference import registry_of
from reconciler.model.problem import Severity
from reconciler.model.values import DataPath, escaped

NAME: Final = "waverless"

_STATE: Final = "it is the state of a live endpoint"
_AUTOSCALER: Final = "only the autoscaler of Waverless used it; Novita scales by `policy`"
_STATES: Final = (
    *("status", "readyReplicas", "availableReplicas", "healthStatus", "healthMessage", "lastHealthCheckAt"),
    *("workerCount", "activeWorkerCount", "totalTasks", "completedTasks", "failedTasks", "pendingTasks"),
    *("runningTasks", "lastScaleTime", "lastTaskTime", "firstPendingTime", "createdAt", "updatedAt"),
    *("imageDigest", "imageLastChecked", "latestImage"),
)
_NEVER: Final = {
    **dict.fromkeys(
        ("maxPendingTasks", "highLoadThreshold"), "Novita has no limit of waiting tasks: see `policy`"
    ),
    **dict.fromkeys(("scaleUpCooldown", "autoscalerEnabled"), _AUTOSCALER),
    "scaleDownCooldown": "`freeTimeout` says how long a worker stays idle before it goes",
    **dict.fromkeys(("priority", "enableDynamicPrio", "priorityBoost"), "Novita has no priorities"),
    "labels": LABELS,
    "imagePrefix": "it tells Waverless where to look for newer images; `reconciler pin` writes digests",
    "validateImage": "every image is checked",
    "displayName": "an endpoint has one name",
    "description": "Novita has no descriptions: write a comment",
    "namespace": "Novita has no namespaces",
    "volumeMounts": "PVC mounts are not supported: Novita mounts network storages, see `storage`",
    "shmSize": "workers get the shared memory of their product",
    "enablePtrace": "Novita has no such capability",
    "gpuCount": "a worker has the GPUs of its spec",
}
_METADATA: Final = _NEVER | {
    **dict.fromkeys(_STATES, _STATE),
    "taskTimeout": "Waverless never sent it to Novita: idle workers stopped after 300 seconds, as here",
    **dict.fromkeys(("scaleUpThreshold", "scaleDownIdleTime"), _AUTOSCALER),
    **dict.fromkeys(("minReplicas", "maxReplicas"), _AUTOSCALER),
}
_TIMEOUTS: Final = ("taskTimeout", "scaleDownIdleTime")


def recognizes(data: Any) -> bool:
    """Return True for a request, an endpoint or a spec, or for a list of them."""
    return next(_objects(data), None) is not None


def convert(origin: Origin) -> Parts:
    """Return the endpoints and the specs of a document."""
    parts = Parts()
    for path, data in _objects(origin.data):
        section = Section(origin, path, data)
        if is_spec(data):
            found = SpecItem(data=data, field=dotted(path), place=origin.place(path))
            parts.specs.append(found)
        else:
            parts.candidates.append(_candidate(section, is_request=is_request(data)))
    return parts


def _objects(data: Any, at: DataPath = ()) -> Iterator[tuple[DataPath, Mapping[str, Any]]]:
    """Yield (path, object) of each object in a document; lists may be in `endpoints` or `specs`."""
    if isinstance(data, list):
        for index, item in enumerate(data):
            if is_request(item) or is_metadata(item) or is_spec(item):
                yield (*at, index), item
    elif isinstance(data, Mapping):
        if is_request(data) or is_metadata(data) or is_spec(data):
            yield at, data
        elif not at:
            for key in ("endpoints", "specs"):
                if isinstance(data.get(key), list):
                    yield from _objects(data[key], (key,))


def _candidate(section: Section, *, is_request: bool) -> Candidate:
    name = section.text("endpoint" if is_request else "name")
    origin = section.origin
    candidate = Candidate(
        name=name.value if name else "",
        origin=origin,
        field=name.field if name else dotted(section.path),
        place=name.place if name else origin.place(section.path),
        needs_image="it has no image",
        image_field=dotted(section.at("image")),
    )
    candidate.put("image", section.text("image"))
    if (spec := section.text("specName")) is not None and spec.value:
        candidate.spec = spec.value
    else:
        candidate.gpus = GpuWish(field=candidate.field, place=candidate.place)
    put_env(candidate, section, "env", lambda text: text)
    if is_request:
        _request_fields(section, candidate)
    else:
        _metadata_workers(section, candidate)
    _credential(section, candidate)
    _leave_rest(section, _NEVER if is_request else _METADATA)
    return candidate


def _request_fields(section: Section, candidate: Candidate) -> None:
    """Set what a deploy request says; it means the same in the YAML of this project."""
    low, high = section.count("minReplicas"), section.count("maxReplicas", 1)
    fixed = section.count("replicas")
    if low or high:
        candidate.put("minReplicas", low)
        candidate.put("maxReplicas", high)
        section.leave("replicas", "`minReplicas` and `maxReplicas` win over it", Severity.NOTE)
    elif fixed:
        put_range(candidate, fixed, fixed.value, fixed.value)
    timeouts = [found for key in _TIMEOUTS if (found := section.count(key, 1)) is not None]
    if timeouts:
        candidate.put("freeTimeout", timeouts[0])
    if len(timeouts) > 1:
        section.leave(_TIMEOUTS[1], f"`{_TIMEOUTS[0]}` wins over it", Severity.NOTE)
    threshold = section.count("scaleUpThreshold", 1)
    if threshold is not None:
        found = section.found("scaleUpThreshold", {"type": "concurrency", "value": threshold.value})
        candidate.put("policy", found)


def _metadata_workers(section: Section, candidate: Candidate) -> None:
    """Set the workers that Novita has: as many as `replicas`, unless Waverless has scaled to zero."""
    fixed = section.count("replicas")
    if fixed is None:
        return
    most = section.data.get("maxReplicas")
    high = most if fixed.value == 0 and isinstance(most, int) and most > 0 else fixed.value
    put_range(candidate, fixed, fixed.value, high)
    if fixed.value == 0:
        section.take("maxReplicas")


def _credential(section: Section, candidate: Candidate) -> None:
    credential = section.section("registryCredential")
    if credential is None:
        return
    host, user, password = (credential.text(key) for key in ("registry", "username", "password"))
    credential.leave_rest({})
    if not (user and password and user.value and password.value):
        if any(credential.data.values()):
            section.leave("registryCredential", "it needs a username and a password")
        return
    image = candidate.fields.get("image")
    registry = (host.value.rpartition("://")[2].partition("/")[0] if host else "") or (
        registry_of(image.value) if image else ""
    )
    candidate.credential = Credential(
        name=f"{registry}/{user.value}"[:255],
        registry=escaped(registry),
        username=escaped(user.value),
        password=password.value,
        field=password.field,
        place=password.place,
    )


def _leave_rest(section: Section, reasons: Mapping[str, str]) -> None:
    """Leave out what remains; clients of Waverless send empty values for what is not set."""
    for key, value in section.data.items():
        if not value:
            section.take(key)
    for key in _STATES:
        section.leave_unread(key, reasons.get(key, _STATE), Severity.NOTE)
    section.leave_rest(reasons)
