"""The content of a store, parsed: the map, with the journal replayed over it."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.inventory import map_format
from reconciler.inventory.journal import Replay, journal_label, replay
from reconciler.inventory.journal_entries import InventoryState, OpenIntent, SetOwner
from reconciler.inventory.stores.base import Content, Store
from reconciler.model.errors import InventoryError
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.resource import Inventory
from reconciler.model.values import Fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The map, and the entries of the journal. `content` are the bytes of both."""

    map: Inventory
    replay: Replay
    content: Content

    @property
    def needs_checkpoint(self) -> bool:
        """Return whether the journal holds more than whole open intents and the owner."""
        entries, journal = self.replay.entries, self.content.journal
        is_minimal = entries and all(isinstance(entry, OpenIntent | SetOwner) for entry in entries)
        return journal is not None and not (is_minimal and len(journal) == self.replay.valid_length)

    def state(self) -> InventoryState:
        """Return the map with the journal replayed over it."""
        state = InventoryState.of(self.map)
        state.apply(self.replay.entries)
        return state

    def inventory(self) -> Inventory:
        """Return the inventory as it is now."""
        state = self.state()
        return state.inventory(state.base_url)


def read_snapshot(store: Store, declared: Mapping[str, Fields] = map_format.NOT_DECLARED) -> Snapshot:
    """Read and parse the map and the journal. Raise InventoryError if either is damaged.

    declared: as in `map_format.parse`.
    """
    while True:
        content = store.read()
        try:
            replayed = replay(journal_label(store), content.journal or b"")
        except InventoryError:
            if store.read().journal == content.journal:
                raise
            continue  # it was repaired and written during the read
        inventory = Inventory()
        if content.map is not None:
            inventory = map_format.parse(store.label, content.map, declared)
        return Snapshot(map=inventory, replay=replayed, content=content)
