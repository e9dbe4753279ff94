"""A specs.yaml that is made from the products of Novita: one spec for each product and region."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.market.products import Product
from reconciler.model.market.text import usd
from reconciler.model.values import escaped
from reconciler.planning.review.preflight import stock_text
from reconciler.yamlfile.emitter import to_block

DEFAULT_ROOTFS_GB: Final = 100
"""GB of disk, if Novita does not tell how much of it is free."""

HEADER: Final = """\
# yaml-language-server: $schema=.reconciler/specs.schema.json
#
# GPU shapes by name, from Novita's products on {date}. Prices and stock change;
# `reconciler specs --available` shows those of now. Delete what you do not need.

specs:
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketSpec:
    """A spec for one product in one region."""

    name: str
    product: Product
    region: str

    @property
    def item(self) -> Mapping[str, Any]:
        """Return the item of specs.yaml."""
        product = self.product
        gpu = product.gpu_name or product.name
        return {
            "name": self.name,
            "displayName": escaped(product.name or product.id),
            "category": "gpu",
            "resourceType": "serverless",
            "resources": {
                "gpu": str(product.min_gpus or 1),
                **({"gpuType": escaped(gpu)} if gpu else {}),
                "ephemeralStorage": str(_rootfs(product)),
            },
            "platforms": {
                "novita": {
                    "productId": escaped(product.id),
                    "region": escaped(self.region),
                    "cudaVersion": "any",
                }
            },
        }

    @property
    def comment(self) -> str:
        """Return what the file says of price, stock and region."""
        return f"{price_text(self.product)} in {self.region}, {stock_text(self.product)}"


def market_specs(products: Iterable[Product]) -> tuple[MarketSpec, ...]:
    """Return the specs, with unique names, in Novita's order. A product without a region has none."""
    taken: set[str] = set()
    return tuple(
        MarketSpec(name=_name(product, region, taken), product=product, region=region)
        for product in products
        for region in product.regions
    )


def specs_yaml(specs: Iterable[MarketSpec], now: datetime) -> str:
    """Return the text of specs.yaml."""
    items = "\n\n".join(_item_lines(spec) for spec in specs)
    return HEADER.format(date=f"{now:%Y-%m-%d}") + items + "\n"


def starter_spec(specs: Iterable[MarketSpec]) -> MarketSpec | None:
    """Return the cheapest spec in stock, or else the first one; None if there is none."""
    ordered = sorted(specs, key=lambda spec: (not spec.product.available, _price(spec.product)))
    return ordered[0] if ordered else None


def price_text(product: Product) -> str:
    """Return the price per GPU and hour in words."""
    price = product.price.per_hour
    return "price unknown" if price is None else f"{usd(Fraction(price), 4)} per GPU and hour"


def _price(product: Product) -> Decimal:
    price = product.price.per_hour
    return Decimal("Infinity") if price is None else price


def _item_lines(spec: MarketSpec) -> str:
    lines = to_block([dict(spec.item)]).replace("\n", "\n  ")
    return f"  # {spec.comment}\n  {lines}"


def _rootfs(product: Product) -> int:
    """Return the largest disk (GB) that costs nothing, within the limits of the product."""
    size = product.free_rootfs_gb or DEFAULT_ROOTFS_GB
    size = min(size, product.max_rootfs_gb or size)
    return max(size, product.min_rootfs_gb or 1)


def _name(product: Product, region: str, taken: set[str]) -> str:
    """Return a name such as `rtx-5090-us-dallas-nas-2`, which `taken` does not hold yet, and add it."""
    base = "-".join(filter(None, (_slug(product.gpu_name or product.name), _slug(region))))
    for name in _candidates(base, _slug(product.id)):
        if name not in taken:
            taken.add(name)
            return name
    raise AssertionError("the candidates never end")


def _candidates(base: str, product_id: str) -> Iterator[str]:
    yield base or product_id or "spec"
    yield f"{base}-{product_id}".strip("-") or "spec"
    number = 2
    while True:
        yield f"{base or product_id or 'spec'}-{number}"
        number += 1


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:60]
