"""The inventory open for writing by one run: each entry is durable at once, a checkpoint writes the map.

In its store the inventory is always the map with the journal replayed over it. A checkpoint writes the map
first and shortens the journal second, so at every moment between them both together mean the same. Open
intents stay in the journal, because the map may be committed to git while a create is under way.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from reconciler.inventory import map_format
from reconciler.inventory.journal import Journal, intent_lines, journal_label
from reconciler.inventory.journal_entries import (
    CloseIntent,
    DropRecord,
    JournalEntry,
    OpenIntent,
    PutRecord,
    SetOwner,
)
from reconciler.inventory.snapshot import read_snapshot
from reconciler.model.errors import InventoryError
from reconciler.model.resource import ENDPOINT, Intent, Inventory, Owner, Tracked
from reconciler.model.values import Fields

if TYPE_CHECKING:
    from reconciler.inventory.lock_holder import LockHolder
    from reconciler.inventory.stores.base import Hold, Store

MAX_SEARCHED: Final = 1 << 22
"""Bytes of a map that `mentioned_types` searches. In a larger account the endpoints take longer to list."""


def load(store: Store, declared: Mapping[str, Fields] = map_format.NOT_DECLARED) -> Inventory:
    """Return the inventory as it is now. It takes no lock and writes nothing.

    declared: as in `map_format.parse`.
    """
    return read_snapshot(store, declared).inventory()


def mentioned_types(store: Store, types: Iterable[str]) -> tuple[str, ...]:
    """Return those of these types that the inventory mentions, without parsing it.

    It is a hint: nothing if the map is large, cannot be read, or is not in a file, so that it costs no call.
    """
    data = b""
    if store.folder is not None:
        with suppress(InventoryError):
            content = store.read()
            if len(content.map or b"") <= MAX_SEARCHED:
                data = (content.map or b"") + (content.journal or b"")
    # from the end, where a map has the other kinds
    return tuple(type_ for type_ in types if data.rfind(type_.encode()) >= 0)


@contextmanager
def open_session(
    store: Store, holder: LockHolder, *, base_url: str, lock_timeout: float = 0.0
) -> Iterator[Session]:
    """Lock the inventory for this holder, replay its journal, and write the map at the end.

    Raise InventoryLocked or InventoryError. A failed checkpoint never hides an exception from inside: the
    entries are in the journal then, and the next run writes the map.
    """
    with store.hold(holder, timeout=lock_timeout) as hold:
        session = Session(store, hold, base_url=base_url)
        try:
            yield session
        except BaseException as error:
            try:
                session.checkpoint()
            except InventoryError as failure:
                error.add_note(f"The journal could not be merged into the inventory: {failure}")
            raise
        else:
            session.checkpoint()
        finally:
            session.close()


def replace_inventory(hold: Hold, inventory: Inventory) -> None:
    """Replace map and journal by this inventory, even if they cannot be read."""
    hold.fold(map_format.serialize_inventory(inventory), intent_lines(inventory.every_intent()))


class Session:
    """The inventory open for writing; made by `open_session`. Thread-safe.

    store, hold: the store of the inventory, and its lock.
    """

    def __init__(self, store: Store, hold: Hold, *, base_url: str) -> None:
        snapshot = read_snapshot(store)
        self.store = store
        self.hold = hold
        self._base_url = base_url
        self._lock = threading.Lock()  # guards the five below
        self._state = snapshot.state()
        self._inventory: Inventory | None = None
        self._needs_checkpoint = snapshot.needs_checkpoint
        self._has_record_changes = snapshot.needs_checkpoint  # entries other than open intents and the owner
        self._has_own_entries = False
        self._journal = Journal(hold, label=journal_label(store), on_durable=self._apply)

    @property
    def inventory(self) -> Inventory:
        """The inventory with all entries so far. A checkpoint sets its `base_url` to that of this run."""
        with self._lock:
            if self._inventory is None:
                self._inventory = self._state.inventory(self._state.base_url)
            return self._inventory

    def set_owner(self, owner: Owner) -> None:
        """Set the owner of the inventory, unless it is the owner already."""
        now = self.inventory
        if (now.base_url, now.owner) != (self._base_url, owner):
            self._append(SetOwner(base_url=self._base_url, owner=owner))

    def record_all(self, records: Iterable[Tracked], owner: Owner) -> None:
        """Set the owner and record endpoints, all of it by one replacement of the map.

        Thousands of records need no journal: a crash leaves the map without any of them or with all.
        """
        entries = [PutRecord(tracked=tracked) for tracked in records]
        self._apply([SetOwner(base_url=self._base_url, owner=owner), *entries])
        self.checkpoint()

    def open_intent(self, intent: Intent) -> None:
        """Record that a create is about to be sent. Send it only after this has returned."""
        self._journal.append(OpenIntent(intent=intent))

    def record(
        self, tracked: Tracked, *, replaces: Tracked | None = None, deposed: Tracked | None = None
    ) -> None:
        """Record a managed endpoint, and close the intent of its name.

        `replaces` is its previous record, which is dropped if it has another name. `deposed` is the record of
        an endpoint whose name this one took. All of these entries are written, or none.
        """
        entries: list[JournalEntry] = [PutRecord(tracked=tracked)]
        if deposed is not None:
            entries.append(PutRecord(tracked=deposed))
        if replaces is not None and replaces.name != tracked.name and self._is_current(replaces):
            entries.append(DropRecord(name=replaces.name, kind=replaces.kind))
        self._append(*entries)

    def drop(self, tracked: Tracked) -> None:
        """Drop the record of an endpoint, unless another endpoint has its name by now."""
        if self._is_current(tracked):
            self._append(DropRecord(name=tracked.name, kind=tracked.kind))

    def find_record(self, name: str, kind: str = ENDPOINT) -> Tracked | None:
        """Return the current record of a name."""
        with self._lock:
            return self._state.slice_of(kind).records.get(name)

    def _is_current(self, tracked: Tracked) -> bool:
        """Return whether the name still belongs to that endpoint."""
        current = self.find_record(tracked.name, tracked.kind)
        return current is not None and current.id == tracked.id

    def close_intent(self, name: str, kind: str = ENDPOINT) -> None:
        """Record that the create of a name made nothing."""
        self._append(CloseIntent(name=name, kind=kind))

    def checkpoint(self) -> None:
        """Write the map, and shorten the journal to the open intents. Do nothing without new entries."""
        with self._journal.paused():
            with self._lock:
                if not self._needs_checkpoint:
                    return
                if self._has_own_entries:
                    self._state.base_url = self._base_url
                now = self._state.inventory(self._state.base_url)
            self.hold.fold(map_format.serialize_inventory(now), intent_lines(now.every_intent()))
            with self._lock:
                self._inventory, self._needs_checkpoint = now, False

    def checkpoint_records(self) -> None:
        """Write the map unless there are only open intents, which stay in the journal anyway."""
        with self._lock:
            has_record_changes = self._has_record_changes
        if has_record_changes:
            self.checkpoint()

    def close(self) -> None:
        self._journal.close()

    def _append(self, *entries: JournalEntry) -> None:
        """Append entries of what has happened. If the journal fails, the next checkpoint writes them."""
        try:
            self._journal.append(*entries)
        except InventoryError:
            self._apply(entries)
            raise

    def _apply(self, entries: Sequence[JournalEntry]) -> None:
        with self._lock:
            self._state.apply(entries)
            self._inventory, self._needs_checkpoint, self._has_own_entries = None, True, True
            self._has_record_changes |= not all(isinstance(entry, OpenIntent | SetOwner) for entry in entries)
