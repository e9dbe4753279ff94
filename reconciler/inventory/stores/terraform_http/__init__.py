"""The store of an inventory as a state of GitLab, or of another Terraform http server."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.inventory.stores.base import Store
from reconciler.inventory.stores.terraform_http.address import parse_address
from reconciler.inventory.stores.terraform_http.store import TerraformHttpStore


def open_store(address: str, environ: Mapping[str, str]) -> Store:
    """Return the store at an address, without a connection to it yet.

    Raise InventoryError for an address that is none, and for variables that cannot be used.
    """
    return TerraformHttpStore(parse_address(address, environ), environ)
