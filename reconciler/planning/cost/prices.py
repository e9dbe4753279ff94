"""The price of one worker, from the first source that answers: specs.yaml, then Novita's products."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from decimal import Decimal
from fractions import Fraction
from typing import Final, TypeAlias

from reconciler.kinds.answer_reader import number
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.market.cost import (
    HOURS_PER_DAY,
    NOTHING,
    UNKNOWN,
    Amount,
    Rate,
    SideCost,
    StorageUsage,
    Usage,
    WorkerUsage,
)
from reconciler.model.market.products import Product, Products
from reconciler.model.resource import Limits

DISK_PER_GB_DAY: Final = Fraction(5, 1000)
"""USD for a GB of disk over the free size, if the product tells none: the price of GPU instances.

Neither is documented for serverless workers, so the cost of disk is approximate."""

SPECS: Final = "specs.yaml"
PRODUCTS: Final = "products"
STORAGE: Final = "storage"

Shape: TypeAlias = tuple[str, str, int]
"""Product ID, region and GPUs per worker."""

NOT_ANSWERED: Final = "Novita did not tell its prices"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """All that is known about prices.

    declared: `pricePerHour` of specs.yaml, USD per worker and hour, by shape. products: None if they could
    not be read. limits: of the account, None if they could not be read. storage: USD per GB and day, by
    region.
    """

    declared: Mapping[Shape, Decimal] = field(default_factory=dict)
    products: Products | None = None
    limits: Limits | None = None
    storage: Mapping[str, Decimal] = field(default_factory=dict)

    def side(self, usage: Usage) -> SideCost:
        """Return what a resource costs."""
        if isinstance(usage, StorageUsage):
            rate = self._storage_rate(usage)
            return SideCost(usage=usage, rate=rate, floor=rate.amount, ceiling=rate.amount)
        rate = self._worker_rate(usage)
        floor, ceiling = (
            UNKNOWN if count is None else rate.amount.times(count)
            for count in (usage.min_workers, usage.max_workers)
        )
        return SideCost(usage=usage, rate=rate, floor=floor, ceiling=ceiling)

    def _storage_rate(self, usage: StorageUsage) -> Rate:
        price = self.storage.get(usage.region)
        if price is None or usage.size_gb is None:
            return Rate(
                amount=UNKNOWN, why_unknown="no storage of that region in the account tells its price"
            )
        return Rate(amount=Amount(Fraction(price) * usage.size_gb / HOURS_PER_DAY), source=STORAGE)

    def _worker_rate(self, usage: WorkerUsage) -> Rate:
        product = self._product(usage)
        gpu = self._gpu_rate(usage, product)
        disk, why = self._disk(usage, product)
        return Rate(
            amount=gpu.amount + disk, source=gpu.source, why_unknown=gpu.why_unknown or why, disk=disk
        )

    def _product(self, usage: WorkerUsage) -> Product | None:
        if self.products is None or len(usage.product_ids) != 1:
            return None
        return self.products.find(usage.product_ids[0], usage.region)

    def _gpu_rate(self, usage: WorkerUsage, product: Product | None) -> Rate:
        if len(usage.product_ids) != 1 or usage.gpus is None:
            return Rate(amount=UNKNOWN, why_unknown="its product or its number of GPUs is not known")
        declared = self.declared.get((usage.product_ids[0], usage.region, usage.gpus))
        if declared is not None:
            return Rate(amount=Amount(Fraction(declared)), source=SPECS)
        if product is None:
            why = NOT_ANSWERED
            if self.products is not None and self.products.is_complete:
                why = "Novita does not list its product"
            return Rate(amount=UNKNOWN, why_unknown=why)
        price = product.price.per_hour
        if price is None:
            return Rate(amount=UNKNOWN, why_unknown=product.price.why_unknown)
        # The price is that of one GPU, and several may cost more or less than a multiple.
        amount = Amount(Fraction(price) * usage.gpus, is_approximate=usage.gpus > 1)
        return Rate(amount=amount, source=PRODUCTS)

    def _disk(self, usage: WorkerUsage, product: Product | None) -> tuple[Amount, str]:
        """Return the price of the disk of a worker over the free size per hour, and why it is not known."""
        free_rootfs = product.free_rootfs_gb if product else None
        if free_rootfs is None:
            free_rootfs = self._limit("freeRootfsSize")
        free_volume = self._limit("freeLocalVolumeSize")
        own = product.storage_price if product else None
        price = DISK_PER_GB_DAY if own is None else Fraction(own)
        cost = NOTHING
        for what, size, free in (
            ("disk", usage.rootfs_gb, free_rootfs),
            ("local storage", usage.volume_gb, free_volume),
        ):
            if size == 0:
                continue
            if size is None or free is None:
                return UNKNOWN, f"the free size of its {what} is not known"
            if size > free:
                cost += Amount((size - free) * price / HOURS_PER_DAY, is_approximate=True)
        return cost, ""

    def _limit(self, name: str) -> int | None:
        value = number((self.limits or {}).get(name))
        return value if value is not None and value >= 0 else None
