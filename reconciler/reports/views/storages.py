"""Network storages as a table and as JSON."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.model.status import StorageInfo
from reconciler.model.values import Json
from reconciler.reports.terminal.table import Cell, Screen, fitted_table_text

TITLES = ("NAME", "ID", "SIZE", "REGION", "RECORDED", "MOUNTED BY")


def storages_text(storages: Sequence[StorageInfo], screen: Screen | None = None) -> str:
    """Return a table of the storages, in the given order."""
    rows = [
        [
            Cell(storage.name, "bold"),
            Cell(storage.id),
            Cell("unknown" if storage.size_gb is None else f"{storage.size_gb} GB"),
            Cell(storage.region),
            _recorded(storage),
            Cell(", ".join(storage.mounted_by) or "-"),
        ]
        for storage in storages
    ]
    return fitted_table_text(TITLES, rows, screen, ("ID", "REGION"))


def _recorded(storage: StorageInfo) -> Cell:
    if storage.environment:
        return Cell(f"environment {storage.environment}")
    return Cell("yes", "green") if storage.is_recorded else Cell("no", "yellow")


def storage_document(storage: StorageInfo) -> dict[str, Json]:
    """Return one storage of `pvcs --json`. The price is a decimal number in USD, as text."""
    price = storage.price_per_gb_day
    return {
        "name": storage.name,
        "id": storage.id,
        "sizeGb": storage.size_gb,
        "region": storage.region,
        "mountedBy": list(storage.mounted_by),
        "recorded": storage.is_recorded,
        "environment": storage.environment,
        "pricePerGbDay": None if price is None else format(price, "f"),
    }
