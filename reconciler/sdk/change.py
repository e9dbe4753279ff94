"""One imperative change, planned and applied: its result, or the error that says why it was not made."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.model.apply_events import ChangeResult, Outcome
from reconciler.model.errors import EndpointNotFound, NotApplied, ReconcilerError, RenamedElsewhere
from reconciler.model.plan import Forget
from reconciler.model.problem import Problem
from reconciler.workflow.apply import apply
from reconciler.workflow.plan import Goal
from reconciler.workflow.runtime.context import Context


def make_change(context: Context, goal: Goal) -> ChangeResult | None:
    """Plan and apply; the call is the approval. Return the result of the change, None if none was needed.

    Raise EndpointNotFound, and NotApplied for a guard or a failure without an error of its own.
    """
    applied = apply(context, lambda _planned: True, lambda _event: None, goal=goal)
    if applied.report is None:
        _raise_refusal(applied.planned.plan.errors)
    result = next(iter(applied.report.results), None) if applied.report else None
    if result is not None and result.outcome is not Outcome.DONE:
        raise _failure(result)
    return result


def require_deleted(result: ChangeResult | None) -> None:
    """Raise RenamedElsewhere if only the record was dropped, because the endpoint was renamed elsewhere."""
    if result is not None and isinstance(result.change, Forget) and result.change.live_name:
        raise RenamedElsewhere(_renamed_elsewhere(result.change))


def _raise_refusal(errors: Sequence[Problem]) -> None:
    for problem in errors:
        if problem.code == "endpoint-not-found":
            raise EndpointNotFound(problem)
        if problem.code == "renamed-elsewhere":
            raise RenamedElsewhere(problem)
    if errors:
        raise NotApplied(*errors)


def _failure(result: ChangeResult) -> ReconcilerError:
    if result.error is not None:
        return result.error
    assert result.problem is not None
    return NotApplied(result.problem)


def _renamed_elsewhere(change: Forget) -> Problem:
    return Problem(
        code="renamed-elsewhere",
        summary=f"`{change.name}` was removed from the inventory and not deleted: {change.reason}",
        hint=f"to delete it, delete `{change.live_name}`",
        address=change.address,
    )
