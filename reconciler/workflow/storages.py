"""`reconciler pvcs`: the network storages of the account, and which endpoints mount them."""

from __future__ import annotations

from reconciler.kinds.registry import KINDS
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Problem
from reconciler.model.resource import STORAGE, Inventory
from reconciler.model.status import StorageInfo
from reconciler.novita.account import AccountReader
from reconciler.planning.dependencies.users import users_of
from reconciler.workflow.endpoints import load_inventory_leniently
from reconciler.workflow.runtime.account import reader
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.runtime.live import list_complete
from reconciler.workflow.runtime.settings import valid_settings


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageList:
    """Storages sorted by name, and problems of the inventory."""

    storages: tuple[StorageInfo, ...]
    problems: tuple[Problem, ...] = ()


def list_storages(context: Context) -> StorageList:
    """Return the network storages of the account."""
    settings = valid_settings(context, lenient=True)
    inventory, problems = load_inventory_leniently(context)
    with reader(context, settings) as account:
        return StorageList(storages=storages_in(account, inventory), problems=problems)


def storages_in(account: AccountReader, inventory: Inventory) -> tuple[StorageInfo, ...]:
    """Return the network storages of an account, which is listed at the same time as its endpoints."""
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
            price_per_gb_day=kind.price_per_gb_day(live),
        )
        for live in sorted(list_complete(storages, records).endpoints, key=lambda one: (one.name, one.id))
    )
