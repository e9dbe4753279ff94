"""An endpoint as whoever looks at it sees it: how it does, who runs it, and what has happened to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Status(StrEnum):
    """How an endpoint does, in one word for people.

    RUNNING serves, be it with workers or, scaled to zero, at the next request; PENDING is getting there for
    the first time or again, and UPDATING with new settings; TERMINATING is on its way out.
    """

    RUNNING = "Running"
    PENDING = "Pending"
    UPDATING = "Updating"
    STOPPED = "Stopped"
    FAILED = "Failed"
    TERMINATING = "Terminating"


class Phase(StrEnum):
    """How far an object has come for those who wait for it."""

    READY = "ready"
    WAITING = "waiting"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """A phase and, unless ready, the reason in a clause."""

    phase: Phase
    reason: str = ""


class Managed(StrEnum):
    """Whose an endpoint is.

    DECLARED stands in today's YAML; RECORDED was applied from here and is no longer declared, so that the
    next apply deletes it; IMPERATIVE was made by a command without YAML; UNMANAGED is none of ours.
    """

    DECLARED = "declared"
    RECORDED = "recorded"
    IMPERATIVE = "imperative"
    UNMANAGED = "unmanaged"


class ConditionType(StrEnum):
    """What is known of an endpoint, each on its own: a running one may be progressing as well."""

    AVAILABLE = "Available"
    PROGRESSING = "Progressing"
    FAILED = "Failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """Whether something holds, and why: a status, Novita's word for the state, or `Workers...`."""

    type: ConditionType
    status: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """One worker that is not removed. `state` is Novita's word for it, `message` its reason, or ""."""

    id: str
    state: str
    healthy: bool
    message: str = ""

    @property
    def is_ready(self) -> bool:
        return self.state == "running" and self.healthy


@dataclass(frozen=True, slots=True, kw_only=True)
class AppStatus:
    """The status alone, counts in workers."""

    endpoint: str
    status: Status
    total_replicas: int
    ready_replicas: int
    available_replicas: int
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointInfo:
    """One live endpoint. It holds no environment and no command, which may be secret.

    `state` is Novita's own word, `message` its reason for it or that of workers that do not serve. Replicas
    are counts of workers: `min_replicas` and `max_replicas` as configured, `total_replicas` those that live,
    of which `available_replicas` run and `ready_replicas` run and are healthy. `region` is Novita's cluster
    ID, `created_at` is in UTC. `managed` is None where nobody asked.
    """

    name: str
    id: str
    status: Status
    state: str
    message: str
    min_replicas: int
    max_replicas: int
    total_replicas: int
    ready_replicas: int
    available_replicas: int
    conditions: tuple[Condition, ...]
    workers: tuple[Worker, ...]
    image: str
    url: str
    app_name: str
    product: str
    region: str
    created_at: datetime | None
    managed: Managed | None = None

    @property
    def desired_replicas(self) -> int:
        """What autoscaling may go up to."""
        return self.max_replicas

    @property
    def labels(self) -> Mapping[str, str]:
        return {"provider": "novita", "endpoint-id": self.id, "region": self.region}

    @property
    def is_settled(self) -> bool:
        """Available, and with nothing more to come."""
        return self.holds(ConditionType.AVAILABLE) and not self.holds(ConditionType.PROGRESSING)

    def holds(self, condition: ConditionType) -> bool:
        return any(one.status for one in self.conditions if one.type is condition)

    def app_status(self) -> AppStatus:
        return AppStatus(
            endpoint=self.name,
            status=self.status,
            total_replicas=self.total_replicas,
            ready_replicas=self.ready_replicas,
            available_replicas=self.available_replicas,
            message=self.message,
        )


class Happening(StrEnum):
    """What was seen to happen to an endpoint between two looks.

    PRESENT was there at the first look; READY is available with nothing more to come; CHANGED is a change of
    status, counts or conditions that has no name of its own.
    """

    PRESENT = "present"
    CREATED = "created"
    SCALED = "scaled"
    READY = "ready"
    FAILED = "failed"
    CHANGED = "changed"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicaEvent:
    """A change of one endpoint, as it is after it; of a deleted one, as it was before.

    desired_replicas is `workerConfig.maxNum`, ready_replicas the healthy workers, available_replicas the
    running ones. `happenings` are in the order in which they can happen.
    """

    name: str
    desired_replicas: int
    ready_replicas: int
    available_replicas: int
    conditions: tuple[Condition, ...]
    id: str
    status: Status
    message: str
    happenings: tuple[Happening, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecInfo:
    """A spec as specs.yaml describes it; what it leaves out is "".

    gpu: GPUs per worker; cpu: cores; memory and ephemeral_storage: GB; each as it was written. `why_not` is
    why no endpoint can use it on Novita, empty for one that can be used.
    """

    name: str
    display_name: str
    category: str
    resource_type: str
    gpu: str
    gpu_type: str
    cpu: str
    memory: str
    ephemeral_storage: str
    product_id: str
    region: str
    cuda_version: str
    why_not: tuple[str, ...] = ()

    @property
    def is_usable(self) -> bool:
        return not self.why_not
