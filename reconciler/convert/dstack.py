"""Services of dstack. Source: dstackai/dstack, `core/models/configurations.py` and `resources.py`, 2026."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from reconciler.convert.candidates import Candidate, Credential, GpuWish, Outside, Parts
from reconciler.convert.reasons import LABELS, PLACE, RATES, SIZES, URL, VOLUMES
from reconciler.convert.source import Origin, Section
from reconciler.convert.values import (
    gigabytes_of,
    new_candidate,
    note_variables,
    put_env,
    put_range,
    range_of,
    seconds_of,
    shell_command,
)
from reconciler.kinds.image_reference import registry_of
from reconciler.model.values import escaped

NAME: Final = "dstack"

_BUILT: Final = "it is that of the image: build it in"
_CLUSTER: Final = "Novita starts and stops workers by itself"
_REASONS: Final = {
    **dict.fromkeys(("python", "nvcc", "docker", "setup", "repos", "files", "user", "home_dir"), _BUILT),
    "working_dir": "it is that of the image; write `cd DIR && ...` into `command`",
    "privileged": "workers are not privileged",
    "shell": "the command runs in `sh`",
    "single_branch": _BUILT,
    **dict.fromkeys(("backends", "regions", "availability_zones", "instance_types", "instances"), PLACE),
    **dict.fromkeys(("fleets", "reservation", "nodes", "priority", "max_price", "spot_policy"), PLACE),
    **dict.fromkeys(("idle_duration", "max_duration", "stop_duration", "retry", "creation_policy"), _CLUSTER),
    **dict.fromkeys(("schedule", "startup_order", "stop_criteria", "utilization_policy"), _CLUSTER),
    **dict.fromkeys(("gateway", "https", "strip_prefix"), URL),
    "auth": "no proxy asks for a token: the server in the image must",
    "rate_limits": "Novita has no rate limits; `maxConcurrent` limits the requests of a worker",
    "model": "no proxy maps models: clients call the URL of the endpoint",
    "volumes": VOLUMES,
    "tags": LABELS,
}

_SECRET: Final = re.compile(r"\$\{\{\s*secrets\.([A-Za-z_][\w-]*)\s*\}\}")
_VENDORS: Final = frozenset({"nvidia", "amd", "intel", "google", "tpu", "tenstorrent"})


def recognizes(data: Any) -> bool:
    """Return True for a service."""
    return isinstance(data, Mapping) and data.get("type") == "service"


def convert(origin: Origin) -> Parts:
    """Return the endpoint of a service."""
    if not isinstance(origin.data, Mapping):
        return Parts()
    return Parts(candidates=[_Service(Section(origin, (), origin.data)).candidate()])


class _Service:
    """The conversion of one service."""

    def __init__(self, service: Section) -> None:
        self._service = service
        self._candidate = new_candidate(service)

    def candidate(self) -> Candidate:
        service, candidate = self._service, self._candidate
        service.take("type")
        candidate.put("image", service.text("image"))
        candidate.needs_image = "dstack runs it in an image of its own"
        self._command()
        put_env(candidate, service, "env", _meaning)
        self._port()
        self._replicas()
        self._scaling()
        self._probes()
        candidate.gpus = self._gpus()
        self._credential()
        service.leave_rest(_REASONS)
        return candidate

    def _command(self) -> None:
        service = self._service
        commands = service.take("commands")
        entrypoint = service.text("entrypoint")
        if isinstance(commands, list) and commands and all(isinstance(one, str) for one in commands):
            text = shell_command(" && ".join(one.strip() for one in commands), "sh")
            if entrypoint:
                service.leave("entrypoint", "`commands` are the start command")
            elif len(commands) > 1:
                service.change("commands", "Novita has one start command, which runs all of them in `sh`")
            note_variables(service, "commands", "DSTACK")
            self._candidate.put("command", service.found("commands", text))
            return
        if commands is not None and commands != []:
            service.leave("commands", "it is not a list of texts")
        self._candidate.put("command", entrypoint)

    def _port(self) -> None:
        service = self._service
        value = service.take("port")
        if isinstance(value, Mapping):
            value = value.get("container_port")
        if isinstance(value, str):
            value = value.rpartition(":")[2]
        if (port := range_of(value)) is not None:
            self._candidate.put("port", service.found("port", port[0]))
        elif service.has("port"):
            service.leave("port", "it is not a port")

    def _replicas(self) -> None:
        service = self._service
        value = service.take("replicas")
        if isinstance(value, list):
            service.leave(
                "replicas", "an endpoint has one group of workers: write an endpoint for each group"
            )
        elif (counts := range_of(value)) is not None:
            put_range(self._candidate, service.found("replicas", value), *counts)
        elif value is not None:
            service.leave("replicas", "it is not a number, or a range such as 0..4")

    def _scaling(self) -> None:
        scaling = self._service.section("scaling")
        if scaling is None:
            return
        delay = scaling.take("scale_down_delay")
        if (seconds := seconds_of(delay)) is not None and seconds > 0:
            self._candidate.put("freeTimeout", scaling.found("scale_down_delay", seconds))
            scaling.change("scale_down_delay", "Novita stops a worker that was idle for so long")
        elif delay is not None:
            scaling.leave("scale_down_delay", "it is not a duration")
        scaling.leave_rest(dict.fromkeys(scaling.data, RATES))

    def _probes(self) -> None:
        service = self._service
        probes = service.take("probes")
        if not isinstance(probes, list):
            service.leave("probes", "it is not a list")
            return
        for index, data in enumerate(probes):
            if not isinstance(data, Mapping):
                service.leave("probes", "it is not a list of mappings")
                continue
            probe = Section(service.origin, (*service.at("probes"), index), data)
            if index == 0:
                probe.take("type")
                self._candidate.put("healthPath", probe.text("url"))
                if str(data.get("method", "get")).lower() == "get":
                    probe.take("method")
                probe.leave_rest({}, "Novita asks the path by GET, and decides how often")
            else:
                probe.leave_rest({}, "Novita asks one path: that of the first probe")

    def _gpus(self) -> GpuWish:
        resources = self._service.section("resources")
        if resources is None:
            return GpuWish(field="resources", place=self._candidate.place)
        value, at = resources.take("gpu"), resources.found("gpu" if resources.has("gpu") else "cpu", None)
        parsed = _gpu_mapping(value) if isinstance(value, Mapping) else _gpu_text(value)
        for reason in parsed.lost:
            resources.leave("gpu", reason)
        disk = resources.take("disk")
        size = gigabytes_of(disk.get("size") if isinstance(disk, Mapping) else disk) if disk else 0
        if size is None:
            resources.leave("disk", "it is not a size in GB")
        resources.leave_rest(dict.fromkeys(resources.data, SIZES))
        return GpuWish(
            models=parsed.models, count=parsed.count, disk_gb=size or 0, field=at.field, place=at.place
        )

    def _credential(self) -> None:
        auth = self._service.section("registry_auth")
        if auth is None:
            return
        username, password = auth.text("username"), auth.text("password")
        auth.leave_rest({})
        image = self._candidate.fields.get("image")
        if username is None or password is None or image is None:
            self._service.leave("registry_auth", "it needs an image, a username and a password")
            return
        registry = registry_of(image.value)
        user = _meaning(username.value)
        shown = user if isinstance(user, str) else user.variable.lower()
        self._candidate.credential = Credential(
            name=f"{registry}/{shown}"[:255],
            registry=registry,
            username=escaped(user) if isinstance(user, str) else f"${{env:{user.variable}}}",
            password=_meaning(password.value),
            field=password.field,
            place=password.place,
        )


class _Gpu:
    """The GPUs of a service; `lost` says what the YAML cannot hold."""

    def __init__(self) -> None:
        self.models: tuple[str, ...] = ()
        self.count = 1
        self.lost: list[str] = []

    def add_count(self, value: Any) -> None:
        counts = range_of(value)
        if counts is None:
            self.lost.append("its number of GPUs is not a number")
            return
        self.count = max(counts[0], 1)
        if counts[0] != counts[1]:
            self.lost.append(f"a worker has a fixed number of GPUs: {self.count}, the least, is kept")

    def add_memory(self, value: Any) -> None:
        text = str(value).strip()
        if self.models and re.fullmatch(r"[0-9]{1,4}\s*GB", text, re.IGNORECASE):
            self.models = tuple(f"{model} {text.upper().replace(' ', '')}" for model in self.models)
        else:
            self.lost.append("the memory of a GPU is that of its model: choose a product that has enough")


def _gpu_text(value: Any) -> _Gpu:
    """Return the GPUs of a text such as `A100:80GB:2`; source: `GPUSpec.parse` of dstack."""
    gpu = _Gpu()
    if value is None:
        return gpu
    memories: list[str] = []
    for token in str(value).replace(" ", "").split(":"):
        if token.lower() in _VENDORS:
            if token.lower() != "nvidia":
                gpu.lost.append("Novita has GPUs of NVIDIA")
        elif token[:1].isalpha():
            gpu.models = tuple(filter(None, token.split(",")))
        elif any(map(str.isalpha, token)):
            memories.append(token)
        else:
            gpu.add_count(token)
    for memory in memories:
        gpu.add_memory(memory)
    return gpu


def _gpu_mapping(value: Mapping[str, Any]) -> _Gpu:
    gpu = _Gpu()
    names = value.get("name")
    found = names if isinstance(names, list) else [names]
    gpu.models = tuple(str(name) for name in found if isinstance(name, str) and name)
    if value.get("memory") is not None:
        gpu.add_memory(value["memory"])
    if value.get("count") is not None:
        gpu.add_count(value["count"])
    if str(value.get("vendor") or "nvidia").lower() != "nvidia":
        gpu.lost.append("Novita has GPUs of NVIDIA")
    gpu.lost += (
        f"`{key}` is that of the model: choose a product that has it"
        for key in ("total_memory", "compute_capability")
        if value.get(key) is not None
    )
    return gpu


def _meaning(text: str) -> str | Outside:
    """Return the meaning of a text, in which `${{ secrets.NAME }}` is a secret of the dstack server."""
    if match := _SECRET.fullmatch(text.strip()):
        return Outside(variable=match[1].replace("-", "_"))
    return Outside() if _SECRET.search(text) else text
