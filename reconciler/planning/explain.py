"""`--explain`: the reason, the rule and the steps of each change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, assert_never

from reconciler.kinds.registry import KINDS
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.plan import (
    Adopt,
    Cause,
    Change,
    Create,
    Delete,
    FieldChange,
    Forget,
    NoOp,
    Plan,
    Replace,
    Scale,
    Update,
)
from reconciler.planning.steps import Step, app_name, freed_app_name, steps_of

CAUSE_TEXT: Final[Mapping[Cause, str]] = {
    Cause.CONFIG: "changed in the YAML since the last apply",
    Cause.DRIFT: "changed in the account since the last apply",
    Cause.BOTH: "changed in the YAML and in the account since the last apply",
    Cause.TIME: "due by the schedule, or by the end of a lease",
    Cause.ADOPT: "the endpoint was created with another value",
    Cause.IMPERATIVE: "requested by this command",
    Cause.FOLLOWS: "follows the resource that it refers to, which is replaced",
    Cause.ROLLBACK: "as it was in the version to which the rollback returns",
    Cause.UNKNOWN: "unknown, because it was applied with another key",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The explanation of one change.

    `why` has the reason, then a line for each cause of field changes. `rule` is a row of the planner's table.
    """

    why: tuple[str, ...]
    rule: str
    calls: tuple[Step, ...]


def explain(plan: Plan) -> Mapping[str, Explanation]:
    """Return the explanation of every pending change, by its key."""
    freeing = {name: change.name for change in plan.pending if (name := freed_app_name(change)) is not None}
    return {change.key: _explained(change, freeing) for change in plan.pending}


def _explained(change: Change, freeing: Mapping[str, str]) -> Explanation:
    first = freeing.get(app_name(change)) if isinstance(change, Create) else None
    return Explanation(why=tuple(_why(change)), rule=rule_of(change), calls=tuple(steps_of(change, first)))


def _why(change: Change) -> Iterator[str]:
    yield change.reason
    if isinstance(change, Create):
        return  # the fields of a new endpoint have no history
    by_cause: dict[Cause, list[str]] = {}
    for field in change.fields:
        by_cause.setdefault(field.cause, []).append(_both_names(field))
    for cause, paths in by_cause.items():
        yield f"{', '.join(paths)}: {CAUSE_TEXT[cause]}"


def _both_names(field: FieldChange) -> str:
    """Return the name of a field in the YAML and, if it differs, its path on the wire."""
    name, path = KINDS[field.kind].table.label(field.path), ".".join(field.path)
    return name if name == path else f"{name} ({path})"


def rule_of(change: Change) -> str:
    """Return the row of the planner's table that made this change."""
    return f"{_condition(change)} -> {change.action.value}"


def _condition(change: Change) -> str:
    match change:
        case Create(gone=None):
            return "declared, not recorded, none live of that name"
        case Create():
            return "declared, recorded, its ID is gone, none live of that name"
        case Adopt(gone=None):
            return "declared, not recorded, one live of that name"
        case Adopt():
            return "declared, recorded, its ID is gone, one live of that name"
        case NoOp():
            return "declared, recorded, live by its ID; no field differs"
        case Replace(is_requested=True):
            return "declared, recorded, live by its ID; a replacement was requested"
        case Replace(is_rotation=True):
            return "declared, recorded, live by its ID; an immutable field differs, and its users follow"
        case Replace():
            return "declared, recorded, live by its ID; an immutable field differs"
        case Scale():
            return "declared, recorded, live by its ID; only worker counts differ"
        case Update():
            return "declared, recorded, live by its ID; fields differ that can be changed"
        case Delete():
            return "not wanted, recorded, live by its ID under that name"
        case Forget(live_name=""):
            return "not wanted, recorded, its ID is gone"
        case Forget():
            return "not wanted, recorded, live by its ID under another name"
        case _:
            assert_never(change)
