"""The effect of a plan on what runs, and the guard of `--no-disruption`, which refuses restarts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from reconciler.kinds.registry import ENDPOINT
from reconciler.model.plan import Change, Delete, Plan
from reconciler.model.problem import ExitCode, Problem
from reconciler.model.review.blast_radius import BlastRadius, Effect
from reconciler.model.text import quantity


def effect_of(change: Change) -> BlastRadius | None:
    """Return the effect of a change on what runs now; None if nothing that runs is changed."""
    return ENDPOINT.blast_radius(change) if change.kind == ENDPOINT.type else None


def effects_of(plan: Plan) -> Mapping[str, BlastRadius]:
    """Return the effects of the changes that have one, by their keys."""
    if plan.effects is not None:
        return plan.effects
    return {change.key: effect for change in plan.pending if (effect := effect_of(change))}


def disruptions(changes: Iterable[Change]) -> Iterator[Problem]:
    """Yield an error for each change that restarts running workers, or may, or that takes a URL away."""
    for change in changes:
        effect = effect_of(change)
        if effect is None or not effect.disrupts:
            continue
        yield Problem(
            code="would-disrupt",
            summary=f"`{change.name}` would be disrupted, which --no-disruption refuses: {_how(effect)}",
            hint="declare it again, or leave it live with --no-delete"
            if isinstance(change, Delete)
            else "undo that change, or leave out --no-disruption if a disruption is acceptable",
            address=change.address,
            place=desired.place if (desired := getattr(change, "desired", None)) else None,
            exit_code=ExitCode.GUARD,
        )


def _how(effect: BlastRadius) -> str:
    workers = quantity(effect.workers, "worker")
    match effect.effect:
        case Effect.DELETED:
            return "it would be deleted"
        case Effect.REPLACED:
            return "it would be replaced, with a new ID and a new URL"
        case Effect.ROLLING_RESTART:
            return f"{workers} would restart"
        case _:
            return f"{workers} may restart, Novita does not say"
