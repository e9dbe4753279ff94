"""`reconciler pvcs`: the network storages of the account, and which endpoints mount them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from reconciler.kinds.registry import KINDS
from reconciler.model.errors import InvalidConfig
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Problem
from reconciler.model.resource import STORAGE, Inventory, address
from reconciler.model.status import StorageInfo
from reconciler.novita.account import AccountReader
from reconciler.planning.dependencies.users import users_of
from reconciler.planning.selection import Selection
from reconciler.workflow.endpoints import load_inventory_leniently
from reconciler.workflow.runtime.account import reader
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.runtime.environment import owners_by_id
from reconciler.workflow.runtime.live import list_complete
from reconciler.workflow.runtime.settings import valid_settings

NO_OWNERS: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageList:
    """Storages sorted by name, and problems of the inventory."""

    storages: tuple[StorageInfo, ...]
    problems: tuple[Problem, ...] = ()


def list_storages(context: Context) -> StorageList:
    """Return the selected network storages of the account. Raise InvalidConfig if a target matches none."""
    settings = valid_settings(context, lenient=True)
    inventory, problems = load_inventory_leniently(context)
    with reader(context, settings) as account:
        storages = storages_in(account, inventory, owners_by_id(context))
    selection = context.selection
    names = [name for storage in storages for name in (storage.name, address(storage.name, STORAGE))]
    if unmatched := selection.unmatched(names, "storage"):
        raise InvalidConfig(*unmatched)
    selected = tuple(storage for storage in storages if _is_selected(selection, storage.name))
    return StorageList(storages=selected, problems=problems)


def _is_selected(selection: Selection, name: str) -> bool:
    """Return whether a storage is selected, by its name or by its address."""
    targets, excludes = replace(selection, excludes=()), replace(selection, targets=())
    return any(one.has(name) for one in (targets, targets.of(STORAGE))) and all(
        one.has(name) for one in (excludes, excludes.of(STORAGE))
    )


def storages_in(
    account: AccountReader, inventory: Inventory, owners: Mapping[str, str] = NO_OWNERS
) -> tuple[StorageInfo, ...]:
    """Return the network storages of an account, which is listed at the same time as its endpoints.

    `owners` are the environments that record storages, by ID.
    """
    storages, kind = account.of(STORAGE), KINDS[STORAGE]
    storages.prefetch()
    users = users_of(account.listing().endpoints)
    records = {record.id: record for record in inventory.of(STORAGE).records.values()}
    return tuple(
        StorageInfo(
            name=live.name,
            id=live.id,
            size_gb=live.fields.get("storageSize"),
            region=live.fields.get("clusterId", ""),
            mounted_by=users.get((STORAGE, live.id), ()),
            is_recorded=live.id in records,
            environment="" if live.id in records else owners.get(live.id, ""),
            price_per_gb_day=kind.price_per_gb_day(live),
        )
        for live in sorted(list_complete(storages, records).endpoints, key=lambda one: (one.name, one.id))
    )
