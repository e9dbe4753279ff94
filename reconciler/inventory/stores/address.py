"""The store of an inventory, made from its location. An engine is imported only when it is addressed."""

from __future__ import annotations

import importlib
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Protocol, cast

from reconciler.inventory.files import path_under
from reconciler.inventory.stores.base import Store
from reconciler.inventory.stores.file.store import FileStore
from reconciler.model.errors import InventoryError
from reconciler.model.inventory_location import ENGINES, Location, location_problem, scheme_of
from reconciler.model.problem import Problem

_PACKAGE: Final = "reconciler.inventory.stores"

_opened: dict[tuple[str, tuple[tuple[str, str], ...]], Store] = {}
_opening: Final = threading.Lock()


class _Module(Protocol):
    def open_store(self, address: str, environ: Mapping[str, str]) -> Store: ...


def open_store(location: Location, root: Path, environ: Mapping[str, str]) -> Store:
    """Return the store of an inventory. A path is relative to the root.

    A process has one store for each address, so that the reads of a command share a connection. Raise
    InventoryError if the address cannot be used, or if its packages are not installed.
    """
    if isinstance(location, Path):
        return FileStore(path_under(root, location))
    if (problem := location_problem(location)) is not None:
        raise InventoryError(problem)
    # A server may act in several environments, which may have different credentials.
    key = (location, tuple(sorted(environ.items())))
    with _opening:
        if key not in _opened:
            _opened[key] = _new_store(location, dict(environ))
        return _opened[key]


def store_identity(store: Store) -> str:
    """Return a text that is equal for all spellings of one inventory."""
    return os.path.realpath(store.label) if store.folder is not None else store.label


def _new_store(address: str, environ: Mapping[str, str]) -> Store:
    engine = ENGINES[scheme_of(address)]
    name = f"{_PACKAGE}.{engine.name}"
    try:
        module = cast("_Module", importlib.import_module(name))
    except ImportError as error:
        if not engine.extra or (error.name or "").startswith("reconciler"):
            raise
        raise InventoryError(
            Problem(
                code="missing-extra",
                summary=f"an inventory at `{scheme_of(address)}://` needs packages that are not installed"
                f" ({error.name})",
                hint=f"`pip install 'novita-reconciler[{engine.extra}]'` installs them",
            )
        ) from error
    return module.open_store(address, environ)
