"""An inventory in files, as a store. The map is at the path that the user gave, and the others are beside it.

PATH                 the map
PATH.journal         the journal
PATH.history.jsonl   the history
PATH.NAME.json       a document
PATH.backup          the map before this one
"""

from __future__ import annotations

import os
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.inventory.errors import read_errors
from reconciler.inventory.files import (
    MAX_FILE_SIZE,
    FileSystem,
    check_regular_file,
    companion,
    document_path,
    history_path,
    journal_path,
    open_regular_file,
    resolve,
)
from reconciler.inventory.stores.base import Content, Store
from reconciler.model.errors import InventoryError
from reconciler.model.problem import Problem

if TYPE_CHECKING:
    from reconciler.inventory.lock_holder import LockHolder
    from reconciler.inventory.stores.file.hold import FileHold


def file_of(store: Store) -> Path | None:
    """Return the file of the map if the inventory is in files, else None."""
    return store.path if isinstance(store, FileStore) else None


class FileStore:
    """The inventory whose map is at `path`, or at the file behind it if it is a symbolic link."""

    keeps_lock = False

    def __init__(self, path: Path, *, disk: FileSystem | None = None) -> None:
        self.path = resolve(path)
        self.disk = disk or FileSystem()

    @property
    def label(self) -> str:
        return str(self.path)

    @property
    def folder(self) -> Path | None:
        return self.path.parent

    @property
    def sibling(self) -> Store:
        return FileStore(companion(self.path, ".run"), disk=self.disk)

    def prepare_read(self) -> None:
        """Do nothing: a file needs no connection."""

    def read(self) -> Content:
        """Read both files, even while another run writes them.

        A fold replaces the map before it shortens the journal. So the journal belongs to the map that was
        read before it if that map is still in place afterwards. Otherwise both are read again.
        """
        journal = journal_path(self.path)
        with read_errors(self.path):
            with suppress(FileNotFoundError):
                check_regular_file(journal, is_written=True)  # fail now, not at the first append
            while True:
                content, is_same = self._read_both(journal)
                if is_same:
                    return content

    def read_history(self, names: Collection[str] | None = None) -> bytes:  # noqa: ARG002 - all are in one file
        return self._read(history_path(self.path)) or b""

    def read_document(self, name: str) -> bytes | None:
        return self._read(document_path(self.path, name))

    @contextmanager
    def hold(
        self,
        holder: LockHolder,
        *,
        timeout: float = 0.0,
        stop: threading.Event | None = None,
        idle: float = 0.0,  # noqa: ARG002 - the kernel does not know what a process does
    ) -> Iterator[FileHold]:
        from reconciler.inventory.stores.file.hold import FileHold  # most runs only read
        from reconciler.inventory.stores.file.lock import hold

        with hold(self.path, holder, timeout=timeout, stop=stop):
            held = FileHold(self.path, self.disk)
            try:
                yield held
            finally:
                held.close()

    def holder(self) -> LockHolder | None:
        from reconciler.inventory.stores.file.lock import read_holder

        return read_holder(companion(self.path, ".lock.json"))

    def unlock(self, lock_id: str) -> None:
        raise InventoryError(
            Problem(
                code="cannot-unlock",
                summary=f"{self.label} is not locked by {lock_id}: a file is locked by a running process",
                hint="the lock is free as soon as that process ends; `reconciler doctor` names it",
            )
        )

    def neighbors(self) -> Mapping[str, Store]:
        """Return the other maps of this folder: JSON files that look like one, and are no companion."""
        names = {file.name for file in self.path.parent.glob("*.json")}
        files = [
            self.path.with_name(name)
            for name in sorted(names)
            if name != self.path.name and not any(name.startswith(f"{other}.") for other in names)
        ]
        return {str(file): FileStore(file) for file in files if _is_map(file)}

    def examine(self) -> Iterable[Problem]:
        return ()

    def _read(self, file: Path) -> bytes | None:
        with read_errors(self.path):
            return self.disk.read(file)

    def _read_both(self, journal: Path) -> tuple[Content, bool]:
        """Return the bytes of map and journal, and whether the map stayed in place."""
        try:
            file = os.fdopen(open_regular_file(self.path, os.O_RDONLY), "rb")
        except FileNotFoundError:
            return Content(journal=self.disk.read(journal)), not self.path.exists()
        with file:  # open until the comparison, because the inode number of an open file is not reused
            data, before = file.read(MAX_FILE_SIZE), _identity(os.fstat(file.fileno()))
            content = Content(map=data, journal=self.disk.read(journal))
            try:
                return content, before == _identity(self.path.stat())
            except FileNotFoundError:
                return content, False


def _identity(status: os.stat_result) -> tuple[int, ...]:
    return (status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size)


def _is_map(file: Path) -> bool:
    """Return whether a file looks like a map; its keys are sorted, so `format` may stand far below."""
    try:
        data = FileSystem().read(file) or b""
    except OSError:
        return False
    return data.startswith(b"{") and b'"endpoints": {' in data and b'\n  "format": ' in data
