"""Services of docker-compose. Source: the Compose Specification (compose-spec.json), 2026."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Any, Final

from reconciler.convert.candidates import Candidate, GpuWish, Outside, Parts
from reconciler.convert.interpolation import UnknownSyntax, parts_of, reference_text
from reconciler.convert.notes import Outcome
from reconciler.convert.reasons import LABELS, SIZES, VOLUMES
from reconciler.convert.source import Found, Origin, Section, dotted
from reconciler.convert.values import put_env
from reconciler.model.problem import Severity
from reconciler.model.values import DataPath

NAME: Final = "docker-compose"

_RESOLVE: Final = "`docker compose config` writes a file without it, which can be converted"

_WITHOUT_GPU: Final = "it declares no GPU, and other services do; --target NAME converts it all the same"

_TOP: Final = {
    "version": "it says nothing about a service",
    "name": "endpoints have the names of their services",
    "include": f"other files are not read; {_RESOLVE}",
    "networks": "endpoints have no networks of their own: they call each other by URL",
    "volumes": VOLUMES,
    "secrets": "Novita has no secrets beside variables: use `env` with a reference",
    "configs": "Novita has no files beside the image: build them into it",
    "models": "Novita has no models beside the image",
}
_REASONS: Final = {
    "build": "Novita pulls an image and builds none",
    "container_name": "the name of the service is the name of the endpoint",
    "depends_on": "endpoints start when they are called, in no order",
    "env_file": f"the file is not read; {_RESOLVE}",
    "extends": f"the other service is not merged; {_RESOLVE}",
    "networks": _TOP["networks"],
    "links": _TOP["networks"],
    "network_mode": _TOP["networks"],
    "profiles": "every service becomes an endpoint; choose some with --target NAME",
    "restart": "Novita restarts workers by itself",
    "runtime": "workers have the NVIDIA runtime",
    "secrets": _TOP["secrets"],
    "configs": _TOP["configs"],
    "shm_size": "workers get the shared memory of their product",
    "tmpfs": "a worker has the disk of its spec, and `storage` with `type: local`",
    "volumes": _TOP["volumes"],
    "volumes_from": _TOP["volumes"],
    "working_dir": "it is that of the image; write `cd DIR && ...` into `command`",
    "user": "it is that of the image",
    "cpus": SIZES,
    "mem_limit": SIZES,
    "mem_reservation": SIZES,
    "labels": LABELS,
    "logging": "Novita keeps the logs: reconciler logs NAME",
    "stop_grace_period": "`freeTimeout` says how long an idle worker stays",
    "platform": "workers are linux/amd64",
    "develop": "it says nothing about a service",
    "pull_policy": "each new worker pulls the image",
    "ipc": "workers get the shared memory of their product",
}
_EXTENSION: Final = "it is an extension of its author, which no program must know"

_NUMBER: Final = re.compile(r"[0-9]{1,5}\Z")
_URL: Final = re.compile(r"https?://[^/\s\"'|;&]+(/[^\s\"'|;&?#]*)?")


def recognizes(data: Any) -> bool:
    """Return True for a mapping of services."""
    services = data.get("services") if isinstance(data, Mapping) else None
    return (
        isinstance(services, Mapping)
        and bool(services)
        and all(isinstance(service, Mapping) for service in list(services.values())[:10])
    )


def convert(origin: Origin) -> Parts:
    """Return an endpoint for each service."""
    parts = Parts()
    document = Section(origin, (), origin.data if isinstance(origin.data, Mapping) else {})
    services = document.section("services")
    for name in services.data if services else ():
        assert services is not None
        service = services.section(name)
        if service is not None:
            known = len(origin.notes)
            candidate = _Service(name, service).candidate()
            candidate.notes = origin.notes[known:]
            parts.candidates.append(candidate)
    if any(one.gpus and one.gpus.field != one.field for one in parts.candidates):
        for one in parts.candidates:
            if one.gpus and one.gpus.field == one.field:
                one.doubt = _WITHOUT_GPU
    document.leave_rest(_TOP | _extensions(document))
    return parts


def _extensions(section: Section) -> dict[str, str]:
    return {key: _EXTENSION for key in section.data if key.startswith("x-")}


class _Service:
    """The conversion of one service."""

    def __init__(self, name: str, service: Section) -> None:
        self._service = service
        self._origin = service.origin
        place = self._origin.place(service.path, key=True)
        self._candidate = Candidate(name=name, origin=self._origin, field=dotted(service.path), place=place)

    def candidate(self) -> Candidate:
        service, candidate = self._service, self._candidate
        self._put("image", "image")
        if not service.has("image"):
            candidate.needs_image = "the service names no image"
            candidate.image_field = dotted(service.at("image"))
        self._command()
        put_env(candidate, service, "environment", _meaning)
        self._port()
        self._health()
        self._deploy()
        service.leave_rest(_REASONS | _extensions(service))
        return candidate

    def _put(self, name: str, key: str) -> None:
        if (found := self._service.text(key)) is not None and (text := self._text(found, key)) is not None:
            self._candidate.put_yaml(name, found, text)

    def _text(self, found: Found, key: str) -> str | None:
        """Return a text with references in the place of its variables; None, with a note, if it cannot be."""
        try:
            return reference_text(parts_of(found.value))
        except UnknownSyntax as error:
            self._service.leave(key, str(error))
            return None

    def _command(self) -> None:
        service = self._service
        words: list[str] = []
        for key in ("entrypoint", "command"):
            value = service.take(key)
            if isinstance(value, list) and all(isinstance(word, str | int | float) for word in value):
                words.append(" ".join(_quoted(str(word)) for word in value))
            elif isinstance(value, str):
                words.append(value)
            elif value is not None:
                service.leave(key, "it is neither a text nor a list of texts")
        key = "command" if service.has("command") else "entrypoint"
        if not any(words):
            return
        found = service.found(key, " ".join(word for word in words if word))
        try:
            parts = parts_of(found.value)
        except UnknownSyntax as error:
            service.leave(key, str(error))
            return
        # a default in a command may be a secret, and belongs with the values of variables
        outside = [part for part in parts if isinstance(part, Outside)]
        self._candidate.defaults |= {one.variable: one.default for one in outside if one.default}
        self._candidate.put_yaml("command", found, reference_text(parts, with_defaults=False))
        if service.has("entrypoint"):
            service.change("entrypoint", "Novita has one start command: it is the entrypoint and the command")
        elif isinstance(service.data.get("command"), list):
            service.change("command", "Novita takes the start command as one text")

    def _port(self) -> None:
        service = self._service
        first: Found | None = None
        for key in ("ports", "expose"):
            for path, item in service.items(key):
                port = _container_port(item)
                if first is None and port is not None:
                    first = Found(value=port, field=dotted(path), place=self._origin.place(path))
                elif port is None:
                    self._leave(path, "it is not a port of a container over TCP")
                elif first is not None and port != first.value:
                    self._leave(path, f"an endpoint has one port, and {first.value} is the first")
        if first is not None:
            try:
                value = reference_text(parts_of(first.value))
            except UnknownSyntax as error:
                service.leave("ports", str(error))
                return
            self._candidate.put_yaml("port", first, int(value) if _NUMBER.match(value) else value)

    def _health(self) -> None:
        health = self._service.section("healthcheck")
        if health is None:
            return
        test = health.take("test")
        words = " ".join(map(str, test)) if isinstance(test, list) else str(test or "")
        url = _URL.search(words)
        if url is not None and "$" not in url[0]:
            self._candidate.put("healthPath", health.found("test", url[1] or "/"))
            health.change("test", "Novita asks the path by HTTP, and runs no command")
        else:
            health.leave("test", "Novita asks a path by HTTP; write `healthPath`")
        timing = "Novita has its own interval, timeout and number of failures"
        health.leave_rest(dict.fromkeys(health.data, timing))

    def _deploy(self) -> None:
        service, candidate = self._service, self._candidate
        wish: GpuWish | None = None
        if (scale := service.count("scale")) is not None:
            self._replicas(scale)
        if str(service.data.get("runtime")) == "nvidia":
            at = service.found("runtime", None)
            wish = GpuWish(field=at.field, place=at.place)
        if (gpus := service.take("gpus")) is not None:
            is_list = isinstance(gpus, list)
            wish = self._wish(gpus if is_list else [{"count": gpus}], service.at("gpus"), is_list=is_list)
        if (deploy := service.section("deploy")) is not None:
            if (replicas := deploy.count("replicas")) is not None:
                self._replicas(replicas)
            if (resources := deploy.section("resources")) is not None:
                if (reservations := resources.section("reservations")) is not None:
                    devices = reservations.take("devices")
                    if isinstance(devices, list):
                        wish = self._wish(devices, reservations.at("devices"))
                    elif devices is not None:
                        reservations.leave("devices", "it is not a list")
                    reservations.leave_rest({}, SIZES)
                resources.leave_rest({}, SIZES)
            deploy.leave_rest({}, "Novita decides where and how workers start")
        if wish is None:
            field, place = candidate.field, candidate.place
            wish = GpuWish(field=field, place=place)
        candidate.gpus = wish

    def _replicas(self, found: Found) -> None:
        if found.value:
            self._candidate.put("replicas", found)
        else:
            self._candidate.put("minReplicas", found)
            self._candidate.put("maxReplicas", Found(value=1, field=found.field, place=found.place))

    def _wish(self, devices: list[Any], path: DataPath, *, is_list: bool = True) -> GpuWish | None:
        """Return the GPUs of the first device. A device names no model."""
        wish: GpuWish | None = None
        for index, device in enumerate(devices):
            where: DataPath = (*path, index) if is_list else path
            if wish is not None or not isinstance(device, Mapping):
                self._leave(where, "the first device tells the number of GPUs of a worker")
                continue
            for key in device:
                if key not in ("count", "device_ids"):
                    self._leave((*where, key), "workers have NVIDIA GPUs", Severity.NOTE)
            count, ids = device.get("count"), device.get("device_ids")
            number = count if isinstance(count, int) and not isinstance(count, bool) else 1
            if isinstance(ids, list) and ids:
                number = len(ids)
                self._leave((*where, "device_ids"), "workers have GPUs of their own; their number is kept")
            elif str(count) == "all":
                at = (*where, "count") if is_list else where
                self._leave(at, "a worker has the GPUs of its spec; 1 is assumed")
            wish = GpuWish(count=max(number, 1), field=dotted(where), place=self._origin.place(where))
        return wish

    def _leave(self, path: DataPath, reason: str, severity: Severity = Severity.WARNING) -> None:
        self._origin.note(path, Outcome.LEFT_OUT, reason, severity)


def _meaning(text: str) -> str | Outside:
    """Return the meaning of a value of env. Raise UnknownSyntax."""
    parts = parts_of(text)
    if all(isinstance(part, str) for part in parts):
        return "".join(map(str, parts))
    return parts[0] if len(parts) == 1 and isinstance(parts[0], Outside) else Outside()


def _container_port(item: Any) -> str | None:
    """Return the container's port in an item of `ports` or `expose`; None if it is no single TCP port."""
    if isinstance(item, Mapping):
        target, protocol = item.get("target"), item.get("protocol", "tcp")
        return str(target) if protocol == "tcp" and isinstance(target, str | int) else None
    if isinstance(item, bool) or not isinstance(item, str | int | float):
        return None
    text, _, protocol = str(item).partition("/")
    if protocol not in ("", "tcp"):
        return None
    # a colon within `${PORT:-80}` separates nothing
    port = re.split(r":(?![^{]*\})", text)[-1]
    return port if _NUMBER.match(port) or port.startswith("$") else None


def _quoted(word: str) -> str:
    """Return a word of a command for a shell; a variable of compose stays visible."""
    return word if "$" in word and " " not in word else shlex.quote(word)
