"""The products that Novita offers: a table of them, or JSON."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from reconciler.model.market.products import Product, Products
from reconciler.model.market.text import exact, usd
from reconciler.model.values import Json
from reconciler.reports.terminal.table import Cell, Screen, fitted_table_text

TITLES = ("PRODUCT", "GPU", "MEMORY", "GPUS", "PER HOUR", "STOCK", "DISK", "REGIONS")
OPTIONAL = ("DISK", "MEMORY", "GPUS")
"""Columns that a narrow terminal leaves out, the first one first."""

UNKNOWN = "unknown"


def products_text(products: Products, screen: Screen | None = None) -> str:
    """Return a table of the products in Novita's order, with a sentence about what it says."""
    rows = [_row(product) for product in products]
    if not rows:
        return "Novita offers no products to serverless endpoints.\n"
    return fitted_table_text(TITLES, rows, screen, OPTIONAL) + "".join(
        f"{line}\n" for line in _notes(products)
    )


def _row(product: Product) -> list[Cell]:
    price = product.price.per_hour
    return [
        Cell(product.id, "bold"),
        Cell(product.gpu_name or product.name),
        Cell(_gigabytes(product.gpu_memory_gb)),
        Cell(_range(product.min_gpus, product.max_gpus)),
        Cell(UNKNOWN if price is None else usd(Fraction(price), 4)),
        _stock(product),
        Cell(_gigabytes(product.free_rootfs_gb)),
        Cell(" ".join(product.regions)),
    ]


def _stock(product: Product) -> Cell:
    words = [] if product.available is None else [f"{product.available:,}"]
    words += [product.inventory_state] if product.inventory_state else []
    is_out = product.available == 0 or product.inventory_state == "none" or product.is_deployable is False
    color = "yellow" if is_out else "green" if words else ""
    return Cell(" ".join(words) or UNKNOWN, color)


def _notes(products: Products) -> Iterator[str]:
    yield ""
    yield "PER HOUR: USD for one GPU. STOCK: GPUs that can be started now."
    yield "DISK: free of charge, per worker."
    for why in dict.fromkeys(product.price.why_unknown for product in products):
        if why:
            yield f"A price is unknown: {why}."
    if not products.is_complete:
        yield "The list is incomplete: a page of it could not be read."


def _gigabytes(count: int | None) -> str:
    return "" if count is None else f"{count} GB"


def _range(low: int | None, high: int | None) -> str:
    if low is None or high is None:
        return "" if low is None and high is None else str(low if high is None else high)
    return str(low) if low == high else f"{low}-{high}"


def products_document(products: Products) -> dict[str, Json]:
    """Return the document of `specs --available --json`. A value that Novita does not tell is null."""
    return {"complete": products.is_complete, "products": [_document(product) for product in products]}


def _document(product: Product) -> dict[str, Json]:
    price = product.price.per_hour
    return {
        "id": product.id,
        "name": product.name,
        "regions": list(product.regions),
        "gpu_type": product.gpu_name,
        "gpu_memory_gb": product.gpu_memory_gb,
        "min_gpus": product.min_gpus,
        "max_gpus": product.max_gpus,
        "price_per_gpu_hour": None if price is None else exact(Fraction(price)),
        "price_unknown_because": product.price.why_unknown or None,
        "available_gpus": product.available,
        "inventory_state": product.inventory_state or None,
        "deployable": product.is_deployable,
        "free_disk_gb": product.free_rootfs_gb,
        "min_disk_gb": product.min_rootfs_gb,
        "max_disk_gb": product.max_rootfs_gb,
    }
