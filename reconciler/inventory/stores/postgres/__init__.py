"""The store of an inventory in a PostgreSQL database."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.inventory.stores.base import Store
from reconciler.inventory.stores.postgres.address import parse_address
from reconciler.inventory.stores.postgres.store import PostgresStore


def open_store(address: str, environ: Mapping[str, str]) -> Store:
    """Return the store at an address, such as `postgres://db.internal/infra?inventory=prod`.

    It connects when it is first used. Raise InventoryError for an address that is none. libpq reads its
    variables, such as PGPASSWORD.
    """
    return PostgresStore(parse_address(address), environ)
