"""References between the resources that an import declares: names in place of the IDs that live ones have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from reconciler.kinds.registry import KINDS
from reconciler.model.resource import Desired, Inventory, Live
from reconciler.model.values import Reference, nested, value_at, with_path_from
from reconciler.planning.dependencies.references import Ids, with_known_ids


def names_by_id(
    unmanaged: Mapping[str, Sequence[Live]], inventory: Inventory, declared: Iterable[Desired]
) -> Mapping[tuple[str, str], str]:
    """Return the names of resources that are declared, or will be, by type and ID."""
    addresses = {one.address for one in declared}
    known = {
        (record.kind, record.id): record.name
        for record in inventory.every_record()
        if record.address in addresses
    }
    return known | {(live.kind, live.id): live.name for group in unmanaged.values() for live in group}


def with_names(live: Live, names: Mapping[tuple[str, str], str]) -> Live:
    """Return a live resource with a reference in place of each ID of a resource that has a name."""
    fields = live.fields
    for path, kind in tuple(KINDS[live.kind].links(fields)):
        name = names.get((kind, str(value_at(fields, path))))
        if name is not None:
            fields = with_path_from(fields, nested(path, Reference(kind, name)), path)
    return live if fields is live.fields else replace(live, fields=fields)


def with_ids(
    desired: Iterable[Desired], imported: Iterable[Live], inventory: Inventory
) -> tuple[Desired, ...]:
    """Return the declarations with the IDs of recorded and of imported resources in place of references."""
    ids = {Reference(record.kind, record.name): record.id for record in inventory.every_record()}
    ids |= {Reference(live.kind, live.name): live.id for live in imported}
    return tuple(with_known_ids(one, Ids(current=ids)) for one in desired)
