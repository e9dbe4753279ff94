"""The prices of a run: those of specs.yaml, of Novita's products, and of the storages of the account."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.config.spec_prices import declared_prices
from reconciler.config.specs import usable_specs
from reconciler.kinds.registry import KINDS
from reconciler.model import durations
from reconciler.model.market.cost import StorageUsage
from reconciler.model.plan import Plan
from reconciler.model.resource import Inventory, Limits, Live
from reconciler.novita.account import AccountReader
from reconciler.planning.cost.budget import budget_problems
from reconciler.planning.cost.plan_cost import plan_cost
from reconciler.planning.cost.prices import Prices
from reconciler.workflow.runtime.context import Context

if TYPE_CHECKING:
    from decimal import Decimal

    from reconciler.config.loader import LoadedConfig
    from reconciler.config.specs import Specs
    from reconciler.model.market.products import Products


def priced(
    context: Context,
    account: AccountReader,
    loaded: LoadedConfig,
    plan: Plan,
    inventory: Inventory,
    live: Sequence[Live],
    limits: Limits | None,
) -> Plan:
    """Return the plan with its cost, and with the problems of the budget."""
    budget = loaded.settings.budget
    prices = read_prices(context, account, loaded, live, limits, waits_longer=budget.is_set)
    cost = plan_cost(plan, inventory, live, prices, budget)
    problems = budget_problems(cost, is_allowed=context.allow.over_budget)
    return replace(plan, cost=cost, problems=(*plan.problems, *problems))


def read_prices(
    context: Context,
    account: AccountReader,
    loaded: LoadedConfig,
    live: Iterable[Live],
    limits: Limits | None,
    *,
    waits_longer: bool = False,
) -> Prices:
    """Return the prices. Those of Novita's products are unknown if they do not arrive soon.

    live: the resources of the account. waits_longer: because an unknown price refuses the plan.
    """
    within = durations.BUDGET_TIMEOUT if waits_longer else durations.PRICE_TIMEOUT
    return prices_of(context, loaded.specs, live, account.optional.products(within), limits)


def prices_of(
    context: Context, specs: Specs, live: Iterable[Live], products: Products | None, limits: Limits | None
) -> Prices:
    """Return the prices of these specs, products and storages."""
    storage: dict[str, Decimal] = {}
    for one in live:
        price = KINDS[one.kind].price_per_gb_day(one)
        usage = KINDS[one.kind].usage(one.fields) if price is not None else None
        if price is not None and isinstance(usage, StorageUsage):
            storage[usage.region] = price
    return Prices(
        declared=declared_prices(usable_specs(specs.entries, context.resolver(lenient=True))),
        products=products,
        limits=limits,
        storage=storage,
    )
