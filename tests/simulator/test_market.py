"""The products and regions of the second API, over a socket."""

from typing import Any

import httpx
import pytest

from reconciler.simulator import Fault, Profile, Server

HEADERS = {"Authorization": "Bearer test"}
QUERY = {"type": "gpu", "category": "serverless"}


def ask(sim: Server, path: str = "/products", **query: Any) -> httpx.Response:
    return httpx.get(f"{sim.url}/gpus/v2{path}", headers=HEADERS, params=query)


def products(**switches: Any) -> dict[str, dict[str, Any]]:
    with Server(profile=Profile(**switches)) as sim:
        return {one["id"]: one for one in ask(sim, **QUERY).json()["data"]}


def test_a_product_tells_price_stock_and_free_disk() -> None:
    """With the documented keys; the price is for one GPU, in units of the precision."""
    product = products(product_stock={"SL-serverless-3": 5})["SL-serverless-3"]
    assert product == {
        "id": "SL-serverless-3",
        "name": "RTX 5090",
        "region_ids": ["us-dallas-nas-2", "as-sgp-2", "cn-hongkong-1", "eu-de-1"],
        "resource_spec": {
            "gpu": {
                "spec_id": "rtx-5090",
                "name": "RTX 5090",
                "memory_gb": 32,
                "min": 1,
                "max": 8,
                "available": 5,
                "max_available": 5,
            },
            "cpu": 16,
            "memory_gb": 64,
            "rootfs": {"min_gb": 10, "max_gb": 100, "free_gb": 100},
        },
        "pricing": {
            "precision": 5,
            "postpaid": {"base_price": 69000, "final_price": 69000, "unit": "per_hour"},
            "spot": None,
            "storage_price_per_gb": 500,
        },
        "billing_methods": ["postpaid"],
        "inventory_state": "low",
        "deployable": True,
    }


@pytest.mark.parametrize(
    ("switches", "state", "deployable"),
    [
        ({}, "high", True),
        ({"product_stock": {"SL-serverless-3": 8}}, "normal", True),
        ({"product_stock": {"SL-serverless-3": 0}}, "none", False),
        ({"no_stock": True}, "none", False),
        ({"undeployable": ("SL-serverless-3",)}, "high", False),
    ],
)
def test_stock(switches: dict[str, Any], state: str, deployable: bool) -> None:
    """The stock decides about the state and about whether the product can be deployed."""
    product = products(**switches)["SL-serverless-3"]
    assert (product["inventory_state"], product["deployable"]) == (state, deployable)


def test_prices_and_units_are_switches() -> None:
    """Another price, unit and precision; a product may have no price, or not be listed."""
    found = products(
        product_prices={"SL-serverless-3": 12},
        price_unit="per_second",
        price_precision=6,
        storage_price=7,
        hidden_products=("SL-serverless-4",),
    )
    pricing = found["SL-serverless-3"]["pricing"]
    assert pricing["postpaid"] == {"base_price": 12, "final_price": 12, "unit": "per_second"}
    assert (pricing["precision"], pricing["storage_price_per_gb"]) == (6, 7)
    assert found["SL-serverless-1"]["pricing"]["postpaid"] is None
    assert "SL-serverless-4" not in found


@pytest.mark.parametrize(
    "query",
    [
        {"type": "gpu"},
        {"category": "serverless"},
        {**QUERY, "type": "tpu"},
        {**QUERY, "category": "other"},
        {**QUERY, "limit": "0"},
        {**QUERY, "limit": "many"},
        {**QUERY, "cursor": "nonsense"},
        {**QUERY, "cursor": "b2Zmc2V0Og=="},
    ],
)
def test_an_invalid_query_is_refused(query: dict[str, str]) -> None:
    """Type and category are required; an error has a message and nothing else."""
    with Server() as sim:
        answer = ask(sim, **query)
        assert (answer.status_code, answer.json().keys()) == (400, {"message"})
        sim.world.switch(v2_errors="reason")
        assert ask(sim, **query).json()["reason"] == "VALIDATOR_PARAM"


def test_pages_by_cursor() -> None:
    """Each page names the next one; the pages together have every product once."""
    with Server(profile=Profile(market_page_size=3)) as sim:
        seen, cursor, sizes = [], "", []
        while True:
            page = ask(sim, **QUERY, **({"cursor": cursor} if cursor else {})).json()
            seen += [one["id"] for one in page["data"]]
            sizes.append(len(page["data"]))
            cursor = page["next_cursor"]
            if not page["has_more"]:
                break
        assert (sizes, cursor) == ([3, 1], "")
        assert len(set(seen)) == 4
        assert len(ask(sim, **QUERY, limit=1).json()["data"]) == 1


def test_products_of_a_region_and_of_other_kinds() -> None:
    """region_ids filters; only serverless GPU products are listed."""
    with Server() as sim:
        found = ask(sim, **QUERY, region_ids="eu-de-1").json()["data"]
        assert [one["id"] for one in found] == ["SL-serverless-1", "SL-serverless-2", "SL-serverless-3"]
        assert ask(sim, type="cpu", category="serverless").json()["data"] == []
        assert ask(sim, type="gpu", category="instance").json()["data"] == []


def test_regions() -> None:
    """They are the clusters of the first API, and tell where network storage is."""
    with Server() as sim:
        regions = {one["id"]: one for one in ask(sim, "/regions").json()["data"]}
        clusters = httpx.get(sim.url + "/gpu-instance/openapi/v1/clusters", headers=HEADERS).json()["data"]
    assert regions.keys() == {one["id"] for one in clusters}
    assert regions["us-dallas-nas-2"]["feature"] == {"network_volume": True, "instance_vpc_network": False}
    assert regions["eu-de-1"]["feature"]["network_volume"] is False
    assert regions["eu-de-1"]["gpus"]


def test_an_account_without_the_second_api() -> None:
    """404 for both, 403 without a key, 405 for another method."""
    with Server(profile=Profile(market_offered=False)) as sim:
        assert [ask(sim, path, **QUERY).status_code for path in ("/products", "/regions")] == [404, 404]
        assert httpx.get(sim.url + "/gpus/v2/products", params=QUERY).status_code == 403
        assert httpx.post(sim.url + "/gpus/v2/products", headers=HEADERS).status_code == 405


def test_faults_meet_the_second_api() -> None:
    """By the names of its operations, which the log has too."""
    with Server() as sim:
        sim.faults.add(Fault(operation="market_products", status=503))
        assert [ask(sim, **QUERY).status_code for _ in range(2)] == [503, 200]
        assert [one.operation for one in sim.requests] == ["market_products"] * 2
