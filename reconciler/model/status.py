"""What commands that only read show: the status of endpoints, specs, and environments."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from reconciler.model.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from decimal import Decimal

    from reconciler.model.plan import FieldChange
    from reconciler.model.settings import Environment
    from reconciler.model.sync.lease import Lease
    from reconciler.model.sync.schedule import ScheduledCounts


class Status(StrEnum):
    """The status of an endpoint in one word.

    RUNNING serves requests, with workers or, scaled to zero, at the next request. PENDING starts for the
    first time or again, UPDATING with new settings. TERMINATING is being deleted.
    """

    RUNNING = "Running"
    PENDING = "Pending"
    UPDATING = "Updating"
    STOPPED = "Stopped"
    FAILED = "Failed"
    TERMINATING = "Terminating"


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageInfo:
    """A network storage of the account.

    size_gb: GB, None if Novita does not report it. region: its cluster ID. mounted_by: the names of the live
    endpoints that mount it. is_recorded: the inventory records it. environment: another environment whose
    inventory records it, or "". price_per_gb_day: USD, None if unknown.
    """

    name: str
    id: str
    size_gb: int | None
    region: str
    mounted_by: tuple[str, ...] = ()
    is_recorded: bool = False
    price_per_gb_day: Decimal | None = None
    environment: str = ""


class Phase(StrEnum):
    """The progress of an endpoint towards being ready."""

    READY = "ready"
    WAITING = "waiting"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """A phase with its reason as a clause; that of READY is "" if a worker serves."""

    phase: Phase
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """How far new workers replaced those from before a change. `reason` is a clause; "" if it is done."""

    has_begun: bool = True
    is_done: bool = True
    reason: str = ""


class Managed(StrEnum):
    """The management of an endpoint.

    DECLARED is in today's YAML. RECORDED was applied but is no longer declared, so that the next apply
    deletes it. IMPERATIVE was made by a command without YAML. UNMANAGED is neither declared nor recorded.
    """

    DECLARED = "declared"
    RECORDED = "recorded"
    IMPERATIVE = "imperative"
    UNMANAGED = "unmanaged"


class ConditionType(StrEnum):
    """The type of a condition. Conditions are independent: an available endpoint can be progressing too."""

    AVAILABLE = "Available"
    PROGRESSING = "Progressing"
    FAILED = "Failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One condition with its reason: a status, Novita's word for the state, or `Workers...`."""

    type: ConditionType
    status: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """One worker that is not removed.

    `state` is Novita's word in lower case, `message` its reason, which may be "". A worker that drains gets
    no new requests. One that has ended does not run any more; it may have failed. `created_at` is the start
    of its billing; times are in UTC, None if Novita does not tell them. `log` is an address or text; "" for
    none.
    """

    id: str
    state: str
    healthy: bool
    message: str = ""
    is_draining: bool = False
    has_ended: bool = False
    has_failed: bool = False
    created_at: datetime | None = None
    ready_at: datetime | None = None
    log: str = ""

    @property
    def is_capacity(self) -> bool:
        """True for a worker that takes requests, or will."""
        return not (self.has_ended or self.is_draining)

    @property
    def is_ready(self) -> bool:
        return self.state == "running" and self.healthy and self.is_capacity


@dataclass(frozen=True, slots=True, kw_only=True)
class AppStatus:
    """The status of an endpoint; replicas are counts of workers."""

    endpoint: str
    status: Status
    total_replicas: int
    ready_replicas: int
    available_replicas: int
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointInfo:
    """One live endpoint without its environment and command, which may be secret.

    `state` is Novita's word, `message` its reason or that of workers that do not serve. Replicas are counts
    of workers: `min_replicas` and `max_replicas` as configured; `total_replicas` exist, `available_replicas`
    of them run, and `ready_replicas` run and are healthy. `region` is Novita's cluster ID, `created_at` is in
    UTC. `managed` is None if it was not determined. `lease` is a running one, and `scheduled` are the counts
    of a declared schedule while there is none. `log` is an address or text; "" for none. `environment` is the
    other environment that the endpoint belongs to, or "".
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
    lease: Lease | None = None
    scheduled: ScheduledCounts | None = None
    log: str = ""
    environment: str = ""

    @property
    def management(self) -> str:
        """Return who manages the endpoint, in words."""
        if self.environment:
            return f"environment {self.environment}"
        return self.managed.value if self.managed else ""

    @property
    def desired_replicas(self) -> int:
        """The upper limit of autoscaling."""
        return self.max_replicas

    @property
    def labels(self) -> Mapping[str, str]:
        return {"provider": "novita", "endpoint-id": self.id, "region": self.region}

    @property
    def is_settled(self) -> bool:
        """True if the endpoint is available and no change is in progress."""
        return self.has_condition(ConditionType.AVAILABLE) and not self.has_condition(
            ConditionType.PROGRESSING
        )

    def has_condition(self, condition: ConditionType) -> bool:
        return any(current.status for current in self.conditions if current.type is condition)

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
    """A change of an endpoint between two polls.

    PRESENT existed at the first poll; READY is available with no change in progress. WORKER_FAILED is the
    failure of a worker of an endpoint that others may serve. CHANGED is any other change of status, counts or
    conditions.
    """

    PRESENT = "present"
    CREATED = "created"
    SCALED = "scaled"
    READY = "ready"
    FAILED = "failed"
    WORKER_FAILED = "worker-failed"
    CHANGED = "changed"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicaEvent:
    """A change of one endpoint, with its state after the change, or before it if the endpoint was deleted.

    desired_replicas is `workerConfig.maxNum`, ready_replicas are the healthy workers, available_replicas the
    running ones. `happenings` are in chronological order. `lease` is a running one.
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
    lease: Lease | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecInfo:
    """A spec of specs.yaml as it is written; fields that it leaves out are "".

    gpu: GPUs per worker; cpu: cores; memory and ephemeral_storage: GB. `unusable_reasons` say why no endpoint
    on Novita can use the spec; empty for a usable one.
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
    unusable_reasons: tuple[str, ...] = ()

    @property
    def is_usable(self) -> bool:
        return not self.unusable_reasons


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentInfo:
    """One environment. recorded: the endpoints in its inventory (count), None if that cannot be read."""

    environment: Environment
    recorded: int | None
    is_current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointDifference:
    """One declared endpoint that differs between two environments.

    in_first, in_second: whether it is declared there. fields: the differences, if it is declared in both.
    """

    name: str
    in_first: bool
    in_second: bool
    fields: tuple[FieldChange, ...] = ()
