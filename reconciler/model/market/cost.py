"""The cost of resources in USD. Amounts are exact fractions, and are rounded only where they are shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from fractions import Fraction
from typing import Final, TypeAlias

from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.plan import Action
from reconciler.model.settings import NO_BUDGET, Budget

HOURS_PER_MONTH: Final = 730
"""A twelfth of a year, as in the calculators of other clouds."""

HOURS_PER_DAY: Final = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerUsage:
    """What an endpoint uses. What cannot be read is None.

    product_ids, region: of its workers. gpus: per worker (count). min_workers, max_workers: counts.
    idle_seconds: how long a worker without requests is still billed. rootfs_gb, volume_gb: the disk and the
    local volumes of a worker (GB).
    """

    product_ids: tuple[str, ...]
    region: str
    gpus: int | None
    min_workers: int | None
    max_workers: int | None
    idle_seconds: int | None
    rootfs_gb: int | None
    volume_gb: int | None = 0

    @property
    def shape(self) -> tuple[object, ...]:
        """Return all that the price of one worker depends on."""
        return self.product_ids, self.region, self.gpus, self.rootfs_gb, self.volume_gb


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageUsage:
    """What a network storage uses. size_gb: GB, None if it is not known."""

    size_gb: int | None
    region: str


Usage: TypeAlias = WorkerUsage | StorageUsage


@dataclass(frozen=True, slots=True)
class Amount:
    """USD per hour.

    is_approximate: the price is not known exactly. is_at_least: a part of it is not known at all, and not
    counted.
    """

    per_hour: Fraction = Fraction(0)
    is_approximate: bool = False
    is_at_least: bool = False

    def __add__(self, other: Amount) -> Amount:
        return Amount(
            self.per_hour + other.per_hour,
            self.is_approximate or other.is_approximate,
            self.is_at_least or other.is_at_least,
        )

    def times(self, count: int) -> Amount:
        """Return the amount of that many; that of none is exact."""
        return Amount(self.per_hour * count, self.is_approximate, self.is_at_least) if count else NOTHING

    @property
    def per_month(self) -> Fraction:
        """Return USD per month of 730 hours."""
        return self.per_hour * HOURS_PER_MONTH

    @property
    def per_day(self) -> Fraction:
        return self.per_hour * HOURS_PER_DAY

    @property
    def is_unknown(self) -> bool:
        """Return True if nothing is known about it."""
        return self.is_at_least and not self.per_hour


NOTHING: Final = Amount()
UNKNOWN: Final = Amount(is_at_least=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """The price of one worker, or of a storage, with its source.

    source: `specs.yaml`, `products` or `storage`; "" if nothing answered. why_unknown: a clause, "" if all of
    it is known. disk: the part of `amount` for disk over the free size.
    """

    amount: Amount
    source: str = ""
    why_unknown: str = ""
    disk: Amount = NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class SideCost:
    """The cost of a resource before or after a change: between `floor` and `ceiling`."""

    usage: Usage
    rate: Rate
    floor: Amount
    ceiling: Amount

    @property
    def idle_tail(self) -> Amount | None:
        """Return what a worker above the minimum costs from its last request on, until it is removed.

        It is an amount for the whole idle time, not for an hour. None if no worker can go, or the time is not
        known.
        """
        usage = self.usage
        if not isinstance(usage, WorkerUsage) or usage.idle_seconds is None:
            return None
        if usage.min_workers is None or usage.max_workers is None or usage.max_workers <= usage.min_workers:
            return None
        whole = self.rate.amount
        return Amount(whole.per_hour * usage.idle_seconds / 3600, whole.is_approximate, whole.is_at_least)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeCost:
    """The cost of one resource before and after its change; None where it does not exist.

    peak_workers: the most that are billed at one time while old and new workers run (count); 0 if they never
    run side by side.
    """

    name: str
    address: str
    action: Action
    before: SideCost | None
    after: SideCost | None
    peak_workers: int = 0

    @property
    def usages(self) -> tuple[Usage | None, Usage | None]:
        """Return what the resource uses before and after the change."""
        return self.before.usage if self.before else None, self.after.usage if self.after else None

    @property
    def peak(self) -> Amount:
        """Return the most that the workers cost while old and new ones run, at the higher of both prices."""
        rates = [side.rate.amount for side in (self.before, self.after) if side]
        highest = Amount(
            max((rate.per_hour for rate in rates), default=Fraction(0)),
            any(rate.is_approximate for rate in rates),
            any(rate.is_at_least for rate in rates),
        )
        return highest.times(self.peak_workers)

    @property
    def matters(self) -> bool:
        """Return True if the change changes the cost, or the cost is not known."""
        return self.of("floor") != self.of("floor", is_after=True) or self.of("ceiling") != self.of(
            "ceiling", is_after=True
        )

    def of(self, which: str, *, is_after: bool = False) -> Amount:
        """Return the `floor` or the `ceiling` of a side; nothing if it does not exist."""
        side = self.after if is_after else self.before
        amount: Amount = getattr(side, which) if side else NOTHING
        return amount

    @property
    def why_unknown(self) -> str:
        """Return why a price is not known, as a clause, or ""."""
        return next(
            (side.rate.why_unknown for side in (self.after, self.before) if side and side.rate.why_unknown),
            "",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """The sum of some resources."""

    floor: Amount = NOTHING
    ceiling: Amount = NOTHING

    @classmethod
    def of(cls, sides: Iterable[SideCost | None]) -> Total:
        """Return the sum of these sides."""
        known = [side for side in sides if side is not None]
        distinct = {id(side): side for side in known}  # few, and sums of fractions are slow
        floor = ceiling = NOTHING
        for identity, count in Counter(map(id, known)).items():
            side = distinct[identity]
            floor, ceiling = floor + side.floor.times(count), ceiling + side.ceiling.times(count)
        return cls(floor=floor, ceiling=ceiling)

    def __add__(self, other: Total) -> Total:
        return Total(floor=self.floor + other.floor, ceiling=self.ceiling + other.ceiling)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanCost:
    """The cost of a plan: each change, and all that the run manages, before and after.

    unchanged: resources (count) that the plan does not change, and that the totals include.
    """

    changes: tuple[ChangeCost, ...]
    before: Total
    after: Total
    unchanged: int = 0
    budget: Budget = NO_BUDGET

    @property
    def is_unknown(self) -> bool:
        """Return True if no price is known at all."""
        amounts = (self.before.floor, self.before.ceiling, self.after.floor, self.after.ceiling)
        return not any(amount.per_hour for amount in amounts) and any(
            amount.is_at_least for amount in amounts
        )
