"""The journal: the entries since the map was last written, in JSON lines with a checksum.

    {"crc32":"1c291ca3","steps":[{"drop":"base-test"}]}

Threads that append at the same time share a line, a write and a sync (group commit): the first one writes for
all that arrived while the previous line was written. A line begins only after the one before it is durable.
So a crash can tear only the last line, whose `append` has not returned. A bad line with another line after it
was damaged later, and is refused.
"""

from __future__ import annotations

import errno
import os
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from reconciler.inventory.errors import REBUILD, unwritable, write_errors
from reconciler.inventory.files import FileSystem, companion, make_directories, replace_file, write_all
from reconciler.inventory.group_commit import CommitQueue, CommitTicket
from reconciler.inventory.journal_entries import JournalEntry, OpenIntent, entry_from_json, entry_to_json
from reconciler.inventory.serialization import loads
from reconciler.model.encoding import json_bytes
from reconciler.model.errors import InventoryError
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Place, Problem
from reconciler.model.resource import Intent
from reconciler.model.secrets import seal_to_json

_UNSAVED = "The entry was not saved; a create is sent only after its intent is saved"
_HEAD, _MIDDLE, _TAIL = b'{"crc32":"', b'","steps":', b"}\n"
_PAYLOAD = slice(len(_HEAD) + 8 + len(_MIDDLE), -len(_TAIL))


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """The entries of a journal in order, and the length of its valid part (bytes)."""

    entries: tuple[JournalEntry, ...] = ()
    valid_length: int = 0


def journal_path(path: Path) -> Path:
    """Return the path of the journal that belongs to the map at `path`."""
    return companion(path, ".journal")


def replay(path: Path, data: bytes) -> Replay:
    """Parse the bytes of a journal. Skip a torn last line; raise InventoryError for any other damage."""
    entries: list[JournalEntry] = []
    valid_length = 0
    *whole, rest = data.split(b"\n")
    lines = [line + b"\n" for line in whole] + ([rest] if rest else [])
    for number, line in enumerate(lines, 1):
        payload = _checked_payload(line)
        if payload is None:
            if number == len(lines) and not _contains_whole_line(line):
                break
            raise _damaged(path, number, "its checksum does not match")
        try:
            entries += [entry_from_json(item) for item in loads(payload)]
        except (ValueError, TypeError, RecursionError) as error:
            # The checksum matches, so the line was written like this. It is not torn, not even at the end.
            raise _damaged(path, number, str(error)) from error
        valid_length += len(line)
    return Replay(entries=tuple(entries), valid_length=valid_length)


def encode_line(encoded: Sequence[bytes]) -> bytes:
    """Return the line for entries that are JSON already."""
    payload = b"[" + b",".join(encoded) + b"]"
    return _HEAD + b"%08x" % zlib.crc32(payload) + _MIDDLE + payload + _TAIL


def encode(entry: JournalEntry) -> bytes:
    """Return an entry as json_bytes JSON."""
    return json_bytes(entry_to_json(entry), seal_to_json)


def _checked_payload(line: bytes) -> bytes | None:
    """Return the entries of a line, or None if it is not whole."""
    payload = line[_PAYLOAD]
    return payload if line == _HEAD + b"%08x" % zlib.crc32(payload) + _MIDDLE + payload + _TAIL else None


def _contains_whole_line(line: bytes) -> bool:
    """Return whether a whole line stands inside: then the newline before it was damaged."""
    start = line.find(_HEAD, 1)
    while start > 0:
        if _checked_payload(line[start:]) is not None:
            return True
        start = line.find(_HEAD, start + 1)
    return False


def _damaged(path: Path, number: int, why: str) -> InventoryError:
    return InventoryError(
        Problem(
            code="inventory-journal-damaged",
            summary=f"Line {number} of the journal {path} is damaged: {why}",
            detail="Other entries follow it, so this is not an interrupted write.",
            hint=f"`{REBUILD}` rebuilds map and journal from the live account; endpoints are not changed",
            place=Place(file=str(path), line=number, column=1),
        )
    )


