"""What a network storage costs: its size, and the price of its listing."""

from __future__ import annotations

from decimal import Decimal

import pytest

from reconciler.kinds.network_storage.kind import STORAGE
from reconciler.kinds.registry import ENDPOINT
from reconciler.model.market.cost import StorageUsage
from tests.builders import live


def test_usage() -> None:
    assert STORAGE.usage({"storageSize": 20, "clusterId": "eu"}) == StorageUsage(size_gb=20, region="eu")
    assert STORAGE.usage({}) == StorageUsage(size_gb=None, region="")


@pytest.mark.parametrize(
    ("price", "expected"),
    [("200", "0.002"), (200, "0.002"), ("0", None), (-1, None), ("x", None), (None, None), (10**13, None)],
)
def test_price(price: object, expected: str | None) -> None:
    storage = STORAGE.parse_one({"storageId": "a", "storageName": "n", "price": price})
    assert STORAGE.price_per_gb_day(storage) == (None if expected is None else Decimal(expected))


def test_an_endpoint_has_no_price_per_gb() -> None:
    assert ENDPOINT.price_per_gb_day(live()) is None
    assert STORAGE.billed_workers(live()) == ()
