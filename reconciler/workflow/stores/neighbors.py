"""The other inventories of the store of a run: what they record is never adopted or deleted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from reconciler.inventory.session import load
from reconciler.model.errors import InvalidConfig, ReconcilerError
from reconciler.planning.neighbors import may_concern_neighbors, neighbor_guard

if TYPE_CHECKING:
    from reconciler.model.plan import Change
    from reconciler.model.resource import Inventory
    from reconciler.workflow.runtime.context import Context


def neighbors_by_id(context: Context) -> Mapping[str, str]:
    """Return the label of the other inventory that records a resource, by the ID of the resource.

    An inventory that cannot be read is left out: it stops the runs of its own.
    """
    owners: dict[str, str] = {}
    for label, store in context.store.neighbors().items():
        with suppress(ReconcilerError):
            owners |= dict.fromkeys((record.id for record in load(store).every_record()), label)
    return owners


def neighbors_of_plan(
    context: Context, changes: Iterable[Change], inventory: Inventory, owners: Mapping[str, str]
) -> Mapping[str, str]:
    """Return what `neighbors_by_id` does, without reading anything if the changes concern no neighbor.

    owners: the environments of resources, by ID, which have a guard of their own.
    """
    if not may_concern_neighbors(changes, inventory):
        return {}
    return {one: label for one, label in neighbors_by_id(context).items() if one not in owners}


def neighbors_of_intents(context: Context, inventory: Inventory) -> Mapping[str, str]:
    """Return what `neighbors_by_id` does if a create is open, for which a live resource may be adopted."""
    return neighbors_by_id(context) if any(inventory.every_intent()) else {}


def refuse_of_neighbors(context: Context, names: Mapping[str, str]) -> None:
    """Raise InvalidConfig if another inventory of the store records one of these resources.

    names: the name to record each of them under, by ID.
    """
    owners = neighbors_by_id(context) if names else {}
    if problems := [neighbor_guard(names[one], one, owners[one]) for one in names if one in owners]:
        raise InvalidConfig(*problems)
