"""Requests, with the names and defaults of the original provider."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any, Final

from reconciler.model.errors import InvalidConfig
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployRequest:
    """A new endpoint. None means not specified; all text is literal, including `${`.

    endpoint: its unique name; spec_name: a spec of specs.yaml; image: a container image.

    replicas: number of workers (default 1); min_replicas (default 0) and max_replicas (default 10) take
    precedence. task_timeout, scale_down_idle_time, free_timeout: seconds after which an idle worker is
    removed (default 300); free_timeout takes precedence over task_timeout, and task_timeout over
    scale_down_idle_time. request_timeout: seconds (default 3600). env: variables; their values are kept
    secret. scale_up_threshold: number of waiting requests for another worker. policy: `{"type": "queue" or
    "concurrency", "value": int}` (default: queue, 60 seconds). port: default 8000. health_path: default
    `/health`. app_name: part of the URL, cannot be changed (default: endpoint). storage: as in the YAML.

    Novita has no max_pending_tasks, scale_up_cooldown, scale_down_cooldown, priority, enable_dynamic_prio,
    high_load_threshold, priority_boost, labels, image_prefix and validate_image; they are accepted and never
    sent. gpu_count must be that of the spec. volume_mounts, shm_size, enable_ptrace and registry_credential
    are refused with a hint.
    """

    endpoint: str
    spec_name: str
    image: str
    replicas: int | None = None
    task_timeout: int | None = None
    env: Mapping[str, str] | None = None
    min_replicas: int | None = None
    max_replicas: int | None = None
    scale_up_threshold: int | None = None
    scale_down_idle_time: int | None = None
    scale_up_cooldown: int | None = None
    scale_down_cooldown: int | None = None
    max_pending_tasks: int | None = None
    priority: int | None = None
    enable_dynamic_prio: bool | None = None
    high_load_threshold: int | None = None
    priority_boost: int | None = None
    volume_mounts: Sequence[Mapping[str, Any]] | None = None
    shm_size: str | None = None
    enable_ptrace: bool | None = None
    app_name: str | None = None
    command: str | None = None
    image_auth_id: str | None = None
    free_timeout: int | None = None
    request_timeout: int | None = None
    max_concurrent: int | None = None
    policy: Mapping[str, Any] | None = None
    port: int | None = None
    health_path: str | None = None
    storage: Sequence[Mapping[str, Any]] | None = None
    labels: Mapping[str, str] | None = None
    image_prefix: str | None = None
    validate_image: bool | None = None
    gpu_count: int | None = None
    registry_credential: Mapping[str, str] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateDeploymentRequest:
    """Changed fields of an endpoint. None leaves a field unchanged; 0 and empty values are set.

    image: a container image; replicas: number of workers, 0 scales to zero when idle and keeps the maximum;
    env: replaces all variables; task_timeout: seconds after which an idle worker is removed.
    """

    endpoint: str
    image: str | None = None
    replicas: int | None = None
    env: Mapping[str, str] | None = None
    task_timeout: int | None = None


NO_CREDENTIAL: Final = "`registryCredential` is not supported"
CREDENTIAL_ADVICE: Final = (
    "declare the credential in `registries:` of the YAML or store it in Novita's console, and send its ID as"
    " `imageAuthId`"
)


def item_of(request: DeployRequest | UpdateDeploymentRequest) -> dict[str, Any]:
    """Return the request as an item in the form of the YAML.

    Raise InvalidConfig for a registry credential.
    """
    if getattr(request, "registry_credential", None):
        problem = Problem(code="unsupported-field", summary=NO_CREDENTIAL, hint=CREDENTIAL_ADVICE)
        raise InvalidConfig(problem)
    values = ((field.name, getattr(request, field.name)) for field in dataclasses.fields(request))
    given = {camel_case(name): _plain(value) for name, value in values if value is not None}
    return {"endpoint": "", **given}


def camel_case(name: str) -> str:
    """Return the name of a field in the YAML and in the HTTP API."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _plain(value: Any) -> Any:
    """Return the value with mappings as dict and sequences as list."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value]
    return value
