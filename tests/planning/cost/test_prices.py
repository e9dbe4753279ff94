"""The price of a worker and of a storage, by the first source that answers."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from reconciler.kinds.registry import ENDPOINT
from reconciler.model.market.cost import NOTHING, UNKNOWN, Amount, ChangeCost, StorageUsage, WorkerUsage
from reconciler.model.market.products import Price, Product, Products
from reconciler.model.plan import Action
from reconciler.planning.cost.prices import Prices
from tests.builders import live

LIMITS = {"freeRootfsSize": 100, "freeLocalVolumeSize": 200}


def usage(**other: Any) -> WorkerUsage:
    values: dict[str, Any] = {
        "product_ids": ("p",),
        "region": "eu",
        "gpus": 1,
        "min_workers": 1,
        "max_workers": 3,
        "idle_seconds": 60,
        "rootfs_gb": 100,
    }
    return WorkerUsage(**{**values, **other})


def product(**other: Any) -> Product:
    values: dict[str, Any] = {"id": "p", "price": Price(amount=Decimal("0.5"), unit="per_hour")}
    return Product(**{**values, **other})


def prices(*products: Product, **other: Any) -> Prices:
    values: dict[str, Any] = {"products": Products(items=products), "limits": LIMITS}
    return Prices(**{**values, **other})


def test_a_declared_price_comes_first_and_is_exact_for_several_gpus() -> None:
    found = prices(product(), declared={("p", "eu", 4): Decimal("3.2")}).side(usage(gpus=4))
    assert (found.rate.source, found.rate.amount) == ("specs.yaml", Amount(Fraction("3.2")))
    assert (found.floor, found.ceiling) == (Amount(Fraction("3.2")), Amount(Fraction("9.6")))


@pytest.mark.parametrize("other", [{"region": "us"}, {"gpus": 2}, {"product_ids": ("q",)}])
def test_a_declared_price_is_that_of_one_shape(other: dict[str, Any]) -> None:
    declared = {("p", "eu", 1): Decimal("3.2")}
    assert prices(product(), declared=declared).side(usage(**other)).rate.source != "specs.yaml"


def test_a_price_of_several_gpus_is_approximate() -> None:
    assert prices(product()).side(usage(gpus=1)).rate.amount == Amount(Fraction("0.5"))
    assert prices(product()).side(usage(gpus=2)).rate.amount == Amount(Fraction(1), is_approximate=True)


@pytest.mark.parametrize(
    ("known", "asked", "why"),
    [
        (prices(products=None), usage(), "Novita did not tell its prices"),
        (prices(products=Products(items=(), is_complete=False)), usage(), "Novita did not tell its prices"),
        (prices(), usage(), "Novita does not list its product"),
        (prices(product(price=Price())), usage(), "Novita tells no price that can be read"),
        (
            prices(product(price=Price(amount=Decimal(1), unit="per_day"))),
            usage(),
            "Novita's price is per `per_day`, a unit that is not known",
        ),
        (prices(product()), usage(gpus=None), "its product or its number of GPUs is not known"),
        (prices(product()), usage(product_ids=()), "its product or its number of GPUs is not known"),
        (prices(product()), usage(product_ids=("p", "q")), "its product or its number of GPUs is not known"),
    ],
)
def test_an_unknown_price_has_a_reason(known: Prices, asked: WorkerUsage, why: str) -> None:
    found = known.side(asked)
    assert (found.rate.why_unknown, found.rate.source) == (why, "")
    assert found.floor.is_at_least
    assert found.ceiling.is_at_least


def test_no_worker_costs_nothing_even_at_an_unknown_price() -> None:
    found = prices().side(usage(min_workers=0))
    assert (found.floor, found.ceiling) == (NOTHING, UNKNOWN)


def test_an_unknown_number_of_workers() -> None:
    found = prices(product()).side(usage(min_workers=None, max_workers=None))
    assert (found.floor, found.ceiling) == (UNKNOWN, UNKNOWN)
    assert found.idle_tail is None


@pytest.mark.parametrize(
    ("item", "limits", "asked", "per_day"),
    [
        (product(free_rootfs_gb=60), LIMITS, usage(rootfs_gb=60), "0"),
        (product(free_rootfs_gb=60), LIMITS, usage(rootfs_gb=61), "0.005"),
        (product(free_rootfs_gb=60), {}, usage(rootfs_gb=100), "0.2"),
        (product(), LIMITS, usage(rootfs_gb=110), "0.05"),
        (product(), {key: str(value) for key, value in LIMITS.items()}, usage(rootfs_gb=110), "0.05"),
        (product(), LIMITS, usage(rootfs_gb=0, volume_gb=201), "0.005"),
        (product(), LIMITS, usage(rootfs_gb=110, volume_gb=210), "0.1"),
        (product(storage_price=Decimal("0.01")), LIMITS, usage(rootfs_gb=110), "0.1"),
    ],
)
def test_disk_over_the_free_size(
    item: Product, limits: dict[str, int], asked: WorkerUsage, per_day: str
) -> None:
    """Up to the free size it costs nothing, and the free size of the product comes first."""
    found = prices(item, limits=limits).side(asked)
    assert found.rate.disk.per_day == Fraction(per_day)
    assert found.rate.disk.is_approximate == (per_day != "0")
    assert found.rate.amount.per_hour == Fraction("0.5") + Fraction(per_day) / 24


@pytest.mark.parametrize(
    ("limits", "asked", "what"),
    [
        (None, usage(), "disk"),
        ({"freeRootfsSize": "many"}, usage(), "disk"),
        ({"freeRootfsSize": True}, usage(), "disk"),
        ({"freeRootfsSize": -1}, usage(), "disk"),
        (LIMITS, usage(rootfs_gb=None), "disk"),
        ({"freeRootfsSize": 100}, usage(volume_gb=30), "local storage"),
        (LIMITS, usage(volume_gb=None), "local storage"),
    ],
)
def test_an_unknown_free_size_makes_a_lower_bound(limits: Any, asked: WorkerUsage, what: str) -> None:
    found = prices(product(), limits=limits).side(asked)
    assert found.rate.amount == Amount(Fraction("0.5"), is_at_least=True)
    assert found.rate.why_unknown == f"the free size of its {what} is not known"


def test_a_storage_has_the_price_of_its_region() -> None:
    known = prices(storage={"eu": Decimal("0.002")})
    found = known.side(StorageUsage(size_gb=120, region="eu"))
    assert found.floor == found.ceiling == Amount(Fraction("0.01"))
    assert found.floor.per_day == Fraction("0.24")
    assert found.idle_tail is None
    for unknown in (StorageUsage(size_gb=120, region="us"), StorageUsage(size_gb=None, region="eu")):
        assert known.side(unknown).floor == UNKNOWN
        assert known.side(unknown).rate.why_unknown


def test_the_idle_tail() -> None:
    known = prices(product())
    tail = known.side(usage(idle_seconds=90)).idle_tail
    assert tail is not None
    assert tail.per_hour == Fraction("0.0125")
    assert known.side(usage(idle_seconds=None)).idle_tail is None
    assert known.side(usage(min_workers=3)).idle_tail is None


def test_a_peak_with_one_price_that_is_not_known() -> None:
    """It is a lower bound, even if the other price is known."""
    known, unknown = prices(product()).side(usage()), prices().side(usage())
    for before, after in ((known, unknown), (unknown, known)):
        cost = ChangeCost(
            name="chat",
            address="novita_endpoint.chat",
            action=Action.UPDATE,
            before=before,
            after=after,
            peak_workers=4,
        )
        assert cost.peak == Amount(Fraction(2), is_at_least=True)


@pytest.mark.parametrize("key", ["minNum", "maxNum", "gpuNum"])
def test_counts_below_zero_are_unknown(key: str) -> None:
    """An answer of another form never makes an amount negative."""
    parsed = live("web")
    workers = {**parsed.fields["workerConfig"], key: -2}
    used = ENDPOINT.usage({**parsed.fields, "workerConfig": workers})
    side = prices(product(id="SL-serverless-3")).side(used) if used else None
    assert side is not None
    assert UNKNOWN in (side.floor, side.ceiling)
    assert min(side.floor.per_hour, side.ceiling.per_hour) >= 0
