"""The GPU products that Novita offers to serverless endpoints, with price and stock."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from reconciler.model.lazy_dataclass import dataclass

UNITS: Final = {"per_hour": 1, "per_second": 3600}
"""The known units of prices, with how many of them are in an hour."""

LONGEST_UNIT: Final = 30
"""Characters of an unknown unit that a message shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """The price of one GPU.

    amount: USD for one `unit`, exact; None if the answer has no readable price. unit: Novita's word.
    """

    amount: Decimal | None = None
    unit: str = ""

    @property
    def per_hour(self) -> Decimal | None:
        """Return USD per GPU and hour; None if amount or unit is not known."""
        if self.amount is None or self.unit not in UNITS:
            return None
        return self.amount * UNITS[self.unit]

    @property
    def why_unknown(self) -> str:
        """Return why the price is not known, as a clause; "" if it is."""
        if self.amount is None:
            return "Novita tells no price that can be read"
        if not self.unit:
            return "Novita tells its price without a unit"
        unit = self.unit if len(self.unit) <= LONGEST_UNIT else f"{self.unit[:LONGEST_UNIT]}..."
        return "" if self.unit in UNITS else f"Novita's price is per `{unit}`, a unit that is not known"


NO_PRICE: Final = Price()


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """One GPU product. What Novita does not tell is None, and a text or a tuple is empty.

    gpu_memory_gb: per GPU (GB). min_gpus, max_gpus: GPUs of one worker (count). available: what can be
    started now, max_available: the same at best (count). inventory_state: Novita's word for the stock, such
    as `low`. is_deployable: Novita starts workers of it. *_rootfs_gb: the disk of a worker (GB), of which
    `free_rootfs_gb` costs nothing. storage_price: USD for a GB of disk beyond that and a day.
    """

    id: str
    name: str = ""
    regions: tuple[str, ...] = ()
    gpu_name: str = ""
    gpu_memory_gb: int | None = None
    min_gpus: int | None = None
    max_gpus: int | None = None
    available: int | None = None
    max_available: int | None = None
    inventory_state: str = ""
    is_deployable: bool | None = None
    min_rootfs_gb: int | None = None
    max_rootfs_gb: int | None = None
    free_rootfs_gb: int | None = None
    price: Price = NO_PRICE
    storage_price: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Products:
    """The products of a listing, in Novita's order.

    is_complete: False if a page could not be read, so that a product that is missing may exist.
    """

    items: tuple[Product, ...]
    is_complete: bool = True

    def __iter__(self) -> Iterator[Product]:
        return iter(self.items)

    def find(self, product_id: str, region: str = "") -> Product | None:
        """Return the product with this ID, that of the region if there are several, or None."""
        found = [product for product in self.items if product.id == product_id]
        return next((product for product in found if region in product.regions), found[0] if found else None)
