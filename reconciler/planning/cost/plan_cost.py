"""The cost of a plan: what each change costs before and after, and all that the run manages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from reconciler.kinds.registry import KINDS
from reconciler.model.market.cost import ChangeCost, PlanCost, SideCost, Total, Usage, WorkerUsage
from reconciler.model.plan import Action, Adopt, Change, Create, Delete, Forget, NoOp, Plan, Replace
from reconciler.model.resource import Inventory, Live
from reconciler.model.review.blast_radius import BlastRadius
from reconciler.model.settings import Budget
from reconciler.model.values import Fields
from reconciler.planning.cost.prices import Prices
from reconciler.planning.review.disruption import effects_of


def plan_cost(
    plan: Plan, inventory: Inventory, live: Iterable[Live], prices: Prices, budget: Budget
) -> PlanCost:
    """Return the cost of a plan.

    What the inventory records and the plan leaves out, for instance because it is not selected, counts as
    unchanged.
    """
    found: list[ChangeCost] = []
    unchanged: list[SideCost] = []
    planned_ids: set[str] = set()
    side_of = cache(prices.side)  # many resources use the same
    effects = effects_of(plan)
    for change in plan.changes:
        planned_ids |= _ids_of(change)
        before, after = usages(change)
        sides = [side_of(usage) if usage else None for usage in (before, after)]
        if change.action is Action.NO_OP:
            unchanged += filter(None, sides[:1])
        elif any(sides):
            found.append(
                ChangeCost(
                    name=change.key,
                    address=change.address,
                    action=change.action,
                    before=sides[0],
                    after=sides[1],
                    peak_workers=_peak_workers(effects.get(change.key), after),
                )
            )
    recorded = {record.id for record in inventory.every_record()} - planned_ids
    unchanged += (side for one in live if one.id in recorded and (side := live_cost(one, prices)))
    rest = Total.of(unchanged)
    return PlanCost(
        changes=tuple(found),
        before=Total.of(cost.before for cost in found) + rest,
        after=Total.of(cost.after for cost in found) + rest,
        unchanged=len(unchanged),
        budget=budget,
    )


def live_cost(live: Live, prices: Prices) -> SideCost | None:
    """Return what a live resource costs; None for a kind that costs nothing."""
    usage = usage_of(live)
    return prices.side(usage) if usage else None


def usage_of(live: Live) -> Usage | None:
    """Return what a live resource uses; None for a kind that costs nothing."""
    return KINDS[live.kind].usage(live.fields)


def usages(change: Change) -> tuple[Usage | None, Usage | None]:
    """Return what a resource uses before and after its change."""
    kind = KINDS[change.kind]
    match change:
        case Create():
            return None, kind.usage(change.desired.fields)
        case Delete():
            return usage_of(change.live), None
        case Forget():
            return None, None  # it stays as it is, and is no longer managed
        case NoOp():
            usage = usage_of(change.live)
            return usage, usage
        case Replace():
            return usage_of(change.live), kind.usage(change.target)
        case _:
            before = usage_of(change.live)
            if isinstance(change, Adopt) and not change.fields:
                return before, before
            return before, kind.usage(_updated(change.live.fields, change.target))


def _peak_workers(effect: BlastRadius | None, after: Usage | None) -> int:
    """Return how many workers are billed while old and new ones run side by side (count); 0 if never."""
    if effect is None or not effect.disrupts or not isinstance(after, WorkerUsage):
        return 0
    return effect.peak_workers if effect.peak_workers > max(effect.workers, after.min_workers or 0) else 0


def _updated(live: Fields, target: Fields) -> Fields:
    """Return the fields after an update, which keeps what its target leaves out."""
    fields: dict[str, Any] = {**live, **target}
    for key, value in target.items():
        if key == "workerConfig" and isinstance(value, Mapping):
            fields[key] = {**live.get(key, {}), **value}
    return fields


def _ids_of(change: Change) -> set[str]:
    """Return the IDs of the live resource and of the record that a change is about."""
    holders = (getattr(change, name, None) for name in ("live", "tracked"))
    return {holder.id for holder in holders if holder is not None}
