"""A plan: what would be done to each endpoint, and why. One class an action, `Change` is their union."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum, StrEnum
from typing import ClassVar, Final, TypeAlias

from reconciler.model.problem import Problem
from reconciler.model.resource import Desired, Live, Tracked, address
from reconciler.model.values import Fields, Path, Value


class Absent(Enum):
    """The side of a field that has no value, which is not the same as a null."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT


class Action(StrEnum):
    """The verbs of a plan."""

    CREATE = "create"
    UPDATE = "update"
    SCALE = "scale"
    REPLACE = "replace"
    DELETE = "delete"
    ADOPT = "adopt"
    FORGET = "forget"
    NO_OP = "no-op"


class Cause(StrEnum):
    """Who moved a field: we in the YAML, they in the account, both, a hand just now, or nobody can say."""

    CONFIG = "config"
    DRIFT = "drift"
    BOTH = "both"
    ADOPT = "adopt"
    HAND = "hand"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """One field that differs. `before` is live and `after` desired; either may be ABSENT.

    `sensitive` says that at least one side must not be shown.
    """

    path: Path
    before: Value | Absent
    after: Value | Absent
    cause: Cause
    forces_replacement: bool = False
    sensitive: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """`target` is what a write is made from: desired, with live values where the user ignores changes."""

    name: str
    reason: str
    fields: tuple[FieldChange, ...] = ()

    @property
    def address(self) -> str:
        return address(self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Create(_Change):
    """`gone` is the record where there is one: of an endpoint that is no longer there."""

    action: ClassVar[Action] = Action.CREATE
    desired: Desired
    gone: Tracked | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TemporaryName:
    """An endpoint that gives up its name for another one: it gets a temporary one until `heir` is free."""

    live: Live
    tracked: Tracked
    name: str
    heir: str

    @property
    def record(self) -> Tracked:
        """Its record from then on."""
        return replace(
            self.tracked, name=self.name, renaming=self.heir, renamed_from=self.tracked.name, called=""
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Update(_Change):
    """`aside` is the endpoint that has this one's name and must give it up first."""

    action: ClassVar[Action] = Action.UPDATE
    desired: Desired
    target: Fields
    live: Live
    tracked: Tracked
    aside: TemporaryName | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale(_Change):
    """`drain` are the IDs of the workers that get no new work before the counts are lowered."""

    action: ClassVar[Action] = Action.SCALE
    desired: Desired
    target: Fields
    live: Live
    tracked: Tracked
    drain: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Replace(_Change):
    """Delete and create; with `create_first` the new one serves before the old one goes."""

    action: ClassVar[Action] = Action.REPLACE
    desired: Desired
    target: Fields
    live: Live
    tracked: Tracked
    create_first: bool = False

    @property
    def app_name(self) -> str:
        """The app name that the new endpoint takes."""
        return str(self.target.get("appName", self.desired.app_name))


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete(_Change):
    action: ClassVar[Action] = Action.DELETE
    live: Live
    tracked: Tracked


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopt(_Change):
    """Without fields only the record is written; with fields the endpoint is overwritten as well.

    `gone` is as with `Create`. One that is `agreed` was asked for by the user, and not only found by name.
    """

    action: ClassVar[Action] = Action.ADOPT
    desired: Desired
    target: Fields
    live: Live
    gone: Tracked | None = None
    agreed: bool = False

    @property
    def is_by_name(self) -> bool:
        """Whether nothing but its name says that it is ours."""
        return not (self.fields or self.agreed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Forget(_Change):
    """`called` is the name that the endpoint goes by now; "" when it is gone."""

    action: ClassVar[Action] = Action.FORGET
    tracked: Tracked
    called: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoOp(_Change):
    """`is_stale` says that the record differs from what is desired and live, and may be refreshed."""

    action: ClassVar[Action] = Action.NO_OP
    desired: Desired
    live: Live
    tracked: Tracked
    is_stale: bool = False


Change: TypeAlias = Create | Update | Scale | Replace | Delete | Adopt | Forget | NoOp


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """An endpoint that moved away from what was last applied; `live` is None when it is gone.

    `before` is what it is held against: the fields applied last, or where there is no inventory those
    declared. `declared` is what the YAML says today, None where it says nothing, and `unset` are the paths of
    which it cannot be told.
    """

    name: str
    id: str
    before: Fields
    live: Live | None
    fields: tuple[FieldChange, ...] = ()
    declared: Fields | None = None
    unset: tuple[Path, ...] = ()

    @property
    def address(self) -> str:
        return address(self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All changes in one fixed order, what stands in their way, and what was seen beside them.

    `problems` that are errors block the apply; the plan is shown all the same.
    """

    changes: tuple[Change, ...]
    problems: tuple[Problem, ...] = ()
    drift: tuple[Drift, ...] = ()
    unmanaged: tuple[Live, ...] = ()
    complete: bool = True

    @property
    def pending(self) -> tuple[Change, ...]:
        """The changes that are not a no-op."""
        return tuple(change for change in self.changes if change.action is not Action.NO_OP)

    @property
    def errors(self) -> tuple[Problem, ...]:
        return tuple(problem for problem in self.problems if problem.is_error)

    def counts(self) -> Mapping[Action, int]:
        """How many changes there are of each action, zeros included."""
        found = dict.fromkeys(Action, 0)
        for change in self.changes:
            found[change.action] += 1
        return found
