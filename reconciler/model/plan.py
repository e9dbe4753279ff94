"""A plan: the change of each endpoint, with its reason. Each action has a class; `Change` is their union."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Problem
from reconciler.model.resource import ENDPOINT, Desired, Live, Tracked, address, key_of
from reconciler.model.values import Absent, Fields, Path, Value

if TYPE_CHECKING:
    from reconciler.model.market.cost import PlanCost
    from reconciler.model.review.blast_radius import BlastRadius
    from reconciler.model.review.preflight import Preflight


class Action(StrEnum):
    """The action of a change."""

    CREATE = "create"
    UPDATE = "update"
    SCALE = "scale"
    REPLACE = "replace"
    DELETE = "delete"
    ADOPT = "adopt"
    FORGET = "forget"
    NO_OP = "no-op"


class Cause(StrEnum):
    """The cause of a field change: the YAML, the account, both, time (a schedule, or the end of a lease), an
    adoption, a command, a rollback, or the replacement of a resource that the field refers to.
    """

    CONFIG = "config"
    DRIFT = "drift"
    BOTH = "both"
    TIME = "time"
    ADOPT = "adopt"
    IMPERATIVE = "hand"
    FOLLOWS = "follows"
    ROLLBACK = "rollback"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """One field that differs. Either side may be ABSENT.

    In a change, `before` is live and `after` declared; in drift, `before` is recorded and `after` live.
    `sensitive` is true if a side must not be shown, `is_settled` if drift is what is declared by now.
    `kind` is the type of the resource.
    """

    path: Path
    before: Value | Absent
    after: Value | Absent
    cause: Cause
    forces_replacement: bool = False
    sensitive: bool = False
    is_settled: bool = False
    kind: str = ENDPOINT


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """The common part of all changes. `target` is the desired state with ignored fields as live."""

    name: str
    reason: str
    fields: tuple[FieldChange, ...] = ()

    @property
    @abstractmethod
    def kind(self) -> str:
        """Return the type of the resource."""

    @property
    def address(self) -> str:
        return address(self.name, self.kind)

    @property
    def key(self) -> str:
        """Return what is unique in a plan: the name of an endpoint, the address of another resource."""
        return key_of(self.name, self.kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class _DeclaredChange(_Change):
    """A change of a resource that is declared."""

    desired: Desired

    @property
    def kind(self) -> str:
        return self.desired.kind


@dataclass(frozen=True, slots=True, kw_only=True)
class _RecordedChange(_Change):
    """A change of a resource that is only recorded."""

    tracked: Tracked

    @property
    def kind(self) -> str:
        return self.tracked.kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Create(_DeclaredChange):
    """Create an endpoint. `gone` is the record of an earlier endpoint that no longer exists, or None."""

    action: ClassVar[Action] = Action.CREATE
    gone: Tracked | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TemporaryName:
    """A temporary name for an endpoint whose name another endpoint takes, until its `final_name` is free."""

    live: Live
    tracked: Tracked
    name: str
    final_name: str

    @property
    def record(self) -> Tracked:
        """The record of the endpoint under its temporary name."""
        return replace(
            self.tracked, name=self.name, renaming=self.final_name, renamed_from=self.tracked.name, called=""
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Update(_DeclaredChange):
    """Update an endpoint in place. `temporary` first frees its new name, which another endpoint has."""

    action: ClassVar[Action] = Action.UPDATE
    target: Fields
    live: Live
    tracked: Tracked
    temporary: TemporaryName | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale(_DeclaredChange):
    """Change only the worker counts. `drain` has the IDs of workers to drain before the counts drop."""

    action: ClassVar[Action] = Action.SCALE
    target: Fields
    live: Live
    tracked: Tracked
    drain: tuple[str, ...] = ()


class Half(StrEnum):
    """A half of a rotation: the new object, or the end of the old one after its users have followed."""

    NEW = "new"
    OLD = "old"


@dataclass(frozen=True, slots=True, kw_only=True)
class Replace(_DeclaredChange):
    """Delete and create again; with `create_first`, the new endpoint is ready before the deletion.

    `is_requested` is true if nothing requires it and the user asked for it. In a rotation the users of the
    old object follow to the new one before the old one is deleted; `half` is the part that is performed now.
    """

    action: ClassVar[Action] = Action.REPLACE
    target: Fields
    live: Live
    tracked: Tracked
    create_first: bool = False
    is_requested: bool = False
    is_rotation: bool = False
    half: Half | None = None

    @property
    def app_name(self) -> str:
        """The app name of the new endpoint."""
        return str(self.target.get("appName", self.desired.app_name))


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete(_RecordedChange):
    action: ClassVar[Action] = Action.DELETE
    live: Live


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopt(_DeclaredChange):
    """Record a live endpoint; with `fields`, also overwrite it.

    `gone` is as in `Create`. `is_requested` is True if the user asked for the adoption, and the endpoint was
    not only found by its name.
    """

    action: ClassVar[Action] = Action.ADOPT
    target: Fields
    live: Live
    gone: Tracked | None = None
    is_requested: bool = False

    @property
    def is_by_name(self) -> bool:
        """True if only the name connects the endpoint with its declaration."""
        return not (self.fields or self.is_requested)


@dataclass(frozen=True, slots=True, kw_only=True)
class Forget(_RecordedChange):
    """Drop a record. `live_name` is the current name of the endpoint, or "" if it no longer exists."""

    action: ClassVar[Action] = Action.FORGET
    live_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoOp(_DeclaredChange):
    """Change nothing. `is_stale` is True if the record differs from desired and live and may be updated."""

    action: ClassVar[Action] = Action.NO_OP
    live: Live
    tracked: Tracked
    is_stale: bool = False


Change: TypeAlias = Create | Update | Scale | Replace | Delete | Adopt | Forget | NoOp


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """An endpoint that differs from what was last applied; `live` is None if it is gone.

    `before` are the fields that it is compared with: those applied last, or without an inventory those
    declared. `declared` are the fields declared today; None if it is not declared.
    """

    name: str
    id: str
    before: Fields
    live: Live | None
    fields: tuple[FieldChange, ...] = ()
    declared: Fields | None = None
    kind: str = ENDPOINT

    @property
    def address(self) -> str:
        return address(self.name, self.kind)

    @property
    def key(self) -> str:
        """Return the key of the change that undoes the drift."""
        return key_of(self.name, self.kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All changes in a fixed order, with problems, drift and unmanaged endpoints.

    Errors among `problems` block the apply, but the plan is still shown. `cost` is None if prices were not
    asked for. `effects` are those of the changes on what runs, by their keys; None if they are not known yet.
    """

    changes: tuple[Change, ...]
    problems: tuple[Problem, ...] = ()
    drift: tuple[Drift, ...] = ()
    unmanaged: tuple[Live, ...] = ()
    complete: bool = True
    cost: PlanCost | None = None
    preflight: Preflight | None = None
    effects: Mapping[str, BlastRadius] | None = None

    @property
    def pending(self) -> tuple[Change, ...]:
        """The changes that are not a no-op."""
        return tuple(change for change in self.changes if change.action is not Action.NO_OP)

    @property
    def warms_images(self) -> bool:
        """True if a change may warm its image first."""
        return any(change.desired.prewarm for change in self.pending if isinstance(change, _DeclaredChange))

    @property
    def errors(self) -> tuple[Problem, ...]:
        return tuple(problem for problem in self.problems if problem.is_error)

    def counts(self) -> Mapping[Action, int]:
        """Return the number of changes of each action, including zeros."""
        counts = dict.fromkeys(Action, 0)
        for change in self.changes:
            counts[change.action] += 1
        return counts
