"""The reading of the answers about products, regions and balance.

Novita documents the path and the parameters of the products. The form of the answer was read on a sister
brand of the same platform, so every value is optional, and nothing is believed that has another form.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from reconciler.kinds.answer_reader import number
from reconciler.model.market.balance import Balance
from reconciler.model.market.products import NO_PRICE, Price, Product
from reconciler.model.values import LARGEST_NUMBER, Json

BALANCE_PRECISION: Final = 4
"""Digits behind the point: the texts of a balance count units of 0.0001 USD."""

MAX_PRECISION: Final = 12
"""Digits behind the point. A price with more is not believed; with fewer, all sums are exact."""

MAX_AMOUNT: Final = 10**12
"""The largest number of a price or a balance that is believed, before its precision."""


def parse_products(answer: Json) -> tuple[tuple[Product, ...], str] | None:
    """Return the products of a page and the cursor of the next one, "" at the end; None if it is no page."""
    items = answer.get("data") if isinstance(answer, Mapping) else None
    if not isinstance(items, list):
        return None
    found = tuple(_product(item) for item in items if isinstance(item, Mapping) and _text(item.get("id")))
    # `has_more` is not needed: a page without a cursor is the last one.
    return found, _text(answer.get("next_cursor")) if answer.get("has_more") is not False else ""


def _product(item: Mapping[str, Any]) -> Product:
    spec, pricing = _object(item, "resource_spec"), _object(item, "pricing")
    gpu, rootfs = _object(spec, "gpu"), _object(spec, "rootfs")
    precision = _count(pricing.get("precision"))
    regions = item.get("region_ids")
    deployable = item.get("deployable")
    return Product(
        id=_text(item["id"]),
        name=_text(item.get("name")),
        regions=tuple(filter(None, map(_text, regions))) if isinstance(regions, list) else (),
        gpu_name=_text(gpu.get("name")),
        gpu_memory_gb=_count(gpu.get("memory_gb")),
        min_gpus=_count(gpu.get("min")),
        max_gpus=_count(gpu.get("max")),
        available=_count(gpu.get("available")),
        max_available=_count(gpu.get("max_available")),
        inventory_state=_text(item.get("inventory_state")).lower(),
        is_deployable=deployable if isinstance(deployable, bool) else None,
        min_rootfs_gb=_count(rootfs.get("min_gb")),
        max_rootfs_gb=_count(rootfs.get("max_gb")),
        free_rootfs_gb=_count(rootfs.get("free_gb")),
        price=_price(_object(pricing, "postpaid"), precision),
        storage_price=_amount(pricing.get("storage_price_per_gb"), precision),
    )


def _price(postpaid: Mapping[str, Any], precision: int | None) -> Price:
    """Return the price after discounts. A price of 0 is taken for none: no GPU is free."""
    amount = _amount(postpaid.get("final_price"), precision)
    return Price(amount=amount, unit=_text(postpaid.get("unit"))) if amount else NO_PRICE


def parse_balance(answer: Json) -> Balance | None:
    """Return the balance, also from inside {"data": {}}; None if it cannot be read."""
    if isinstance(answer, Mapping) and isinstance(answer.get("data"), Mapping):
        answer = answer["data"]
    if not isinstance(answer, Mapping):
        return None
    available, cash, credit, owed = (
        _amount(answer.get(key), BALANCE_PRECISION, is_signed=True)
        for key in ("availableBalance", "cashBalance", "creditLimit", "outstandingInvoices")
    )
    return None if available is None else Balance(available=available, cash=cash, credit=credit, owed=owed)


def _amount(value: object, precision: int | None, *, is_signed: bool = False) -> Decimal | None:
    """Return a number of units of 10^-precision USD in USD; None if it is not readable as one."""
    units = number(value)
    if units is None or precision is None or precision > MAX_PRECISION or abs(units) > MAX_AMOUNT:
        return None
    return None if units < 0 and not is_signed else Decimal(units).scaleb(-precision)


def _count(value: object) -> int | None:
    count = number(value)
    return count if count is not None and count >= 0 else None


def _object(holder: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = holder.get(key)
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str:
    """Return a text or a number as one line of text, "" for anything else."""
    if value.__class__ is int:
        return str(value) if abs(value) <= LARGEST_NUMBER else ""
    return value if isinstance(value, str) and value.isprintable() else ""
