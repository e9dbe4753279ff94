"""A consistent read of the map and the journal without a lock."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from reconciler.inventory import map_format
from reconciler.inventory.errors import read_errors
from reconciler.inventory.files import MAX_FILE_SIZE, FileSystem, check_regular_file, open_regular_file
from reconciler.inventory.journal import Replay, journal_path, replay
from reconciler.inventory.journal_entries import InventoryState, OpenIntent, SetOwner
from reconciler.model.errors import InventoryError
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.resource import Inventory


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The map, and the entries of the journal. `journal` is None if there is no such file."""

    map: Inventory
    replay: Replay
    journal: bytes | None

    @property
    def needs_checkpoint(self) -> bool:
        """Return whether the journal holds more than whole open intents and the owner."""
        entries = self.replay.entries
        is_minimal = entries and all(isinstance(entry, OpenIntent | SetOwner) for entry in entries)
        return self.journal is not None and not (is_minimal and len(self.journal) == self.replay.valid_length)

    def state(self) -> InventoryState:
        """Return the map with the journal replayed over it."""
        state = InventoryState.of(self.map)
        state.apply(self.replay.entries)
        return state


def read_snapshot(path: Path, disk: FileSystem) -> Snapshot:
    """Read both files, even while another run writes them.

    A checkpoint replaces the map before it shortens the journal. So the journal belongs to the map that was
    read before it if that map is still in place afterwards. Otherwise both are read again.
    """
    journal = journal_path(path)
    with read_errors(path):
        with suppress(FileNotFoundError):
            check_regular_file(journal, is_written=True)  # fail now, not at the first append
        while True:
            map_data, journal_data, is_same = _read_both(path, journal, disk)
            if not is_same:
                continue
            try:
                replayed = replay(journal, journal_data or b"")
            except InventoryError:
                if disk.read(journal) == journal_data:
                    raise
                continue  # it was repaired and written during the read
            inventory = Inventory() if map_data is None else map_format.parse(path, map_data)
            return Snapshot(map=inventory, replay=replayed, journal=journal_data)


def _read_both(path: Path, journal: Path, disk: FileSystem) -> tuple[bytes | None, bytes | None, bool]:
    """Return the bytes of map and journal, None for a missing one, and whether the map stayed in place."""
    try:
        file = os.fdopen(open_regular_file(path, os.O_RDONLY), "rb")
    except FileNotFoundError:
        return None, disk.read(journal), not path.exists()
    with file:  # open until the comparison, because the inode number of an open file is not reused
        data, before = file.read(MAX_FILE_SIZE), _identity(os.fstat(file.fileno()))
        journal_data = disk.read(journal)
        try:
            return data, journal_data, before == _identity(path.stat())
        except FileNotFoundError:
            return data, journal_data, False


def _identity(status: os.stat_result) -> tuple[int, ...]:
    return (status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size)
