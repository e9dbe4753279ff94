"""The checks of a plan against what Novita has told."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from reconciler.kinds.registry import ENDPOINT
from reconciler.model.market.balance import Balance
from reconciler.model.market.cost import Amount, PlanCost, Total
from reconciler.model.market.products import Product, Products
from reconciler.model.plan import Change, Plan
from reconciler.model.resource import STORAGE, Inventory, Live
from reconciler.model.review.preflight import Preflight, PreflightCheck, Result
from reconciler.model.settings import NO_BUDGET
from reconciler.planning.cost.plan_cost import plan_cost
from reconciler.planning.cost.prices import Prices
from reconciler.planning.review.preflight import Facts, preflight, preflight_problems, stock_text
from tests.builders import LARGER, PINNED, change, endpoint, live, tracked

OFFERED = Product(
    id="SL-serverless-3",
    name="RTX 5090",
    regions=("us-dallas-nas-2",),
    available=8,
    inventory_state="normal",
    is_deployable=True,
)
CREATE = change(endpoint(), None, None)
UPDATE = change(endpoint(port=1), tracked(), live())


def found(*changes: Change, **known: Any) -> dict[str, PreflightCheck]:
    """Return the last check of each name."""
    return {check.name: check for check in preflight(changes or (CREATE,), Facts(**known))}


def offered(*products: Product, is_complete: bool = True) -> Products:
    return Products(items=products, is_complete=is_complete)


def test_nothing_is_checked_that_is_not_known() -> None:
    checks = found()
    assert {name: check.result for name, check in checks.items()} == {
        "limits": Result.NOT_CHECKED,
        "product": Result.NOT_CHECKED,
        "stock": Result.NOT_CHECKED,
        "cuda": Result.OK,
        "storage": Result.OK,
        "balance": Result.NOT_CHECKED,
    }


def test_only_endpoints_that_are_written_are_checked() -> None:
    """Not a delete, not a no-op, not an adoption that writes nothing."""
    others = [
        change(None, tracked(), live()),
        change(endpoint(), tracked(), live()),
        change(endpoint(), None, live()),
    ]
    assert preflight(others, Facts()) == ()
    assert preflight([change(endpoint(port=1), None, live())], Facts()) != ()


@pytest.mark.parametrize(
    ("known", "result"),
    [
        ({"products": offered(OFFERED)}, Result.OK),
        ({"products": offered(replace(OFFERED, name=""))}, Result.OK),
        ({"products": offered()}, Result.FAIL),
        ({"products": offered(is_complete=False)}, Result.NOT_CHECKED),
        ({"products": offered(replace(OFFERED, regions=()))}, Result.NOT_CHECKED),
        ({"products": offered(replace(OFFERED, regions=("eu-de-1",)))}, Result.FAIL),
        ({"products": offered(), "live": [live("other")]}, Result.WARN),
    ],
)
def test_the_product(known: dict[str, Any], result: Result) -> None:
    """One that an endpoint of the account uses exists, even if it is not listed."""
    assert found(**known)["product"].result is result


def test_a_product_that_is_not_new_is_no_failure() -> None:
    """The endpoint exists, so it had a product when it was created."""
    for products in (offered(), offered(replace(OFFERED, regions=("eu-de-1",)))):
        assert found(UPDATE, products=products)["product"].result is Result.WARN


@pytest.mark.parametrize(
    ("changed", "result", "says"),
    [
        ({}, Result.OK, "8 GPUs available (normal), 1 needed now"),
        ({"available": 0}, Result.WARN, "no GPU is available now"),
        ({"inventory_state": "none"}, Result.WARN, "no GPU is available now"),
        ({"is_deployable": False}, Result.WARN, "no GPU is available now"),
        ({"available": None}, Result.OK, "(normal), 1 needed now"),
        ({"available": None, "inventory_state": ""}, Result.NOT_CHECKED, "does not tell its stock"),
    ],
)
def test_the_stock(changed: dict[str, Any], result: Result, says: str) -> None:
    check = found(products=offered(replace(OFFERED, **changed)))["stock"]
    assert (check.result, says in check.detail) == (result, True)


def test_the_demand_is_that_of_workers_to_start() -> None:
    """Of all endpoints of a product and a region; a replacement starts all of its workers."""
    three = change(endpoint("three", replicas=3), None, None)
    more = change(endpoint(replicas=7), tracked(), live())
    check = found(three, more, products=offered(OFFERED))["stock"]
    assert (check.result, check.detail) == (
        Result.WARN,
        "SL-serverless-3 in us-dallas-nas-2: 8 GPUs available (normal), 9 needed now",
    )
    assert check.addresses == ("novita_endpoint.three", "novita_endpoint.base-test")
    made = Plan(changes=(three, more))
    cost = plan_cost(made, Inventory(), [live()], Prices(), NO_BUDGET)
    assert found(three, more, products=offered(OFFERED), cost=cost)["stock"] == check
    larger = change(endpoint(spec=LARGER), tracked(), live())
    only = found(larger, products=offered(replace(OFFERED, id="SL-serverless-9")))["stock"]
    assert only.detail.endswith("2 needed now")
    asleep = change(endpoint(minReplicas=0, maxReplicas=1), None, None)
    assert "needed" not in found(asleep, products=offered(OFFERED))["stock"].detail


def test_stock_in_words() -> None:
    assert stock_text(Product(id="p")) == "unknown"
    assert stock_text(Product(id="p", available=1)) == "1 GPU available"


@pytest.mark.parametrize(
    ("limits", "result"),
    [
        ({"cudaVersionList": ["12.1", "12.4"]}, Result.OK),
        ({"cudaVersionList": ["12.1"]}, Result.FAIL),
        ({"cudaVersionList": []}, Result.NOT_CHECKED),
        ({}, Result.NOT_CHECKED),
        (None, Result.NOT_CHECKED),
    ],
)
def test_the_cuda_version(limits: dict[str, Any] | None, result: Result) -> None:
    assert found(change(endpoint(spec=PINNED), None, None), limits=limits)["cuda"].result is result


def test_the_limits() -> None:
    """Each value has a warning of its own beside it."""
    assert found(limits={"maxWorkerNum": 5})["limits"].result is Result.OK
    limits = {"maxWorkerNum": 0, "maxFreeTimeout": 1}
    check = found(limits=limits, beyond_limits=tuple(ENDPOINT.check_limits([CREATE], limits)))["limits"]
    assert (check.result, check.detail) == (Result.WARN, "2 values beyond the account's limits")


def mounting(**mount: Any) -> Change:
    storage = [{"type": "network", "mountPath": "/data", **mount}]
    return change(endpoint(storage=storage, imageAuthId="a-1"), None, None)


def test_the_region_of_a_storage() -> None:
    """One that is not listed, or that the plan creates, is not known."""

    def storage(region: str) -> list[Live]:
        return [Live(id="s-1", name="weights", fields={"clusterId": region}, kind=STORAGE)]

    mounted = mounting(id="s-1")
    assert found(mounted)["storage"].result is Result.NOT_CHECKED
    assert found(mounted, live=storage("us-dallas-nas-2"))["storage"].result is Result.OK
    checks = preflight([mounted], Facts(live=storage("eu-de-1")))
    assert [check.result for check in checks if check.name == "storage"] == [Result.FAIL]


@pytest.mark.parametrize(
    ("available", "result"),
    [("0", Result.FAIL), ("-1", Result.FAIL), ("12.5", Result.OK)],
)
def test_the_balance(available: str, result: Result) -> None:
    assert found(balance=Balance(available=Decimal(available)))["balance"].result is result


@pytest.mark.parametrize(
    ("per_hour", "result", "says"),
    [(1, Result.OK, "$100.00 lasts 4 days"), (2, Result.WARN, "$100.00 lasts 50 hours")],
)
def test_how_long_the_balance_lasts(per_hour: int, result: Result, says: str) -> None:
    """At the floor after the plan. Less than three days is a warning."""
    cost = PlanCost(changes=(), before=Total(), after=Total(floor=Amount(per_hour=Fraction(per_hour))))
    check = found(balance=Balance(available=Decimal(100)), cost=cost)["balance"]
    assert (check.result, check.detail.startswith(says)) == (result, True)


def test_what_becomes_a_problem() -> None:
    """What failed, as a warning or on request as a refusal; and a warning about the market."""
    checks = tuple(
        PreflightCheck(name=name, result=result, detail=f"{name} {result}", addresses=addresses)
        for name, result, addresses in (
            ("limits", Result.WARN, ()),
            ("balance", Result.WARN, ()),
            ("stock", Result.WARN, ("a", "b")),
            ("product", Result.FAIL, ("a",)),
            ("image", Result.NOT_CHECKED, ()),
            ("cuda", Result.OK, ()),
        )
    )
    told = list(preflight_problems(Preflight(checks=checks)))
    assert [(one.code, one.severity.value, one.address) for one in told] == [
        ("preflight-stock", "warning", None),
        ("preflight-product", "warning", "a"),
    ]
    refused = list(preflight_problems(Preflight(checks=checks, is_requested=True)))
    assert [(one.severity.value, int(one.exit_code)) for one in refused] == [("warning", 1), ("error", 3)]
