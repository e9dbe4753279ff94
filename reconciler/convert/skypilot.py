"""Services of SkyPilot. Source: skypilot-org/skypilot, `serve/service_spec.py`, `utils/schemas.py`, 2026."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from reconciler.convert.candidates import Candidate, GpuWish, Parts
from reconciler.convert.reasons import BUILD_IN, LABELS, PLACE, RATES, SIZES, URL
from reconciler.convert.source import Found, Origin, Section
from reconciler.convert.values import (
    gigabytes_of,
    new_candidate,
    note_variables,
    put_env,
    put_range,
    range_of,
    shell_command,
)

NAME: Final = "skypilot"

_DOCKER: Final = "docker:"
_REASONS: Final = {
    **dict.fromkeys(("setup", "workdir", "file_mounts", "file_mounts_mapping"), BUILD_IN),
    **dict.fromkeys(("volumes", "volume_mounts"), "Novita mounts network storages: see `storages`"),
    "num_nodes": "a worker is one machine",
    "event_callback": "Novita calls nobody back; `reconciler run` sends notifications",
    "pool": "an endpoint is no pool of jobs",
    "config": "it configures SkyPilot",
}
_RESOURCES: Final = {
    **dict.fromkeys(("cloud", "region", "zone", "infra", "instance_type", "use_spot"), PLACE),
    **dict.fromkeys(("job_recovery", "spot_recovery", "autostop", "priority", "network_tier"), PLACE),
    **dict.fromkeys(("any_of", "ordered"), "an endpoint has one kind of worker: choose a spec for it"),
    **dict.fromkeys(("cpus", "memory", "disk_tier", "local_disk", "accelerator_args"), SIZES),
    "labels": LABELS,
    "volumes": _REASONS["volumes"],
    "max_hourly_cost": "`budget` in config.yaml limits the cost",
}
_SERVICE: Final = {
    "tls": URL,
    "load_balancing_policy": "Novita chooses the worker of a request",
    "pool": _REASONS["pool"],
    "workers": _REASONS["pool"],
}

_ACCELERATOR: Final = re.compile(r"\s*([A-Za-z][\w.-]*?)\s*(?::\s*([0-9]{1,3}(?:\.[0-9]{1,3})?))?\s*\Z")


def recognizes(data: Any) -> bool:
    """Return True for a task with a service."""
    return isinstance(data, Mapping) and isinstance(data.get("service"), Mapping)


def convert(origin: Origin) -> Parts:
    """Return the endpoint of a service."""
    if not isinstance(origin.data, Mapping):
        return Parts()
    return Parts(candidates=[_Task(Section(origin, (), origin.data)).candidate()])


class _Task:
    """The conversion of one task with a service."""

    def __init__(self, task: Section) -> None:
        self._task = task
        self._candidate = new_candidate(task)
        self._candidate.needs_image = "SkyPilot runs it on a virtual machine"
        self._candidate.image_field = "resources.image_id"

    def candidate(self) -> Candidate:
        task, candidate = self._task, self._candidate
        if (run := task.text("run")) is not None:
            text = shell_command(run.value, "bash")
            if text != run.value.strip():
                task.change("run", "Novita has one start command, which runs the script in `bash`")
            note_variables(task, "run", "SKYPILOT")
            candidate.put("command", Found(value=text, field=run.field, place=run.place))
        for key in ("envs", "secrets"):
            put_env(candidate, task, key, lambda text: text)
        candidate.gpus = self._resources()
        self._service()
        task.leave_rest(_REASONS)
        return candidate

    def _resources(self) -> GpuWish:
        resources = self._task.section("resources")
        if resources is None:
            return GpuWish(field="resources", place=self._candidate.place)
        image = resources.take("image_id")
        if isinstance(image, str) and image.startswith(_DOCKER):
            self._candidate.put("image", resources.found("image_id", image.removeprefix(_DOCKER)))
        elif image is not None:
            resources.leave("image_id", "it is an image of virtual machines, not of containers")
        self._port(resources)
        models, count = self._accelerators(resources)
        disk = resources.take("disk_size")
        size = gigabytes_of(disk) if disk is not None else 0
        if size is None:
            resources.leave("disk_size", "it is not a size in GB")
        resources.leave_rest(_RESOURCES)
        at = resources.found("accelerators", None)
        return GpuWish(models=models, count=count, disk_gb=size or 0, field=at.field, place=at.place)

    def _port(self, section: Section) -> None:
        value = section.take("ports")
        ports = value if isinstance(value, list) else [value]
        first = range_of(ports[0]) if ports else None
        if first is None:
            section.leave("ports", "an endpoint has one port, and this is none")
            return
        if len(ports) > 1:
            section.change("ports", f"an endpoint has one port, and {first[0]} is the first")
        self._candidate.put("port", section.found("ports", first[0]))

    def _accelerators(self, resources: Section) -> tuple[tuple[str, ...], int]:
        """Return the models that may be used, and the number of GPUs."""
        value = resources.take("accelerators")
        found = list(_named(value)) if value is not None else []
        if value is not None and not found:
            resources.leave("accelerators", "it is not a GPU, or a list of them")
        if any(number != int(number) for _, number in found):
            resources.change("accelerators", "a worker has whole GPUs")
        counts = {max(int(number), 1) for _, number in found}
        if len(counts) > 1:
            resources.leave("accelerators", "the choices have different numbers of GPUs: the first is kept")
            found = found[:1]
        models = tuple(dict.fromkeys(name for name, _ in found))
        return models, max(int(found[0][1]), 1) if found else 1

    def _service(self) -> None:
        service = self._task.section("service")
        if service is None:
            return
        probe = service.take("readiness_probe")
        if isinstance(probe, str):
            self._candidate.put("healthPath", service.found("readiness_probe", probe))
        elif (details := service.section("readiness_probe")) is not None:
            self._candidate.put("healthPath", details.text("path"))
            details.leave_rest({}, "Novita asks the path by GET, and decides how often")
        self._replicas(service)
        if service.has("ports"):
            self._port(service)
        service.leave_rest(_SERVICE)

    def _replicas(self, service: Section) -> None:
        candidate = self._candidate
        if (fixed := service.count("replicas")) is not None:
            put_range(candidate, fixed, fixed.value, fixed.value)
        policy = service.section("replica_policy")
        if policy is None:
            return
        low, high = policy.count("min_replicas"), policy.count("max_replicas", 1)
        least = low.value if low else 1
        if found := high or low:
            put_range(candidate, found, least, max(high.value if high else least, least))
        delay = policy.count("downscale_delay_seconds", 1)
        if delay is not None:
            candidate.put("freeTimeout", delay)
            policy.change("downscale_delay_seconds", "Novita stops a worker that was idle for so long")
        policy.leave_rest({}, RATES)


def _named(value: Any) -> Iterator[tuple[str, float]]:
    """Yield (model, number) of each accelerator: `A100:8`, a list of such, or a mapping."""
    if isinstance(value, Mapping):
        items: list[Any] = [name if n is None else f"{name}:{n}" for name, n in value.items()]
    else:
        items = value if isinstance(value, list) else str(value).strip("{}").split(",")
    for item in items:
        if match := _ACCELERATOR.match(str(item).strip(" '\"")):
            yield match[1], float(match[2] or 1)
