"""The cost of what runs now, with the workers that are billed, and how long the balance lasts."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from functools import cached_property

from reconciler.kinds.registry import KINDS
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.market.balance import Balance
from reconciler.model.market.cost import NOTHING, Amount, SideCost, Total, WorkerUsage
from reconciler.model.problem import Problem
from reconciler.model.resource import ENDPOINT, Live
from reconciler.model.settings import Budget
from reconciler.model.status import Managed, Worker
from reconciler.planning.cost.plan_cost import live_cost
from reconciler.planning.cost.prices import Prices


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningCost:
    """What one live resource costs now.

    side: its floor and ceiling. billed: its workers that are billed at this moment. environment: the other
    environment that it belongs to, or "".
    """

    live: Live
    side: SideCost
    billed: tuple[Worker, ...] = ()
    managed: Managed = Managed.UNMANAGED
    environment: str = ""

    @property
    def now(self) -> Amount:
        """Return what it costs at this moment; a storage always costs the same."""
        if not isinstance(self.side.usage, WorkerUsage):
            return self.side.floor
        return self.side.rate.amount.times(len(self.billed))

    @property
    def is_orphan(self) -> bool:
        """Return True if nobody manages it, and workers of it are billed or kept running."""
        is_ours = self.managed is not Managed.UNMANAGED or self.environment != ""
        return self.live.kind == ENDPOINT and not is_ours and bool(self.billed or self.side.floor != NOTHING)

    @property
    def management(self) -> str:
        """Return who manages it, in words."""
        return f"environment {self.environment}" if self.environment else self.managed.value


def running_cost(live: Live, prices: Prices, managed: Managed, environment: str = "") -> RunningCost | None:
    """Return what a live resource costs; None for a kind that costs nothing."""
    side = live_cost(live, prices)
    if side is None:
        return None
    billed = KINDS[live.kind].billed_workers(live)
    return RunningCost(live=live, side=side, billed=billed, managed=managed, environment=environment)


def total_of(costs: Iterable[RunningCost]) -> tuple[Amount, Total]:
    """Return the sum of what they cost now, and of their floors and ceilings."""
    costs = tuple(costs)
    now = NOTHING
    for cost in costs:
        now += cost.now
    return now, Total.of(cost.side for cost in costs)


@dataclass(frozen=True, kw_only=True)
class CostNow:
    """What runs now, and what it costs.

    resources: the selected ones, the most expensive first. account_now, account_total: of the whole account,
    selected or not. balance: None if it could not be read.
    """

    resources: tuple[RunningCost, ...]
    account_now: Amount
    account_total: Total
    balance: Balance | None
    budget: Budget
    problems: tuple[Problem, ...] = ()

    @cached_property
    def now(self) -> Amount:
        return total_of(self.resources)[0]

    @cached_property
    def total(self) -> Total:
        return total_of(self.resources)[1]

    @cached_property
    def managed_total(self) -> Total:
        """Return the sum of what this configuration manages, to which the budget applies."""
        ours = (one for one in self.resources if one.managed is not Managed.UNMANAGED)
        return total_of(ours)[1]

    @cached_property
    def orphans(self) -> tuple[RunningCost, ...]:
        return tuple(one for one in self.resources if one.is_orphan)


@dataclass(frozen=True, slots=True, kw_only=True)
class Runway:
    """How long a balance lasts. hours: None if nothing is spent; 0 if there is nothing left.

    is_at_most: a price is not known, so that it may end earlier.
    """

    hours: Fraction | None
    is_at_most: bool = False


def runway(balance: Balance, spent: Amount) -> Runway:
    """Return how long a balance lasts if that much is spent."""
    if balance.available <= 0:
        return Runway(hours=Fraction(0))
    hours = Fraction(balance.available) / spent.per_hour if spent.per_hour else None
    return Runway(hours=hours, is_at_most=spent.is_at_least)
