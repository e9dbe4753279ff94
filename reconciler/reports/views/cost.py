"""What runs now and what it costs: as text, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from reconciler.model.command import Operand, command_line
from reconciler.model.market.cost import HOURS_PER_MONTH, Amount, WorkerUsage
from reconciler.model.market.text import digits, exact, hourly, monthly, usd
from reconciler.model.text import quantity
from reconciler.model.values import Json
from reconciler.planning.cost.current import CostNow, RunningCost, Runway, runway
from reconciler.reports.run.cost import HOW_TO_PRICE, amount_document, total_document
from reconciler.reports.terminal.table import Cell, Screen, fitted_table_text
from reconciler.reports.terminal.values import plain

if TYPE_CHECKING:
    from reconciler.model.market.balance import Balance
    from reconciler.model.settings import Budget

TITLES: Final = ("NAME", "WORKERS", "PER HOUR", "PER MONTH", "FLOOR/MONTH", "CEILING/MONTH", "MANAGED")

OPTIONAL: Final = ("PER MONTH", "MANAGED", "FLOOR/MONTH")
"""Columns that a narrow terminal leaves out, the first one first."""

DAYS_SHOWN: Final = 48
"""Hours from which a duration is told in days."""


def cost_text(cost: CostNow, screen: Screen | None = None) -> str:
    """Return the table of what runs, the totals, what nobody manages, and how long the balance lasts."""
    rows = [_cells(one) for one in cost.resources]
    rows.append(
        [
            Cell(text, colour="bold")
            for text in (
                "total",
                str(_workers(cost.resources)),
                *_amounts(cost.now, cost.total.floor, cost.total.ceiling),
                "",
            )
        ]
    )
    table = fitted_table_text(TITLES, rows, screen, OPTIONAL)
    return table + "".join(f"{line}\n" for line in _lines(cost))


def _cells(one: RunningCost) -> list[Cell]:
    usage = one.side.usage
    workers = f"{usage.size_gb} GB" if not isinstance(usage, WorkerUsage) else _counts(one, usage)
    amounts = _amounts(one.now, one.side.floor, one.side.ceiling)
    management = Cell(
        f"{one.management} (orphan)" if one.is_orphan else one.management,
        colour="yellow" if one.is_orphan else "",
    )
    return [Cell(plain(one.live.name)), Cell(workers), *map(Cell, amounts), management]


def _counts(one: RunningCost, usage: WorkerUsage) -> str:
    """Return the workers that are billed, and how many there may be: `1 (0-3)`."""
    low, high = ("?" if count is None else str(count) for count in (usage.min_workers, usage.max_workers))
    return f"{len(one.billed)} ({low}-{high})"


def _amounts(now: Amount, floor: Amount, ceiling: Amount) -> tuple[str, str, str, str]:
    return hourly(now), monthly(now), monthly(floor), monthly(ceiling)


def _workers(resources: Sequence[RunningCost]) -> int:
    return sum(len(one.billed) for one in resources)


def _lines(cost: CostNow) -> Iterator[str]:
    yield ""
    yield f"{quantity(_workers(cost.resources), 'worker')} billed now."
    yield f"A month has {HOURS_PER_MONTH} hours. Floor: minReplicas, ceiling: maxReplicas."
    if any(one.now.is_approximate or one.side.ceiling.is_approximate for one in cost.resources):
        yield "~ approximate: the price of several GPUs, or of disk, is not documented."
    unknown = [one for one in cost.resources if one.side.rate.why_unknown]
    if unknown:
        first = unknown[0]
        yield f"The price of {_names(unknown)} is not known: {first.side.rate.why_unknown}; {HOW_TO_PRICE}."
    yield from _orphans(cost.orphans)
    yield from _budget(cost)
    yield from _runway(cost)


def _orphans(orphans: Sequence[RunningCost]) -> Iterator[str]:
    if not orphans:
        return
    now = sum((one.now for one in orphans), Amount())
    is_ = "is" if len(orphans) == 1 else "are"
    yield (
        f"{quantity(len(orphans), 'endpoint')} with workers {is_} managed by nobody (orphans):"
        f" {hourly(now)} per hour, {monthly(now)} per month: {_names(orphans)}."
    )
    delete = command_line("reconciler", "delete", Operand(orphans[0].live.name))
    yield f"  {delete}   deletes {'it' if len(orphans) == 1 else 'the first one'}."


def _names(resources: Sequence[RunningCost], shown: int = 5) -> str:
    names = ", ".join(plain(one.live.name) for one in resources[:shown])
    return names + (f" and {len(resources) - shown} more" if len(resources) > shown else "")


def _budget(cost: CostNow) -> Iterator[str]:
    total = cost.managed_total
    limits = [
        f"{which} {monthly(amount)} of {usd(Fraction(limit))}"
        for which, amount, limit in (
            ("floor", total.floor, cost.budget.floor_per_month),
            ("ceiling", total.ceiling, cost.budget.ceiling_per_month),
        )
        if limit
    ]
    if limits:
        yield f"Budget per month, for what is managed: {', '.join(limits)}."


def _runway(cost: CostNow) -> Iterator[str]:
    if cost.balance is None:
        yield "The balance could not be read."
        return
    floor, now = cost.account_total.floor, cost.account_now
    yield f"Balance: {usd(Fraction(cost.balance.available))}."
    yield (
        f"At the floor of the account ({hourly(floor)} per hour) {runway_text(runway(cost.balance, floor))}."
    )
    if now != floor:
        yield f"With what runs now ({hourly(now)} per hour) {runway_text(runway(cost.balance, now))}."


def runway_text(found: Runway) -> str:
    """Return how long a balance lasts, as a clause."""
    if found.hours is None:
        return "it is not known how long it lasts" if found.is_at_most else "nothing is spent"
    if not found.hours:
        return "it is used up"
    most = "at most " if found.is_at_most else ""
    if found.hours < DAYS_SHOWN:
        return f"it lasts {most}{digits(found.hours, 1)} hours"
    return f"it lasts {most}{int(found.hours / 24):,} days"


def cost_now_document(cost: CostNow) -> Json:
    """Return the document of `cost --json`; amounts are digits in text."""
    endpoints = [one for one in cost.resources if isinstance(one.side.usage, WorkerUsage)]
    storages = [one for one in cost.resources if not isinstance(one.side.usage, WorkerUsage)]
    orphans = sum((one.now for one in cost.orphans), Amount())
    return {
        "currency": "USD",
        "hours_per_month": HOURS_PER_MONTH,
        "endpoints": [_endpoint_document(one) for one in endpoints],
        "storages": [_storage_document(one) for one in storages],
        "now": amount_document(cost.now),
        **total_document(cost.total),
        "orphans": {"names": [one.live.name for one in cost.orphans], "now": amount_document(orphans)},
        "budget": _budget_document(cost.budget),
        "balance": _balance_document(cost.balance, cost),
        "problems": [problem.to_dict() for problem in cost.problems],
    }


def _endpoint_document(one: RunningCost) -> Json:
    return {
        **_common_document(one),
        "orphan": one.is_orphan,
        "workers": [
            {
                "id": worker.id,
                "state": worker.state,
                "created_at": worker.created_at.isoformat() if worker.created_at else None,
            }
            for worker in one.billed
        ],
        "floor": amount_document(one.side.floor),
        "ceiling": amount_document(one.side.ceiling),
    }


def _storage_document(one: RunningCost) -> Json:
    size = None if isinstance(one.side.usage, WorkerUsage) else one.side.usage.size_gb
    per_day = None if one.now.is_unknown else exact(one.now.per_day)
    return {**_common_document(one), "size_gb": size, "per_day": per_day}


def _common_document(one: RunningCost) -> dict[str, Json]:
    return {
        "name": one.live.name,
        "id": one.live.id,
        "managed": one.managed.value,
        "environment": one.environment or None,
        "now": amount_document(one.now),
        "price_source": one.side.rate.source or None,
        "why_unknown": one.side.rate.why_unknown or None,
    }


def _budget_document(budget: Budget) -> Json:
    if not budget.is_set:
        return None
    return {
        "floor_per_month": budget.floor_per_month or None,
        "ceiling_per_month": budget.ceiling_per_month or None,
    }


def _balance_document(balance: Balance | None, cost: CostNow) -> Json:
    if balance is None:
        return None
    return {
        "available": exact(Fraction(balance.available)),
        "hours_at_floor": _hours(runway(balance, cost.account_total.floor)),
        "hours_now": _hours(runway(balance, cost.account_now)),
    }


def _hours(found: Runway) -> str | None:
    return None if found.hours is None else digits(found.hours, 1)
