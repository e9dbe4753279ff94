"""The guards of the budget: a plan may not raise the cost beyond a limit."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from reconciler.model.market.cost import Amount, ChangeCost, PlanCost, StorageUsage, Usage, WorkerUsage
from reconciler.model.market.text import monthly, usd
from reconciler.model.problem import ExitCode, Problem, Severity


def budget_problems(cost: PlanCost, *, is_allowed: bool) -> Iterator[Problem]:
    """Yield a guard for each limit that the plan may break by a higher cost.

    A plan that does not raise an amount is never refused because of it: it may lower the cost, or
    have nothing to do with it. is_allowed: the user agreed, so nothing is refused.
    """
    for which in ("floor", "ceiling"):
        digits = getattr(cost.budget, f"{which}_per_month")
        if not digits:
            continue
        limit = Fraction(digits)
        before, after = getattr(cost.before, which), getattr(cost.after, which)
        is_over = after.per_month > limit
        if is_over and not _raises(cost, which):
            yield Problem(
                code="over-budget",
                severity=Severity.NOTE,
                summary=f"the {which} of {monthly(after)} is over the budget of {usd(limit)} per month,"
                " and this plan does not raise it",
            )
        elif (is_over or after.is_at_least) and _raises(cost, which) and not is_allowed:
            yield _over(which, before, after, limit) if is_over else _unknown(which, cost, limit)


def _raises(cost: PlanCost, which: str) -> bool:
    """Return True if the plan raises the floor or the ceiling, or may do so because a price is not known."""
    before, after = getattr(cost.before, which), getattr(cost.after, which)
    return after.per_hour > before.per_hour or any(_may_raise(change, which) for change in cost.changes)


def _may_raise(change: ChangeCost, which: str) -> bool:
    """Return True if the plan may raise a cost that is not completely known."""
    if not change.of(which, is_after=True).is_at_least:
        return False
    was = change.before.usage if change.before else None
    now = _usage(change)
    if isinstance(was, WorkerUsage) and isinstance(now, WorkerUsage) and was.shape == now.shape:
        fewer, more = _count(was, which), _count(now, which)
        return fewer is None or more is None or more > fewer
    return was != now


def _count(usage: WorkerUsage, which: str) -> int | None:
    return usage.min_workers if which == "floor" else usage.max_workers


def _over(which: str, before: Amount, after: Amount, limit: Fraction) -> Problem:
    return Problem(
        code="over-budget",
        summary=f"the {which} would rise from {monthly(before)} to {monthly(after)},"
        f" over the budget of {usd(limit)} per month",
        hint=f"lower `{_field(which)}` or the price of the plan, raise `budget.{which}_per_month` in"
        " config.yaml, or pass --allow-over-budget",
        exit_code=ExitCode.GUARD,
    )


def _unknown(which: str, cost: PlanCost, limit: Fraction) -> Problem:
    unknown = next((change for change in cost.changes if change.of(which, is_after=True).is_at_least), None)
    what = f"the price of `{unknown.name}` is not known" if unknown else "a price is not known"
    why = unknown.why_unknown if unknown else ""
    return Problem(
        code="budget-unknown",
        summary=f"the {which} cannot be compared with the budget of {usd(limit)} per month, because {what}",
        detail=f"{why[:1].upper()}{why[1:]}." if why else "",
        hint="Novita tells it when the region has a storage; pass --allow-over-budget for this one"
        if unknown and isinstance(_usage(unknown), StorageUsage)
        else "write `pricePerHour` of its spec in specs.yaml, or pass --allow-over-budget",
        address=unknown.address if unknown else None,
        exit_code=ExitCode.GUARD,
    )


def _usage(change: ChangeCost) -> Usage | None:
    return change.after.usage if change.after else None


def _field(which: str) -> str:
    return "minReplicas" if which == "floor" else "maxReplicas"
