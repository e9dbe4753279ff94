"""Whole inventories: the map alone, a push over what is there, and a copy to another store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from reconciler.inventory.history import history
from reconciler.inventory.history_entries import Version, name_of, parse_line
from reconciler.inventory.journal import intent_lines
from reconciler.inventory.map_format import serialize_inventory
from reconciler.inventory.session import load
from reconciler.inventory.stores.base import APPROVED_PLAN, Content, HistoryLine, Hold, Store
from reconciler.model.errors import InventoryError
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Problem
from reconciler.model.resource import Inventory

PREVIOUS: Final = "previous"
"""The document that keeps the map that a push or a forced copy has replaced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InventoryCopy:
    """All that one inventory holds: records and open creates, history, and approved plan.

    `lines` are those of the history, `versions` what they mean.
    """

    inventory: Inventory
    lines: bytes
    versions: Mapping[str, tuple[Version, ...]]
    approved: bytes | None


def keep_previous(hold: Hold, content: Content, inventory: Inventory | None, by: Inventory) -> bool:
    """Keep the map that is about to be replaced; return whether there was another one.

    inventory: what the content means, None if it cannot be read. by: what replaces it.
    """
    data = content.map if inventory is None else serialize_inventory(inventory)
    if not content.exists or data is None or data == serialize_inventory(by):
        return False
    hold.write_document(PREVIOUS, data)
    return True


def read_copy(store: Store) -> InventoryCopy:
    """Return all that a store holds. Raise InventoryError if it cannot be read."""
    return InventoryCopy(
        inventory=load(store),
        lines=store.read_history(),
        versions=history(store),
        approved=store.read_document(APPROVED_PLAN),
    )


def write_copy(hold: Hold, target: Store, copy: InventoryCopy) -> None:
    """Write a copy. The map comes last: a target without it counts as empty, and can be written again.

    Lines of the history that an interrupted copy has written already are not written twice.
    """
    present = target.read_history()
    lines = copy.lines.removeprefix(present) if copy.lines.startswith(present) else copy.lines
    if missing := list(_history_lines(lines)):
        hold.append_history(missing)
    hold.write_document(APPROVED_PLAN, copy.approved)
    hold.fold(serialize_inventory(copy.inventory), intent_lines(copy.inventory.every_intent()))


def verify_copy(target: Store, copy: InventoryCopy) -> None:
    """Read a copy back. Raise InventoryError if it differs from what was written."""
    versions = history(target)
    has_history = all(versions.get(name, ())[-len(own) :] == own for name, own in copy.versions.items())
    checks = {
        "the records": load(target) == copy.inventory,
        "the history": has_history,
        "the approved plan": target.read_document(APPROVED_PLAN) == copy.approved,
    }
    if differing := [name for name, is_same in checks.items() if not is_same]:
        raise InventoryError(
            Problem(
                code="copy-differs",
                summary=f"{target.label} differs from what was written to it: {', '.join(differing)}",
                hint="another run may write there; repeat the copy with --force when none does",
            )
        )


def _history_lines(data: bytes) -> Iterator[HistoryLine]:
    """Yield the lines of a history that can be read; a torn or damaged one is left out, as readers do."""
    for line in data.splitlines():
        if (name := name_of(line)) is None:
            entry = parse_line(line)
            name = entry.name if entry is not None else None
        if name is not None:
            yield HistoryLine(name=name, data=line + b"\n")
