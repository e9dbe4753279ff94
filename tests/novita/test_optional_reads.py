"""Products with price and stock, and the balance: believed only in the documented form."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from reconciler.model.market.balance import Balance
from reconciler.model.market.products import NO_PRICE, Price, Product, Products
from reconciler.novita.http.client import Client
from reconciler.novita.optional_reads import MAX_PRODUCT_PAGES, OptionalReads

from .support import ManualTime, Reply, Stub, client_of, refusal, reply, secret

FIRST_PAGE = "/gpus/v2/products?type=gpu&category=serverless&limit=100"

WIRE: Mapping[str, Any] = {
    "id": "SL-serverless-3",
    "name": "RTX 5090 32GB",
    "region_ids": ["us-dallas-nas-2", "as-sgp-2"],
    "resource_spec": {
        "gpu": {
            "spec_id": "g5090",
            "name": "RTX 5090",
            "memory_gb": 32,
            "min": 1,
            "max": 8,
            "available": 3,
            "max_available": 40,
        },
        "cpu": {"cores": 16},
        "memory_gb": 64,
        "rootfs": {"min_gb": 10, "max_gb": 300, "free_gb": 100},
    },
    "pricing": {
        "precision": 6,
        "postpaid": {"base_price": 400, "final_price": 175, "unit": "per_second"},
        "spot": None,
        "storage_price_per_gb": 5000,
    },
    "billing_methods": ["postpaid"],
    "inventory_state": "Low",
    "deployable": True,
}


def reads_of(*script: Reply | Exception) -> tuple[OptionalReads, Stub]:
    client, stub = client_of(*script)
    return OptionalReads(client), stub


def page(*items: object, **more: object) -> Reply:
    return reply(200, {"data": list(items), "next_cursor": "", "has_more": False, **more})


def product(item: object) -> Product:
    """Return what is read of one product."""
    products = reads_of(page(item))[0].products()
    assert products is not None
    (only,) = products
    return only


def test_a_product() -> None:
    reads, stub = reads_of(page(WIRE))
    assert reads.products() == Products(
        items=(
            Product(
                id="SL-serverless-3",
                name="RTX 5090 32GB",
                regions=("us-dallas-nas-2", "as-sgp-2"),
                gpu_name="RTX 5090",
                gpu_memory_gb=32,
                min_gpus=1,
                max_gpus=8,
                available=3,
                max_available=40,
                inventory_state="low",
                is_deployable=True,
                min_rootfs_gb=10,
                max_rootfs_gb=300,
                free_rootfs_gb=100,
                price=Price(amount=Decimal("0.000175"), unit="per_second"),
                storage_price=Decimal("0.005"),
            ),
        )
    )
    assert [(method, target) for method, target, _ in stub.seen] == [("GET", FIRST_PAGE)]


@pytest.mark.parametrize(
    ("final", "precision", "unit", "per_hour"),
    [
        (350000, 6, "per_hour", "0.35"),
        ("175", "6", "per_second", "0.63"),
        (1, 12, "per_second", "0.0000000036"),
        (10**12, 0, "per_second", "3600000000000000"),
        (10**12 - 1, 12, "per_second", "3599.9999999964"),
    ],
)
def test_a_price_is_exact(final: object, precision: object, unit: str, per_hour: str) -> None:
    pricing = {"precision": precision, "postpaid": {"final_price": final, "unit": unit}}
    price = product({"id": "x", "pricing": pricing}).price
    assert price.per_hour == Decimal(per_hour)
    assert price.why_unknown == ""


@pytest.mark.parametrize("final", [None, 0, -1, 0.5, "0.5", "", "1e3", True, 10**12 + 1, "9" * 30, [1]])
def test_a_price_that_is_no_price(final: object) -> None:
    pricing = {"precision": 6, "postpaid": {"final_price": final, "unit": "per_hour"}}
    price = product({"id": "x", "pricing": pricing}).price
    assert price == NO_PRICE
    assert price.per_hour is None
    assert price.why_unknown == "Novita tells no price that can be read"


@pytest.mark.parametrize("precision", [None, -1, 13, 2.5, "six", True])
def test_a_price_without_a_precision(precision: object) -> None:
    """A guessed precision would be wrong by a power of ten."""
    pricing = {"precision": precision, "postpaid": {"final_price": 175, "unit": "per_hour"}}
    assert product({"id": "x", "pricing": pricing}).price == NO_PRICE


@pytest.mark.parametrize("unit", ["per_minute", "PER_HOUR", "hour", 3600, "x" * 31])
def test_a_price_of_an_unknown_unit_is_unknown(unit: object) -> None:
    pricing = {"precision": 6, "postpaid": {"final_price": 175, "unit": unit}}
    price = product({"id": "x", "pricing": pricing}).price
    assert price.per_hour is None
    assert price.why_unknown.endswith("`, a unit that is not known")
    assert len(price.why_unknown) < 90


@pytest.mark.parametrize("unit", ["", None, {"per": "hour"}, "per_\x1b[31m"])
def test_a_price_without_a_readable_unit_is_unknown(unit: object) -> None:
    pricing = {"precision": 6, "postpaid": {"final_price": 175, "unit": unit}}
    price = product({"id": "x", "pricing": pricing}).price
    assert (price.per_hour, price.why_unknown) == (None, "Novita tells its price without a unit")


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"resource_spec": [], "pricing": "free", "region_ids": "all", "deployable": "yes"},
        {"resource_spec": {"gpu": None, "rootfs": 7}, "pricing": {"postpaid": []}, "name": ["x"]},
        {
            "resource_spec": {"gpu": {"available": -1, "min": "many", "name": "a\nb"}},
            "region_ids": [None, 1.5],
        },
        {"name": 10**30, "inventory_state": "\ud800"},
    ],
)
def test_parts_in_another_form_are_unknown(odd: Mapping[str, object]) -> None:
    assert product({"id": "x", **odd}) == Product(id="x")


def test_items_without_an_id_are_none() -> None:
    products = reads_of(page(None, "x", {}, {"id": ""}, {"id": 7}))[0].products()
    assert products is not None
    assert [found.id for found in products] == ["7"]


def test_all_pages_are_read_by_their_cursors() -> None:
    first = page({"id": "a"}, next_cursor="c/1", has_more=True)
    reads, stub = reads_of(first, page({"id": "b"}))
    assert reads.products() == Products(items=(Product(id="a"), Product(id="b")))
    assert [target for _, target, _ in stub.seen] == [FIRST_PAGE, f"{FIRST_PAGE}&cursor=c%2F1"]


def test_a_cursor_without_has_more_is_followed() -> None:
    first = reply(200, {"data": [{"id": "a"}], "next_cursor": "c1"})
    reads, _ = reads_of(first, reply(200, {"data": [{"id": "b"}], "next_cursor": None}))
    assert reads.products() == Products(items=(Product(id="a"), Product(id="b")))


@pytest.mark.parametrize("failure", [reply(500, ""), refusal(403, "ACCESS_DENY"), reply(200, {"data": 7})])
def test_a_later_page_that_fails_leaves_an_incomplete_listing(failure: Reply) -> None:
    reads, _ = reads_of(page({"id": "a"}, next_cursor="c1", has_more=True), failure)
    assert reads.products() == Products(items=(Product(id="a"),), is_complete=False)


def test_a_listing_that_goes_round_ends() -> None:
    reads, stub = reads_of(page({"id": "a"}, next_cursor="c1", has_more=True))
    products = reads.products()
    assert products is not None
    assert products == Products(items=(Product(id="a"),), is_complete=False)
    assert len(stub.seen) == 2


def test_a_listing_without_end_ends() -> None:
    pages = (page({"id": "a"}, next_cursor=f"c{number}", has_more=True) for number in range(99))
    reads, stub = reads_of(*pages)
    products = reads.products()
    assert products is not None
    assert not products.is_complete
    assert len(stub.seen) == MAX_PRODUCT_PAGES


@pytest.mark.parametrize(
    "answer",
    [
        reply(404, ""),
        reply(500, ""),
        refusal(429, "X"),
        refusal(403, "API_NOT_ALLOWED"),
        TimeoutError(),
        reply(200, []),
        reply(200, {"data": None}),
        reply(200, "<html>"),
    ],
)
def test_products_and_balance_that_cannot_be_read(answer: Reply | Exception) -> None:
    """No run depends on them: None, after one call, even if the key lacks a permission."""
    reads, stub = reads_of(answer)
    assert reads.products() is None
    assert reads.balance() is None
    assert len(stub.seen) == 2


def test_find_prefers_the_region() -> None:
    here, there = Product(id="a", regions=("eu",)), Product(id="a", regions=("us",))
    products = Products(items=(here, there))
    assert products.find("a", "us") is there
    assert products.find("a", "asia") is here
    assert products.find("b") is None


@pytest.mark.parametrize("wrap", [lambda body: body, lambda body: {"data": body}])
def test_the_balance(wrap: Any) -> None:
    body = {"availableBalance": "123456", "cashBalance": "-1", "creditLimit": 0, "outstandingInvoices": "x"}
    reads, stub = reads_of(reply(200, wrap(body)))
    assert reads.balance() == Balance(
        available=Decimal("12.3456"), cash=Decimal("-0.0001"), credit=Decimal(0), owed=None
    )
    assert stub.seen[0][1] == "/openapi/v1/billing/balance/detail"


@pytest.mark.parametrize("body", [{}, {"availableBalance": "1.5"}, {"availableBalance": None}, 7])
def test_a_balance_that_cannot_be_read(body: object) -> None:
    assert reads_of(reply(200, body))[0].balance() is None


def test_what_began_early_is_read_once() -> None:
    reads, stub = reads_of(page({"id": "a"}))
    reads.begin_products()
    reads.begin_products()
    assert reads.products() == Products(items=(Product(id="a"),))
    assert len(stub.seen) == 1


def test_nobody_waits_for_long() -> None:
    """A plan that is ready does not wait for prices."""
    goes_on = threading.Event()

    def app(*_: object) -> Reply:
        assert goes_on.wait(120)
        return page({"id": "a"})

    reads = OptionalReads(Client("https://api.test", secret(), app=app, timing=ManualTime().timing()))
    reads.begin_balance()
    assert reads.products(0.01) is None
    # The others began at the same time, so that the run has waited for them as long.
    begun = time.monotonic()
    assert reads.products(60) is None
    assert reads.balance(60) is None
    assert time.monotonic() - begun < 30
    goes_on.set()
