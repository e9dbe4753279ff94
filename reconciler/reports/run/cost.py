"""The cost of a plan as rows, from which the text, Markdown and HTML are written, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Final

from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.market.cost import (
    HOURS_PER_MONTH,
    Amount,
    ChangeCost,
    PlanCost,
    SideCost,
    StorageUsage,
    Total,
    WorkerUsage,
)
from reconciler.model.market.text import daily, exact, hourly, monthly, once, usd
from reconciler.model.text import quantity
from reconciler.model.values import Json

MAX_ROWS: Final = 20
"""Changes (count) whose cost is listed; the totals include all."""

LEGEND: Final = f"floor: minReplicas, ceiling: maxReplicas, a month: {HOURS_PER_MONTH} hours"

UNKNOWN_PRICE: Final = "a price is not known"

HOW_TO_PRICE: Final = "`pricePerHour` of a spec in specs.yaml sets it"


@dataclass(frozen=True, slots=True, kw_only=True)
class CostRow:
    """One line about a change or the total: a label, and what it is per hour and per month."""

    label: str
    per_hour: str
    per_month: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CostBlock:
    """The rows and the remarks of a change."""

    change: ChangeCost
    rows: tuple[CostRow, ...]
    remarks: tuple[str, ...]


def headline(cost: PlanCost) -> str:
    """Return the cost in one line if nothing else has to be told about it, else ""."""
    if cost.is_unknown:
        why = next((change.why_unknown for change in cost.changes if change.why_unknown), UNKNOWN_PRICE)
        return f"Cost: unknown, because {why}{_how_to_price(cost)}."
    if any(change.matters for change in cost.changes):
        return ""
    floor, ceiling = monthly(cost.after.floor), monthly(cost.after.ceiling)
    amount = floor if floor == ceiling else f"{floor} to {ceiling}"
    return f"Cost: not changed, {amount} per month ({HOURS_PER_MONTH} hours)."


def blocks(cost: PlanCost) -> tuple[CostBlock, ...]:
    """Return what is told about each change that matters, in the order of the plan."""
    return tuple(
        CostBlock(change=change, rows=tuple(_rows(change)), remarks=tuple(_remarks(change)))
        for change in cost.changes
        if change.matters or change.why_unknown
    )


def _how_to_price(cost: PlanCost) -> str:
    """Return how to set a price that is not known, as a clause; "" if only storages have none."""
    unknown = [change for change in cost.changes if change.why_unknown]
    return "" if unknown and all(map(is_storage, unknown)) else f"; {HOW_TO_PRICE}"


def total_rows(cost: PlanCost) -> tuple[CostRow, ...]:
    """Return the rows of the total."""
    return tuple(
        _row(which, getattr(cost.before, which), getattr(cost.after, which)) for which in ("floor", "ceiling")
    )


def _rows(change: ChangeCost) -> Iterator[CostRow]:
    if is_storage(change):
        yield _row("storage", change.of("floor"), change.of("floor", is_after=True))
        return
    for which in ("floor", "ceiling"):
        yield _row(which, change.of(which), change.of(which, is_after=True))


def _row(label: str, before: Amount, after: Amount) -> CostRow:
    return CostRow(
        label=label,
        per_hour=arrow(hourly(before), hourly(after)),
        per_month=arrow(monthly(before), monthly(after)),
    )


def arrow(before: str, after: str) -> str:
    """Return both sides of a value, or the one that it keeps."""
    return before if before == after else f"{before} -> {after}"


def change_symbol(change: ChangeCost) -> str:
    """Return the symbol of what happens to the cost: it comes, goes or changes."""
    if change.before is None:
        return "+"
    return "-" if change.after is None else "~"


def is_storage(change: ChangeCost) -> bool:
    """Return True if the change is one of a network storage."""
    side = change.after or change.before
    return side is not None and isinstance(side.usage, StorageUsage)


def _remarks(change: ChangeCost) -> Iterator[str]:
    """Yield clauses about a change, for lines of their own. Values that stay the same need no remark."""
    before, after = change.before, change.after
    if is_storage(change):
        if not change.why_unknown:
            sides = [daily(side.floor) if side else daily(Amount()) for side in (before, after)]
            yield f"{arrow(*sides)} per day"
    elif after is not None:
        known = set(_worker_remarks(before)) if before is not None else set()
        yield from (remark for remark in _worker_remarks(after) if remark not in known)
    if change.why_unknown:
        yield f"price unknown: {change.why_unknown}"


def _worker_remarks(side: SideCost) -> Iterator[str]:
    tail, disk = side.idle_tail, side.rate.disk
    if isinstance(side.usage, WorkerUsage) and tail is not None and tail.per_hour:
        yield f"a worker that goes idle is billed for {side.usage.idle_seconds} s more: {once(tail)}"
    if disk.per_hour:
        yield f"disk over the free size: {daily(disk)} per day and worker"


def footnotes(cost: PlanCost) -> tuple[str, ...]:
    """Return sentences about the peak, the marks of the amounts, and the budget."""
    totals = (cost.before.floor, cost.before.ceiling, cost.after.floor, cost.after.ceiling)
    notes = []
    if peaks := [change for change in cost.changes if change.peak_workers]:
        amount = sum((change.peak for change in peaks), Amount())
        workers = quantity(sum(change.peak_workers for change in peaks), "worker")
        notes.append(f"While old and new workers run: at most {workers}, {hourly(amount)} per hour.")
    if any(amount.is_approximate for amount in totals):
        notes.append("~ approximate: the price of several GPUs, or of disk, is not documented.")
    if any(amount.is_at_least for amount in totals):
        notes.append(f"at least: a price is unknown{_how_to_price(cost)}.")
    limits = [
        f"{which} {monthly(getattr(cost.after, which))} of {usd(Fraction(limit))}"
        for which, limit in (
            ("floor", cost.budget.floor_per_month),
            ("ceiling", cost.budget.ceiling_per_month),
        )
        if limit
    ]
    if limits:
        notes.append(f"Budget per month: {', '.join(limits)}.")
    return tuple(notes)


def cost_document(cost: PlanCost) -> Json:
    """Return the cost as JSON. Amounts are digits in text, because JSON numbers may be rounded."""
    sides = {id(side): side for change in cost.changes for side in (change.before, change.after)}
    documents = {identity: _side_document(side) for identity, side in sides.items()}
    return {
        "currency": "USD",
        "hours_per_month": HOURS_PER_MONTH,
        "before": total_document(cost.before),
        "after": total_document(cost.after),
        "unchanged": cost.unchanged,
        "changes": [
            {
                "address": change.address,
                "action": change.action.value,
                "before": documents[id(change.before)],
                "after": documents[id(change.after)],
                "peak": {"workers": change.peak_workers, "per_hour": amount_document(change.peak)["per_hour"]}
                if change.peak_workers
                else None,
            }
            for change in cost.changes
        ],
        "budget": {
            "floor_per_month": cost.budget.floor_per_month or None,
            "ceiling_per_month": cost.budget.ceiling_per_month or None,
        }
        if cost.budget.is_set
        else None,
    }


def total_document(total: Total) -> Json:
    return {"floor": amount_document(total.floor), "ceiling": amount_document(total.ceiling)}


def amount_document(amount: Amount) -> dict[str, Json]:
    """Return an amount; null in place of one of which nothing is known."""
    return {
        "per_hour": None if amount.is_unknown else exact(amount.per_hour),
        "per_month": None if amount.is_unknown else exact(amount.per_month),
        "approximate": amount.is_approximate,
        "at_least": amount.is_at_least,
    }


def _side_document(side: SideCost | None) -> Json:
    if side is None:
        return None
    usage, rate = side.usage, side.rate
    document: dict[str, Json] = {
        "floor": amount_document(side.floor),
        "ceiling": amount_document(side.ceiling),
        "price_source": rate.source or None,
        "why_unknown": rate.why_unknown or None,
    }
    if isinstance(usage, StorageUsage):
        return {**document, "size_gb": usage.size_gb, "per_day": _digits(side.floor, side.floor.per_day)}
    tail = side.idle_tail
    return {
        **document,
        "workers": {"min": usage.min_workers, "max": usage.max_workers},
        "worker_per_hour": _digits(rate.amount, rate.amount.per_hour),
        "disk_per_worker_day": _digits(rate.disk, rate.disk.per_day),
        "idle_tail": {"seconds": usage.idle_seconds, "per_worker": _digits(tail, tail.per_hour)}
        if tail is not None
        else None,
    }


def _digits(amount: Amount, value: Fraction) -> str | None:
    return None if amount.is_unknown else exact(value)
