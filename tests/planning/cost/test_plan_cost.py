"""The cost of a plan, its budget, and what runs now."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.kinds.network_storage.kind import STORAGE
from reconciler.kinds.registry import ENDPOINT
from reconciler.model.market.balance import Balance
from reconciler.model.market.cost import NOTHING, UNKNOWN, Amount, ChangeCost, PlanCost, Total
from reconciler.model.market.products import Price, Product, Products
from reconciler.model.market.text import daily, digits, exact, hourly, monthly, once, usd
from reconciler.model.plan import Action, Create, Delete, Forget, Plan
from reconciler.model.problem import Problem
from reconciler.model.resource import Inventory
from reconciler.model.settings import NO_BUDGET, Budget
from reconciler.model.status import Managed
from reconciler.planning.cost.budget import budget_problems
from reconciler.planning.cost.current import CostNow, running_cost, runway
from reconciler.planning.cost.plan_cost import plan_cost, usages
from reconciler.planning.cost.prices import Prices
from tests.builders import LARGER, answer, change, endpoint, live, plan, tracked

PRICE = Product(id="SL-serverless-3", price=Price(amount=Decimal("0.5"), unit="per_hour"))
PRICES = Prices(products=Products(items=(PRICE,)), limits={"freeRootfsSize": 100})


def cost_of(wanted: list[Any], had: list[Any], records: list[Any], budget: Budget = NO_BUDGET) -> PlanCost:
    made = plan(wanted, records, had)
    inventory = Inventory(records={record.name: record for record in records})
    return plan_cost(made, inventory, had, PRICES, budget)


def workers(low: int, high: int, **other: Any) -> dict[str, Any]:
    return {"minReplicas": low, "maxReplicas": high, **other}


def test_a_plan_is_summed_up() -> None:
    cost = cost_of(
        [
            endpoint("new", **workers(1, 1)),
            endpoint("more", **workers(2, 4)),
            endpoint("same", **workers(1, 2)),
        ],
        [live("more", **workers(1, 3)), live("same", **workers(1, 2)), live("old", **workers(0, 5))],
        [
            tracked("more", **workers(1, 3)),
            tracked("same", **workers(1, 2)),
            tracked("old", **workers(0, 5)),
        ],
    )
    assert {(one.name, one.action) for one in cost.changes} == {
        ("new", Action.CREATE),
        ("more", Action.SCALE),
        ("old", Action.DELETE),
    }
    assert (cost.before.floor.per_hour, cost.before.ceiling.per_hour) == (Fraction(1), Fraction(5))
    assert (cost.after.floor.per_hour, cost.after.ceiling.per_hour) == (Fraction(2), Fraction(7, 2))
    assert cost.unchanged == 1


def test_what_the_plan_leaves_out_counts_as_unchanged() -> None:
    """Such as what is not selected. An unmanaged endpoint does not count."""
    record = tracked("apart", **workers(1, 1))
    cost = plan_cost(
        Plan(changes=()),
        Inventory(records={"apart": record}),
        [live("apart", **workers(1, 1)), live("x")],
        PRICES,
        NO_BUDGET,
    )
    assert (cost.unchanged, cost.before, cost.after) == (1, cost.after, cost.before)
    assert cost.after.floor.per_hour == Fraction(1, 2)


def test_an_update_that_says_a_part_keeps_the_rest() -> None:
    """An imperative change has a target without the other fields."""
    made = change(endpoint("web", **workers(1, 4)), tracked("web"), live("web", **workers(1, 2)))
    partial = replace(made, target={"workerConfig": {"maxNum": 9}})  # type: ignore[arg-type]
    before, after = usages(partial)
    assert before is not None
    assert after == replace(before, max_workers=9)  # type: ignore[arg-type]
    renamed = replace(made, target={"name": "other"})  # type: ignore[arg-type]
    assert usages(renamed)[1] == before


def test_a_record_that_is_dropped_costs_what_it_cost() -> None:
    forget = Forget(name="web", reason="", tracked=tracked("web"))
    assert usages(forget) == (None, None)
    assert plan_cost(Plan(changes=(forget,)), Inventory(), [], PRICES, NO_BUDGET).changes == ()


def test_an_adoption_changes_nothing_unless_it_overwrites() -> None:
    made = change(endpoint("web", **workers(1, 4)), None, live("web", **workers(1, 2)))
    before, after = usages(made)
    assert before != after
    assert usages(replace(made, fields=())) == (before, before)


def one(before: Amount, after: Amount, **sides: Any) -> PlanCost:
    return PlanCost(
        changes=(),
        before=Total(floor=before, ceiling=before),
        after=Total(floor=after, ceiling=after),
        budget=Budget(floor_per_month="365"),
        **sides,
    )


@pytest.mark.parametrize(
    ("before", "after", "code", "is_error"),
    [
        ("0", "0.5", None, False),
        ("0", "0.5000001", "over-budget", True),
        ("0.6", "0.6", "over-budget", False),
        ("0.9", "0.6", "over-budget", False),
        ("0.9", "0.5", None, False),
        ("0.6", "0.7", "over-budget", True),
    ],
)
def test_the_budget_is_about_raising(before: str, after: str, code: str | None, is_error: bool) -> None:
    """365 USD per month are 0.5 per hour."""
    cost = one(Amount(Fraction(before)), Amount(Fraction(after)))
    found = list(budget_problems(cost, is_allowed=False))
    assert [(problem.code, problem.is_error) for problem in found] == ([(code, is_error)] if code else [])
    agreed = list(budget_problems(cost, is_allowed=True))
    assert not any(problem.is_error for problem in agreed)


def budgeted(wanted: list[Any], had: list[Any]) -> list[Problem]:
    """Return the problems of a plan whose prices are not known."""
    records = [tracked(one.name) for one in had]
    made = plan(wanted, records, had)
    cost = plan_cost(made, Inventory(), had, Prices(), Budget(floor_per_month="1", ceiling_per_month="1"))
    return list(budget_problems(cost, is_allowed=False))


@pytest.mark.parametrize(
    ("before", "after", "refused"),
    [
        (None, workers(0, 1), {"ceiling"}),
        (None, workers(1, 1), {"floor", "ceiling"}),
        (workers(1, 2), workers(1, 3), {"ceiling"}),
        (workers(1, 2), workers(0, 2), set()),
        (workers(2, 2), workers(1, 1), set()),
        (workers(1, 2), workers(1, 2, spec=LARGER), {"floor", "ceiling"}),
    ],
)
def test_an_unknown_price_may_raise(before: Any, after: Any, refused: set[str]) -> None:
    found = budgeted([endpoint("web", **after)], [live("web", **before)] if before else [])
    assert {problem.summary.split()[1] for problem in found} == refused
    assert {problem.code for problem in found} <= {"budget-unknown"}


def test_an_unknown_count_may_raise() -> None:
    made = change(endpoint("web", **workers(1, 2)), tracked("web"), live("web", **workers(1, 1)))
    parsed = ENDPOINT.parse_one({**answer("web"), "workerConfig": {"gpuNum": 1}})
    cost = plan_cost(
        Plan(changes=(replace(made, live=parsed),)), Inventory(), [], Prices(), Budget(floor_per_month="1")
    )
    assert [problem.code for problem in budget_problems(cost, is_allowed=False)] == ["budget-unknown"]


def test_an_unknown_price_of_an_unchanged_endpoint() -> None:
    """What is raised has a known price, and the sum has none."""
    cost = replace(one(UNKNOWN, UNKNOWN + Amount(Fraction(1, 10))), budget=Budget(floor_per_month="500"))
    (found,) = budget_problems(cost, is_allowed=False)
    assert "because a price is not known" in found.summary


def test_a_delete_at_an_unknown_price_is_not_refused() -> None:
    assert budgeted([], [live("web", **workers(3, 3))]) == []


def test_the_marks_of_a_change() -> None:
    changed = ChangeCost(name="a", address="a", action=Action.CREATE, before=None, after=None)
    assert not changed.matters
    assert changed.why_unknown == ""
    assert PlanCost(changes=(), before=Total(), after=Total(floor=UNKNOWN)).is_unknown
    assert not PlanCost(changes=(), before=Total(), after=Total()).is_unknown


WORKERS = [
    {"id": "a", "state": {"state": "running"}, "healthy": True, "createdAt": "2026-01-01T00:00:00Z"},
    {"id": "b", "state": {"state": "starting"}, "createdAt": ""},
    {"id": "c", "state": {"state": "running"}},
    {"id": "d", "state": {"state": "pulling"}},
    {"id": "e", "state": {"state": "exited"}, "createdAt": "2026-01-01T00:00:00Z"},
    {"id": "f", "state": {"state": "removed"}, "createdAt": "2026-01-01T00:00:00Z"},
    "junk",
]


def test_workers_that_are_billed() -> None:
    """By the start of their billing; where it is not told, by their state."""
    parsed = ENDPOINT.parse_one({**answer("web"), "workers": WORKERS})
    assert [worker.id for worker in ENDPOINT.billed_workers(parsed)] == ["a", "c"]
    odd_times = ("soon", "1e30", 10**30, {"at": 1}, None, "", 0, "0001-01-01T00:00:00Z")
    odd_workers = [
        {"id": str(at), "state": "running", "createdAt": time} for at, time in enumerate(odd_times)
    ]
    parsed = ENDPOINT.parse_one({**answer("web"), "workers": odd_workers})
    unread = [worker.id for worker in ENDPOINT.billed_workers(parsed)]
    assert unread == ["0", "1", "2", "3"], "only an empty time says that a worker is not billed"
    for odd in (None, 7, {"id": "a"}, [7, None, ["createdAt"]]):
        parsed = ENDPOINT.parse_one({**answer("web"), "workers": odd})
        assert ENDPOINT.billed_workers(parsed) == ()


def now(name: str, managed: Managed, environment: str = "", **declared: Any) -> Any:
    cost = running_cost(live(name, **declared), PRICES, managed, environment)
    assert cost is not None
    return cost


def test_a_storage_costs_the_same_at_any_moment() -> None:
    storage = STORAGE.parse_one({"storageId": "a", "storageName": "n", "storageSize": 24, "clusterId": "eu"})
    known = Prices(storage={"eu": Decimal("0.5")})
    cost = running_cost(storage, known, Managed.UNMANAGED)
    assert cost is not None
    assert cost.now == Amount(Fraction(1, 2))
    assert not cost.is_orphan


def test_a_kind_without_cost() -> None:
    credential = replace(live("web"), kind="novita_registry")
    assert running_cost(credential, PRICES, Managed.DECLARED) is None


def test_who_is_an_orphan() -> None:
    asleep = now("a", Managed.UNMANAGED, **workers(0, 1))
    kept = now("b", Managed.UNMANAGED, **workers(1, 1))
    theirs = now("c", Managed.UNMANAGED, "prod", **workers(1, 1))
    ours = now("d", Managed.DECLARED, **workers(1, 1))
    found = CostNow(
        resources=(asleep, kept, theirs, ours),
        account_now=NOTHING,
        account_total=Total(),
        balance=None,
        budget=NO_BUDGET,
    )
    assert found.orphans == (kept,)
    assert [one.management for one in found.resources] == [
        "unmanaged",
        "unmanaged",
        "environment prod",
        "declared",
    ]
    assert (found.now, found.total.floor.per_hour) == (NOTHING, Fraction(3, 2))
    assert found.managed_total.floor.per_hour == Fraction(1, 2)


@pytest.mark.parametrize(
    ("available", "spent", "hours", "is_at_most"),
    [
        ("10", Amount(Fraction(4)), Fraction(5, 2), False),
        ("10", Amount(Fraction(4), is_at_least=True), Fraction(5, 2), True),
        ("10", NOTHING, None, False),
        ("10", UNKNOWN, None, True),
        ("0", Amount(Fraction(4)), Fraction(0), False),
        ("-3", NOTHING, Fraction(0), False),
    ],
)
def test_how_long_a_balance_lasts(
    available: str, spent: Amount, hours: Fraction | None, is_at_most: bool
) -> None:
    found = runway(Balance(available=Decimal(available)), spent)
    assert (found.hours, found.is_at_most) == (hours, is_at_most)


@pytest.mark.parametrize(
    ("value", "places", "text"),
    [
        ("0", 2, "$0.00"),
        ("0.005", 2, "$0.01"),
        ("0.0049", 2, "<$0.01"),
        ("1379.695", 2, "$1,379.70"),
        ("1379.6949", 2, "$1,379.69"),
        ("0.69", 4, "$0.69"),
        ("0.0575", 4, "$0.0575"),
        ("0.05755", 4, "$0.0576"),
        ("-3.5", 2, "-$3.50"),
        ("1000000", 2, "$1,000,000.00"),
    ],
)
def test_amounts_as_text(value: str, places: int, text: str) -> None:
    assert usd(Fraction(value), places) == text


def test_doubts_are_marked() -> None:
    amount = Amount(Fraction(1, 2), is_approximate=True, is_at_least=True)
    assert hourly(amount) == "at least ~$0.50"
    assert monthly(amount) == "at least ~$365.00"
    assert daily(amount) == "at least ~$12.00"
    assert once(amount) == "at least ~$0.50"
    assert hourly(UNKNOWN) == monthly(UNKNOWN) == "unknown"
    assert hourly(Amount(Fraction(45, 4))) == "$11.25"


@given(st.fractions(), st.integers(0, 12))
def test_rounding_is_half_up_and_exact(value: Fraction, places: int) -> None:
    """The text is within half a unit of the last place, and twelve decimals are enough for prices."""
    rounded = Fraction(digits(value, places))
    assert abs(rounded - value) * 2 <= Fraction(1, 10**places)
    if (value * 10**12).denominator == 1:
        assert Fraction(exact(value)) == value


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 1000), st.booleans()), max_size=20))
def test_sums_are_exact(parts: list[tuple[int, int, bool]]) -> None:
    """In any order, and as the integers that they came from."""
    total = NOTHING
    for price, count, is_approximate in parts:
        total += Amount(Fraction(price, 10**6), is_approximate).times(count)
    assert total.per_month * 10**6 == sum(price * count for price, count, _ in parts) * 730
    assert total.is_approximate == any(flag and count for _, count, flag in parts)


def test_kinds_without_cost() -> None:
    created = Create(name="web", reason="", desired=endpoint("web"))
    deleted = Delete(name="web", reason="", tracked=tracked("web"), live=live("web"))
    assert usages(created)[0] is usages(deleted)[1] is None


def test_the_peak_while_old_and_new_workers_run() -> None:
    """A new image starts new workers before the old ones stop; other worker counts start none beside them."""
    running = [{"id": f"w-{number}", "state": {"state": "running"}, "healthy": True} for number in range(2)]
    had = ENDPOINT.parse_one({**answer("chat", **workers(2, 5)), "workers": running})
    record = tracked("chat", **workers(2, 5))

    def peak(**declared: Any) -> tuple[int, Amount]:
        (cost,) = cost_of([endpoint("chat", **{**workers(2, 5), **declared})], [had], [record]).changes
        return cost.peak_workers, cost.peak

    assert peak(image="ghcr.io/acme/chat:2") == (4, Amount(Fraction(2)))
    assert peak(maxReplicas=6) == (0, NOTHING)
    assert peak(spec=LARGER, minReplicas=4) == (0, NOTHING), "it is deleted first"
