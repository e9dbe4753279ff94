"""Endpoints of RunPod Flash: calls of `Endpoint` in Python code, and of the resource classes before it.

Source: runpod/flash, `src/runpod_flash/endpoint.py` and `core/resources/`, 2026.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from math import ceil
from typing import Any, Final

from reconciler.convert.candidates import Candidate, GpuWish, Outside, Parts
from reconciler.convert.interpolation import reference_of
from reconciler.convert.notes import Note, Outcome
from reconciler.convert.python_calls import Call, Computed, Made, Module, Name
from reconciler.convert.reasons import BUILD_IN, VOLUMES
from reconciler.convert.source import Found, Origin
from reconciler.convert.values import put_range
from reconciler.model.problem import Place, Severity

NAME: Final = "runpod-flash"

_PACKAGES: Final = ("runpod_flash", "tetra_rp")
"""The second is the name of earlier releases."""

_IMPORT: Final = re.compile(rf"(?m)^[ \t]*(?:from|import)[ \t]+(?:{'|'.join(_PACKAGES)})\b")

_BALANCED: Final = ("LiveLoadBalancer", "LoadBalancerSlsResource")
_RESOURCES: Final = ("LiveServerless", "ServerlessEndpoint", *_BALANCED)
_CLASSES: Final = ("Endpoint", *_RESOURCES, *(f"Cpu{name}" for name in _RESOURCES))
"""`Endpoint`, and the classes of resources that `@remote` takes in earlier code."""

_EARLIER: Final = {
    "gpu": "gpus",
    "gpu_count": "gpuCount",
    "idle_timeout": "idleTimeout",
    "image": "imageName",
    "execution_timeout_ms": "executionTimeoutMs",
    "scaler_type": "scalerType",
    "scaler_value": "scalerValue",
    "cpu": "instanceIds",
}
"""Argument of `Endpoint` -> that of the classes of resources, which have the same defaults."""

_IDLE, _SCALER_VALUE, _WORKERS = 60, 4, (0, 1)
"""The defaults of `Endpoint`: seconds, requests or seconds, (least, most)."""

_GROUPS: Final = {
    "ADA_24": ("RTX 4090",),
    "ADA_32_PRO": ("RTX 5090",),
    "ADA_48_PRO": ("RTX 6000 Ada", "L40", "L40S"),
    "ADA_80_PRO": ("H100",),
    "AMPERE_16": ("RTX A4000", "RTX A4500", "RTX 4000 Ada", "RTX 2000 Ada"),
    "AMPERE_24": ("RTX A5000", "L4", "RTX 3090"),
    "AMPERE_48": ("A40", "RTX A6000"),
    "AMPERE_80": ("A100 80GB",),
    "HOPPER_141": ("H200",),
    "BLACKWELL_96": ("RTX PRO 6000",),
    "BLACKWELL_180": ("B200",),
    "ANY": (),
}
"""Group of GPUs -> the models in it. Source: `GpuGroup` of Flash."""

_COMPUTED: Final = "only running the code would tell its value"
_CUDA: Final = "`cudaVersion` of the spec chooses the version"
_UNPACKED: Final = "it has arguments without a name, or unpacks some: write them with their names"
_REASONS: Final = {
    **dict.fromkeys(("dependencies", "system_dependencies", "accelerate_downloads"), BUILD_IN),
    "flashboot": "`prewarm: true` fetches a new image before workers need it",
    **dict.fromkeys(("datacenter", "locations"), "the spec of the endpoint has the one region"),
    **dict.fromkeys(("volume", "networkVolume", "networkVolumes", "networkVolumeId"), VOLUMES),
    **dict.fromkeys(("min_cuda_version", "minCudaVersion", "cudaVersions"), _CUDA),
    "id": "it names an endpoint of RunPod that exists",
}
_TEMPLATE: Final = {
    "containerRegistryAuthId": "it is a credential of RunPod: declare one in `registries`",
    "env": "write them into `env` of the endpoint",
    "ports": "Novita has one HTTP port: write `port`",
}
_OTHER: Final = "endpoints of Novita have no such field"


def recognizes(_data: Any) -> bool:
    """Return False: code is no data, and `is_python` recognizes it by its text."""
    return False


def is_python(file: str, text: str, format_name: str) -> bool:
    """Return True if a file is Python code. `format_name` is the format that the user named, or ""."""
    if format_name:
        return format_name == NAME
    return file.lower().endswith(".py") or _IMPORT.search(text) is not None


def convert(origin: Origin) -> Parts:
    """Return the endpoints of a file. Raise UnreadablePython."""
    module = Module(origin.text)
    parts = Parts()
    for call in module.calls(_CLASSES, _PACKAGES):
        known = len(origin.notes)
        candidate = _Endpoint(origin, module, call).candidate()
        candidate.notes = origin.notes[known:]
        parts.candidates.append(candidate)
    return parts


class _Endpoint:
    """The conversion of one call."""

    def __init__(self, origin: Origin, module: Module, call: Call) -> None:
        self._origin = origin
        self._module = module
        self._call = call
        self._unread = dict.fromkeys(call.arguments)
        self._written = {key: name for key, name in _EARLIER.items() if name in call.arguments}
        self._place = Place(file=origin.file, line=call.line, column=call.column)
        self._name = call.target.replace("_", "-") or "endpoint"
        name = self._value("name")
        if isinstance(name, str) and name:
            self._name = name
        elif name is not None:
            self._leave("name", "it is not a text")

    def candidate(self) -> Candidate:
        candidate = Candidate(name=self._name, origin=self._origin, field=self._name, place=self._place)
        self._put(candidate, "image", "image", _text)
        candidate.image_field = self._field("image")
        candidate.needs_image = "Flash runs the function in an image of its own"
        self._workers(candidate)
        self._env(candidate)
        self._scaler(candidate)
        idle = self._found("idle_timeout", _count, _IDLE)
        candidate.put("freeTimeout", idle)
        self._put(candidate, "maxConcurrent", "max_concurrency", _count)
        self._put(candidate, "requestTimeout", "execution_timeout_ms", _seconds)
        disk = self._template(candidate)
        candidate.gpus = self._gpus(disk)
        if self._value("cpu") is not None or self._call.name.startswith("Cpu"):
            candidate.doubt = (
                "it runs on CPUs, and Novita has GPU workers; --target NAME converts it all the same"
            )
        if self._call.has_more:
            self._add_note(self._name, Outcome.LEFT_OUT, _UNPACKED, Severity.WARNING, self._place)
        for key in list(self._unread):
            self._leave(key, _REASONS.get(key, _OTHER))
        return candidate

    def _value(self, key: str) -> Any:
        """Return the value of an argument, which counts as read; None if it is left out."""
        written = self._written.get(key, key)
        self._unread.pop(written, None)
        argument = self._call.arguments.get(written)
        if argument is None:
            return None
        try:
            return self._module.value(argument.node)
        except Computed:
            self._leave(key, _COMPUTED)
            return None

    def _found(self, key: str, read: Callable[[Any], Any], default: Any = None) -> Found | None:
        """Return what `read` makes of an argument; the default, of the call, if there is none."""
        value = self._value(key)
        if value is None:
            return (
                None if default is None else Found(value=default, field=self._field(key), place=self._place)
            )
        made = read(value)
        if made is None:
            if key != "execution_timeout_ms" or value != 0:
                self._leave(key, "it has another type than Flash takes")
            return None
        return Found(value=made, field=self._field(key), place=self._at(key))

    def _put(self, candidate: Candidate, name: str, key: str, read: Callable[[Any], Any]) -> None:
        found = self._found(key, read)
        if found is None:
            return
        if isinstance(found.value, Outside):
            candidate.put_yaml(name, found, reference_of(found.value))
        else:
            candidate.put(name, found)

    def _workers(self, candidate: Candidate) -> None:
        if self._call.name != "Endpoint":
            least, most = self._found("workersMin", _natural, 0), self._found("workersMax", _natural, 1)
            if least and most:
                put_range(candidate, most, least.value, max(most.value, least.value))
            return
        found = self._found("workers", _range, _WORKERS)
        if found is not None:
            put_range(candidate, found, *found.value)

    def _env(self, candidate: Candidate) -> None:
        env = self._value("env")
        if not isinstance(env, dict):
            if env is not None:
                self._leave("env", "it is not a mapping")
            return
        for key, value in env.items():
            if isinstance(value, str | Outside):
                candidate.env[key] = Found(
                    value=value, field=self._field(f"env.{key}"), place=self._at("env")
                )
            else:
                self._note("env", f"env.{key}", Outcome.LEFT_OUT, "its value is not a text")

    def _scaler(self, candidate: Candidate) -> None:
        """Set the policy: Flash adds workers by the wait in the queue, or by the number of requests."""
        is_balanced = self._call.name.endswith(_BALANCED) or self._call.target in self._module.routed
        default = "REQUEST_COUNT" if is_balanced else "QUEUE_DELAY"
        scaler = self._value("scaler_type")
        kind = (scaler.text if isinstance(scaler, Name) else str(scaler or default)).rpartition(".")[2]
        value = self._found("scaler_value", _count, _SCALER_VALUE)
        if kind not in ("QUEUE_DELAY", "REQUEST_COUNT") or value is None:
            self._leave("scaler_type", "it is no scaler of Flash")
            return
        policy = {"type": "queue" if kind == "QUEUE_DELAY" else "concurrency", "value": value.value}
        candidate.put("policy", Found(value=policy, field=value.field, place=value.place))

    def _template(self, candidate: Candidate) -> int:
        """Convert what a template of a pod says, and return its disk in GB, 0 if it says none."""
        template = self._value("template")
        if template is None:
            return 0
        if not isinstance(template, Made):
            self._leave("template", "it is not a `PodTemplate`")
            return 0
        disk = 0
        for key, argument in template.call.arguments.items():
            try:
                value = self._module.value(argument.node)
            except Computed:
                value = None
            place = Place(file=self._origin.file, line=argument.line, column=argument.column)
            found = Found(value=value, field=self._field(f"template.{key}"), place=place)
            if key == "containerDiskInGb" and _count(value):
                disk = value
            elif key == "dockerArgs" and isinstance(value, str):
                candidate.put("command", found)
            elif key == "imageName" and isinstance(value, str) and "image" not in candidate.fields:
                candidate.put("image", found)
            else:
                reason = _TEMPLATE.get(key, _OTHER)
                self._add_note(found.field, Outcome.LEFT_OUT, reason, Severity.WARNING, place)
        return disk

    def _gpus(self, disk: int) -> GpuWish:
        value = self._value("gpu")
        models: list[str] = []
        for one in value if isinstance(value, list) else [] if value is None else [value]:
            group, _, member = one.text.rpartition(".") if isinstance(one, Name) else ("", "", "")
            if group.endswith("GpuGroup") and member in _GROUPS:
                models += _GROUPS[member]
            elif group.endswith("GpuType"):
                models.append(re.sub("^NVIDIA |GEFORCE ", "", member.replace("_", " ")))
            else:
                self._leave("gpu", "it is no `GpuGroup` or `GpuType` of Flash")
        count = self._found("gpu_count", _count, 1)
        return GpuWish(
            models=tuple(dict.fromkeys(models)),
            count=count.value if count else 1,
            disk_gb=disk,
            field=self._field("gpu"),
            place=self._at("gpu"),
        )

    # Notes

    def _field(self, key: str) -> str:
        return f"{self._name}.{self._written.get(key, key)}"

    def _at(self, key: str) -> Place:
        argument = self._call.arguments.get(self._written.get(key, key))
        if argument is None:
            return self._place
        return Place(file=self._origin.file, line=argument.line, column=argument.column)

    def _leave(self, key: str, reason: str) -> None:
        written = self._written.get(key, key)
        self._unread.pop(written, None)
        if written in self._call.arguments:
            self._note(key, key, Outcome.LEFT_OUT, reason)

    def _note(self, key: str, field: str, outcome: Outcome, reason: str) -> None:
        self._add_note(self._field(field), outcome, reason, Severity.WARNING, self._at(key))

    def _add_note(self, field: str, outcome: Outcome, reason: str, severity: Severity, place: Place) -> None:
        note = Note(field=field, outcome=outcome, reason=reason, severity=severity, place=place)
        self._origin.notes.append(note)


def _text(value: Any) -> str | Outside | None:
    return value if isinstance(value, str | Outside) else None


def _count(value: Any) -> int | None:
    return value if type(value) is int and value > 0 else None


def _natural(value: Any) -> int | None:
    return value if type(value) is int and value >= 0 else None


def _seconds(value: Any) -> int | None:
    return ceil(value / 1000) if type(value) is int and value > 0 else None


def _range(value: Any) -> tuple[int, int] | None:
    """Return (least, most) of `workers`: a number is the most."""
    if type(value) is int and value >= 0:
        return 0, value
    if isinstance(value, list) and len(value) == 2 and all(type(one) is int and one >= 0 for one in value):
        return (value[0], value[1]) if value[0] <= value[1] else None
    return None