class _Ticket(CommitTicket):
    """The entries of one caller, to be written."""

    __slots__ = ("encoded", "entries", "error")

    def __init__(self, *entries: JournalEntry, is_exclusive: bool = False) -> None:
        super().__init__(is_exclusive=is_exclusive)
        self.entries = entries
        self.encoded = [encode(entry) for entry in entries]
        self.error: OSError | None = None


class Journal:
    """A journal open for writing, by the holder of the lock. Thread-safe.

    `path` is the journal itself, `valid_length` the length of its valid part (bytes). `on_durable` gets the
    entries of each line once they are on the disk, in the order of the file.
    """

    def __init__(
        self,
        path: Path,
        *,
        valid_length: int,
        disk: FileSystem,
        on_durable: Callable[[Sequence[JournalEntry]], None],
    ) -> None:
        self._path = path
        self._disk = disk
        self._on_durable = on_durable
        self._fd: int | None = None
        self._length = valid_length
        self._is_name_durable = False
        self._broken = ""  # the reason why no line may follow
        self._queue: CommitQueue[_Ticket] = CommitQueue()

    def append(self, *entries: JournalEntry) -> None:
        """Write entries durably, all of them or none. Raise InventoryError if they are not durable."""
        ticket = _Ticket(*entries)
        if group := self._queue.enter(ticket):
            self._write_group(group)
        if ticket.error is not None:
            raise InventoryError(unwritable(self._path, ticket.error, _UNSAVED)) from ticket.error

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Block appends, so that the map and the journal can be changed together."""
        group = self._queue.enter(_Ticket(is_exclusive=True))
        try:
            yield
        finally:
            self._queue.leave(group)

    def restart(self, intents: Sequence[Intent]) -> None:
        """Replace the content by these intents; all other entries are in the map. Call it inside `paused`."""
        with write_errors(self._path, saved="The map is up to date, and the journal beside it is harmless"):
            self._close_file()
            data = encode_line([encode(OpenIntent(intent=intent)) for intent in intents]) if intents else b""
            if data:
                replace_file(self._disk, self._path, data)
            else:
                self._disk.unlink(self._path)
            self._disk.sync_directory(self._path.parent)
            self._length, self._is_name_durable, self._broken = len(data), bool(data), ""

    def close(self) -> None:
        """Close for good. The lock is released next, and a late thread must not write without it."""
        with self.paused():
            self._close_file()
            self._broken = "this run has released the lock"

    def _close_file(self) -> None:
        if self._fd is not None:
            fd, self._fd = self._fd, None
            self._disk.close(fd)

    def _write_group(self, group: list[_Ticket]) -> None:
        """Write the entries of a group, and set the error of each ticket."""
        error: OSError | None = OSError(errno.EINTR, "the write was interrupted")
        try:
            self._commit(group)
            error = None
        except OSError as failure:
            error = failure
        finally:
            for ticket in group:
                ticket.error = error
            self._queue.leave(group)

    def _commit(self, group: Sequence[_Ticket]) -> None:
        if self._broken:
            raise OSError(errno.EIO, self._broken)
        fd = self._open()
        # Until the end of this method the content of the disk is unknown. After a failed sync the kernel may
        # have dropped the pages and report success for the next sync, so there is no second try either.
        self._broken = "an earlier write failed"
        if os.fstat(fd).st_size != self._length:
            self._disk.truncate(fd, self._length)  # a line that a crash tore
        data = encode_line([item for ticket in group for item in ticket.encoded])
        try:
            write_all(self._disk, fd, data)
        except OSError:
            self._disk.truncate(fd, self._length)  # half a line must not precede the next one
            self._broken = ""
            raise
        self._disk.sync(fd)
        if not self._is_name_durable:
            self._disk.sync_directory(self._path.parent)
            self._is_name_durable = True
        self._length += len(data)
        self._broken = ""
        self._on_durable([entry for ticket in group for entry in ticket.entries])

    def _open(self) -> int:
        if self._fd is None:
            make_directories(self._disk, self._path.parent)
            self._fd = self._disk.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        return self._fd
