"""Whose each live endpoint is: declared, recorded, made without YAML, or nobody's business here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from reconciler.model.resource import Desired, Inventory, Live
from reconciler.model.status import Managed
from reconciler.planning.matching import Join


def managed(
    desired: Sequence[Desired] | None, inventory: Inventory, live: Iterable[Live]
) -> Mapping[str, Managed]:
    """ID -> whose it is, for those that are somebody's; all others are unmanaged.

    A plan comes to the same answer. `desired` is None where nobody can tell what is declared: the records
    alone count then.
    """
    found = {
        record.id: Managed.IMPERATIVE
        if record.origin == "imperative"
        else Managed.DECLARED
        if desired is None
        else Managed.RECORDED
        for record in inventory.records.values()
    }
    if desired:
        join = Join.of(desired, inventory, live)
        for one in desired:
            record = join.record_of(one)
            if record is not None:
                found[record.id] = Managed.DECLARED
            if record is None or record.id not in join.by_id:
                found |= dict.fromkeys((stranger.id for stranger in join.strangers(one)), Managed.DECLARED)
    return found
