"""What a network storage costs: its size, at the price that Novita tells in its listing."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from reconciler.kinds.answer_reader import number
from reconciler.kinds.network_storage.fields import REGION, SIZE
from reconciler.model.market.cost import StorageUsage
from reconciler.model.resource import Live
from reconciler.model.secrets import reveal
from reconciler.model.values import Fields, value_at

PRICE_PRECISION: Final = 5
"""Digits behind the point: a listed price counts units of 0.00001 USD per GB and day."""

MAX_PRICE: Final = 10**12


def usage(fields: Fields) -> StorageUsage:
    """Return what a storage in normal form uses."""
    size, region = value_at(fields, SIZE), reveal(value_at(fields, REGION))
    return StorageUsage(
        size_gb=size if size.__class__ is int else None, region=region if isinstance(region, str) else ""
    )


def price_per_gb_day(live: Live) -> Decimal | None:
    """Return the price in USD that the listing tells; None if it cannot be read."""
    price = number(live.raw.get("price"))
    return Decimal(price).scaleb(-PRICE_PRECISION) if price is not None and 0 < price <= MAX_PRICE else None
