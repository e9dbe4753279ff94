"""`--explain`: why a change is in the plan, by which rule, and with which calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from reconciler.model.plan import Cause, Change, Create, Plan
from reconciler.planning.calls import Call, calls_of
from reconciler.planning.order import app_name, freed
from reconciler.planning.rules import rule_of

MOVED: Final[Mapping[Cause, str]] = {
    Cause.CONFIG: "the YAML says otherwise since the last apply",
    Cause.DRIFT: "somebody changed it in the account since the last apply",
    Cause.BOTH: "the YAML and somebody in the account have both moved it since the last apply",
    Cause.ADOPT: "whoever made the endpoint chose otherwise",
    Cause.IMPERATIVE: "it was asked for by hand, with this very command",
    Cause.UNKNOWN: "nobody can say who moved it: it was applied under another key",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """`why`: the reason, then a sentence for each way in which fields moved; `rule`: the planner's row."""

    why: tuple[str, ...]
    rule: str
    calls: tuple[Call, ...]


def explain(plan: Plan) -> Mapping[str, Explanation]:
    """Return the explanation of every pending change, by its key."""
    freeing = {name: change.name for change in plan.pending if (name := freed(change)) is not None}
    return {change.key: _explained(change, freeing) for change in plan.pending}


def _explained(change: Change, freeing: Mapping[str, str]) -> Explanation:
    first = freeing.get(app_name(change)) if isinstance(change, Create) else None
    return Explanation(
        why=tuple(_why(change)), rule=str(rule_of(change)), calls=tuple(calls_of(change, first))
    )


def _why(change: Change) -> Iterator[str]:
    yield change.reason
    if isinstance(change, Create):
        return  # where nothing was, nobody has moved anything
    by_cause: dict[Cause, list[str]] = {}
    for field in change.fields:
        by_cause.setdefault(field.cause, []).append(".".join(field.path))
    for cause, paths in by_cause.items():
        yield f"{', '.join(paths)}: {MOVED[cause]}"
