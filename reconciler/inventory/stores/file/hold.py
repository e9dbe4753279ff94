"""The right to write the files of an inventory, while its lock is held."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Sequence
from pathlib import Path

from reconciler.inventory.errors import read_errors, write_errors
from reconciler.inventory.files import (
    FileSystem,
    companion,
    document_path,
    history_path,
    journal_path,
    make_directories,
    replace_file,
    write_all,
)
from reconciler.inventory.history_entries import is_too_long, kept_lines
from reconciler.inventory.journal import valid_length
from reconciler.inventory.stores.base import HistoryLine


class FileHold:
    """The hold of the map at `path`. Made by `FileStore.hold`."""

    def __init__(self, path: Path, disk: FileSystem) -> None:
        self._path = path
        self._disk = disk
        self._journal = journal_path(path)
        self._lock = threading.Lock()  # guards the four below
        self._fd: int | None = None
        self._length: int | None = None  # of the journal, in bytes, without a line that a crash tore
        self._is_name_durable = False
        self._broken = ""  # the reason why no line may follow

    def check(self) -> None:
        """Do nothing: the kernel frees the lock only when the process ends."""

    def append(self, line: bytes) -> None:
        with self._lock, write_errors(self._journal, saved=""):
            if self._broken:
                raise OSError(errno.EIO, self._broken)
            fd, length = self._open()
            # Until the end of this block the content of the disk is unknown. After a failed sync the kernel
            # may have dropped the pages and report success for the next sync, so there is no second try.
            self._broken = "an earlier write failed"
            if os.fstat(fd).st_size != length:
                self._disk.truncate(fd, length)  # a line that a crash tore
            try:
                write_all(self._disk, fd, line)
            except OSError:
                self._disk.truncate(fd, length)  # half a line must not precede the next one
                self._broken = ""
                raise
            self._disk.sync(fd)
            if not self._is_name_durable:
                self._disk.sync_directory(self._path.parent)
                self._is_name_durable = True
            self._length = length + len(line)
            self._broken = ""

    def fold(self, map_: bytes, journal: bytes) -> None:
        with self._lock:
            write_map(self._path, map_, self._disk)
            with write_errors(
                self._journal, saved="The map is up to date, and the journal beside it is harmless"
            ):
                self._close_file()
                if journal:
                    replace_file(self._disk, self._journal, journal)
                else:
                    self._disk.unlink(self._journal)
                self._disk.sync_directory(self._path.parent)
                self._length, self._is_name_durable, self._broken = len(journal), bool(journal), ""

    def append_history(self, lines: Sequence[HistoryLine]) -> None:
        file, disk, new = history_path(self._path), self._disk, b"".join(line.data for line in lines)
        with write_errors(file, saved=""):
            data = disk.read(file) or b""
            torn = b"\n" if data and not data.endswith(b"\n") else b""
            if is_too_long(data, [line.name for line in lines]):
                replace_file(disk, file, kept_lines(data + torn + new))
                disk.sync_directory(file.parent)
                return
            fd = disk.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            try:
                write_all(disk, fd, torn + new)
                disk.sync(fd)
            finally:
                disk.close(fd)

    def write_document(self, name: str, data: bytes | None) -> None:
        file = document_path(self._path, name)
        with write_errors(file, saved=""):
            if data is None:
                file.unlink(missing_ok=True)
            else:
                replace_file(self._disk, file, data)

    def close(self) -> None:
        """Accept no further line: the lock is released next."""
        with self._lock:
            self._close_file()
            self._broken = "this run has released the lock"

    def _open(self) -> tuple[int, int]:
        """Return the file of the journal, open for appends, and the length of its valid part (bytes)."""
        if self._length is None:
            self._length = valid_length(self._disk.read(self._journal) or b"")
        if self._fd is None:
            make_directories(self._disk, self._path.parent)
            self._fd = self._disk.open(self._journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        return self._fd, self._length

    def _close_file(self) -> None:
        if self._fd is not None:
            fd, self._fd = self._fd, None
            self._disk.close(fd)


def write_map(path: Path, data: bytes, disk: FileSystem) -> bool:
    """Replace the map durably and keep the previous one as `<path>.backup`. The caller holds the lock.

    Return False if the map has this content already.
    """
    with read_errors(path):
        previous = disk.read(path)
    if previous == data:
        return False
    with write_errors(path):
        make_directories(disk, path.parent)
        if previous is not None:
            replace_file(disk, companion(path, ".backup"), previous)
        replace_file(disk, path, data)
        disk.sync_directory(path.parent)
    return True
