"""Tables of `pvcs` and `specs --available` on narrow terminals: fewer columns, and no broken value."""

import pytest

from reconciler.model.market.products import Products
from reconciler.model.status import StorageInfo
from reconciler.novita.market_answers import parse_products
from reconciler.reports.terminal.table import Cell, Screen, fitted_table_text
from reconciler.reports.views.products import products_text
from reconciler.reports.views.storages import storages_text

PRODUCT = {
    "id": "SL-serverless-3",
    "region_ids": ["us-dallas-nas-2", "as-sgp-2", "cn-hongkong-1", "eu-de-1"],
    "resource_spec": {"gpu": {"name": "RTX 5090", "memory_gb": 32, "min": 1, "max": 8, "available": 64}},
    "pricing": {"precision": 5, "postpaid": {"final_price": 69000, "unit": "per_hour"}},
    "inventory_state": "high",
}


@pytest.mark.parametrize("width", [80, 100, 140])
def test_no_line_is_wider_than_the_screen(width: int) -> None:
    page = parse_products({"data": [PRODUCT]})
    assert page is not None
    screen = Screen(width=width, colour=False)
    storage = StorageInfo(name="weights", id="9c463dd2d8dbc9c0", size_gb=200, region="us-dallas-nas-2")
    text = products_text(Products(items=page[0]), screen) + storages_text([storage], screen)
    assert max(map(len, text.splitlines())) <= width
    assert "SL-serverless-3" in text


def test_the_first_optional_columns_go_first() -> None:
    """Nothing is left out without a terminal, or on a wide one."""
    titles, rows = ("NAME", "A", "B", "C"), [[Cell("x" * 20), *[Cell("y" * 20)] * 3]]
    for screen, left in (
        (None, "NAME A B C"),
        (Screen(width=100, colour=False), "NAME A B C"),
        (Screen(width=70, colour=False), "NAME A C"),
        (Screen(width=45, colour=False), "NAME C"),
    ):
        first, *_ = fitted_table_text(titles, rows, screen, ("B", "A")).splitlines()
        assert first.split() == left.split()
