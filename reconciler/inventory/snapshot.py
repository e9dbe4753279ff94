"""Map and journal as they were at one moment, read without a lock."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from reconciler.inventory import store
from reconciler.inventory.errors import reading
from reconciler.inventory.files import LARGEST, FileSystem, check_regular_file, open_regular_file
from reconciler.inventory.journal import Replay, journal_of, replay
from reconciler.inventory.journal_entries import Begin, Own, State
from reconciler.model.errors import InventoryError
from reconciler.model.resource import Inventory


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The map and the journal's steps. `journal` is None when there is no such file."""

    folded: Inventory
    replay: Replay
    journal: bytes | None

    @property
    def needs_checkpoint(self) -> bool:
        """Whether there is a journal that holds anything but whole, open intents and whose they are."""
        steps = self.replay.steps
        is_kept = steps and all(isinstance(step, Begin | Own) for step in steps)
        return self.journal is not None and not (is_kept and len(self.journal) == self.replay.sound)

    def state(self) -> State:
        """The map with the journal replayed over it."""
        state = State.of(self.folded)
        state.apply(self.replay.steps)
        return state


def look(path: Path, disk: FileSystem) -> Found:
    """Read both files, although another run may be writing them.

    A fold replaces the map before it shortens the journal. So a journal belongs to the map read before it, as
    long as that map is still the one in place afterwards; otherwise look again.
    """
    journal = journal_of(path)
    with reading(path):
        with suppress(FileNotFoundError):
            check_regular_file(
                journal, is_written=True
            )  # a run that could not append to it would come too far
        while True:
            data, steps, is_same = _read_both(path, journal, disk)
            if not is_same:
                continue
            try:
                replayed = replay(journal, steps or b"")
            except InventoryError:
                if disk.read(journal) == steps:
                    raise
                continue  # it was being repaired and written while we read it
            folded = Inventory() if data is None else store.parse(path, data)
            return Found(folded=folded, replay=replayed, journal=steps)


def _read_both(path: Path, journal: Path, disk: FileSystem) -> tuple[bytes | None, bytes | None, bool]:
    """The bytes of map and journal, None for a missing one, and whether the map stayed the same meanwhile."""
    try:
        file = os.fdopen(open_regular_file(path, os.O_RDONLY), "rb")
    except FileNotFoundError:
        steps = disk.read(journal)
        return None, steps, not path.exists()
    with file:  # open until the comparison: the number of an open file is not given to its successor
        data, before = file.read(LARGEST), _identity(os.fstat(file.fileno()))
        steps = disk.read(journal)
        try:
            return data, steps, before == _identity(path.stat())
        except FileNotFoundError:
            return data, steps, False


def _identity(status: os.stat_result) -> tuple[int, ...]:
    return (status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size)
