"""Products and their prices."""

from decimal import Decimal

import pytest

from reconciler.model.market.products import Price, Product, Products


@pytest.mark.parametrize(
    ("price", "per_hour"),
    [
        (Price(amount=Decimal("0.35"), unit="per_hour"), Decimal("0.35")),
        (Price(amount=Decimal("0.0001"), unit="per_second"), Decimal("0.36")),
        (Price(amount=Decimal("0.35"), unit="per_day"), None),
        (Price(unit="per_hour"), None),
    ],
)
def test_price_per_hour(price: Price, per_hour: Decimal | None) -> None:
    assert price.per_hour == per_hour
    assert bool(price.why_unknown) == (per_hour is None)


def test_find() -> None:
    here, there = Product(id="a", regions=("eu",)), Product(id="a", regions=("us",))
    products = Products(items=(here, there))
    assert list(products) == [here, there]
    assert (products.find("a", "us"), products.find("a"), products.find("b")) == (there, here, None)
