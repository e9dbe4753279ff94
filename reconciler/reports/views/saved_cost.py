"""The cost of a saved plan, from its JSON document."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from reconciler.model.market.cost import (
    Amount,
    ChangeCost,
    PlanCost,
    Rate,
    SideCost,
    StorageUsage,
    Total,
    Usage,
    WorkerUsage,
)
from reconciler.model.plan import Action
from reconciler.model.resource import ENDPOINT, key_of
from reconciler.model.settings import Budget


def saved_cost(document: Mapping[str, Any]) -> PlanCost:
    """Return the cost as it was when the plan was saved, exact to twelve decimals."""
    budget = document["budget"] or {}
    return PlanCost(
        changes=tuple(map(_change, document["changes"])),
        before=_total(document["before"]),
        after=_total(document["after"]),
        unchanged=document["unchanged"],
        budget=Budget(**{name: limit or "" for name, limit in budget.items()}),
    )


def _change(document: Mapping[str, Any]) -> ChangeCost:
    kind, _, name = document["address"].partition(".")
    return ChangeCost(
        name=key_of(name, kind),
        address=document["address"],
        action=Action(document["action"]),
        before=_side(document["before"], kind),
        after=_side(document["after"], kind),
        peak_workers=(document.get("peak") or {}).get("workers", 0),
    )


def _side(document: Mapping[str, Any] | None, kind: str) -> SideCost | None:
    if document is None:
        return None
    floor, ceiling = _amount(document["floor"]), _amount(document["ceiling"])
    usage: Usage = StorageUsage(size_gb=document.get("size_gb"), region="")
    worker, disk = floor, Amount()
    if kind == ENDPOINT:
        workers = document["workers"]
        usage = WorkerUsage(
            product_ids=(),
            region="",
            gpus=None,
            min_workers=workers["min"],
            max_workers=workers["max"],
            idle_seconds=(document["idle_tail"] or {}).get("seconds"),
            rootfs_gb=None,
        )
        doubts = (ceiling.is_approximate, ceiling.is_at_least)
        worker = Amount(Fraction(document["worker_per_hour"] or 0), *doubts)
        disk = Amount(Fraction(document["disk_per_worker_day"] or 0) / 24, is_approximate=True)
    rate = Rate(
        amount=worker,
        source=document["price_source"] or "",
        why_unknown=document["why_unknown"] or "",
        disk=disk,
    )
    return SideCost(usage=usage, rate=rate, floor=floor, ceiling=ceiling)


def _total(document: Mapping[str, Any]) -> Total:
    return Total(floor=_amount(document["floor"]), ceiling=_amount(document["ceiling"]))


def _amount(document: Mapping[str, Any]) -> Amount:
    return Amount(
        Fraction(document["per_hour"] or 0),
        is_approximate=bool(document["approximate"]),
        is_at_least=bool(document["at_least"]),
    )
