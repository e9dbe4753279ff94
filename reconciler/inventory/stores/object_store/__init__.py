"""The store of an inventory in an object store: Amazon S3 and servers like it, Google Cloud, Azure."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from reconciler.inventory.stores.base import Store
from reconciler.inventory.stores.object_store.address import parse_address
from reconciler.inventory.stores.object_store.store import ObjectStore
from reconciler.model.durations import LEASE

LEASE_VARIABLE: Final = "RECONCILER_OBJECT_STORE_LEASE_SECONDS"
"""Shortens the lease in tests of a takeover. A run loses a lease of a few seconds in any slow moment."""


def open_store(address: str, environ: Mapping[str, str]) -> Store:
    """Return the store at an address, such as `s3://bucket/prod`, without a connection to it yet.

    Raise InventoryError for an address that is none. Credentials are read from the variables of the provider.
    """
    lease = LEASE
    with suppress(KeyError, ValueError):
        if 0 < float(environ[LEASE_VARIABLE]) < LEASE:
            lease = float(environ[LEASE_VARIABLE])
    return ObjectStore(parse_address(address), environ, lease=lease)
