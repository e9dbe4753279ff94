"""The steps since the map was last written: a checked JSON line for each group made durable together.

    {"crc32":"1c291ca3","steps":[{"drop":"base-test"}]}

Threads that append at the same time share a line, a write and a sync: the first to arrive leads and takes
along all who came while the previous line was on its way. A line is begun only after the one before it is
durable. So a crash can tear the last line only, and what it held was promised to nobody; a bad line with
another one after it was damaged later, and is refused.
"""

from __future__ import annotations

import errno
import os
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from reconciler.inventory.errors import REBUILD, unwritable, writing
from reconciler.inventory.files import FileSystem, make_directories, put, write_all
from reconciler.inventory.group_commit import Queue, Ticket
from reconciler.inventory.journal_entries import Begin, Step, step_from_json, step_to_json
from reconciler.inventory.paths import beside
from reconciler.inventory.serialization import loads
from reconciler.model.encoding import json_bytes
from reconciler.model.errors import InventoryError
from reconciler.model.problem import Place, Problem
from reconciler.model.resource import Intent

_UNSAVED = "The step was not saved; a create is not sent before its intent is"
_HEAD, _MIDDLE, _TAIL = b'{"crc32":"', b'","steps":', b"}\n"
_CRC = slice(len(_HEAD), len(_HEAD) + 8)
_STEPS = slice(len(_HEAD) + 8 + len(_MIDDLE), -len(_TAIL))


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """What a journal says: its steps in order, and how many bytes of it are sound."""

    steps: tuple[Step, ...] = ()
    sound: int = 0


def journal_of(path: Path) -> Path:
    """Where the journal of the map at `path` is."""
    return beside(path, ".journal")


def replay(path: Path, data: bytes) -> Replay:
    """Read a journal's bytes. A torn end is passed over; raises InventoryError for damage before the end."""
    steps: list[Step] = []
    sound = 0
    *whole, rest = data.split(b"\n")
    lines = [line + b"\n" for line in whole] + ([rest] if rest else [])
    for number, line in enumerate(lines, 1):
        payload = _checked(line)
        if payload is None:
            if number == len(lines) and not _hides_a_line(line):
                break
            raise _damaged(path, number, "its checksum does not fit")
        try:
            steps += [step_from_json(item) for item in loads(payload)]
        except (ValueError, TypeError, RecursionError) as fault:
            # The checksum fits, so this was written on purpose: no tear, wherever it stands.
            raise _damaged(path, number, str(fault)) from fault
        sound += len(line)
    return Replay(steps=tuple(steps), sound=sound)


def line_of(encoded: Sequence[bytes]) -> bytes:
    """One line for steps that are JSON already."""
    payload = b"[" + b",".join(encoded) + b"]"
    return _HEAD + b"%08x" % zlib.crc32(payload) + _MIDDLE + payload + _TAIL


def encode(step: Step) -> bytes:
    return json_bytes(step_to_json(step))


def _checked(line: bytes) -> bytes | None:
    """The steps of a line that is whole, else None."""
    payload = line[_STEPS]
    return payload if line == _HEAD + b"%08x" % zlib.crc32(payload) + _MIDDLE + payload + _TAIL else None


def _hides_a_line(line: bytes) -> bool:
    """Whether a whole line stands inside: then it is the newline before that one which was damaged."""
    at = line.find(_HEAD, 1)
    while at > 0:
        if _checked(line[at:]) is not None:
            return True
        at = line.find(_HEAD, at + 1)
    return False


def _damaged(path: Path, number: int, why: str) -> InventoryError:
    return InventoryError(
        Problem(
            code="inventory-journal-damaged",
            summary=f"Line {number} of the journal {path} cannot be trusted: {why}",
            detail="Steps of an earlier run stand after it, so this is damage and not an interrupted write.",
            hint=f"`{REBUILD}` makes both anew from the live account; the endpoints are not touched",
            place=Place(file=str(path), line=number, column=1),
        )
    )


class _Ticket(Ticket):
    """One caller's steps on their way to the disk."""

    __slots__ = ("encoded", "error", "steps")

    def __init__(self, *steps: Step, alone: bool = False) -> None:
        super().__init__(alone=alone)
        self.steps = steps
        self.encoded = [encode(step) for step in steps]
        self.error: OSError | None = None


class Journal:
    """The writer's side: append from any thread, then fold. Owned by the one who holds the lock.

    `path` is the journal itself, `sound` the length up to which it was found good. `durable` is called with
    the steps of each line once they are on the disk, line by line and in the order of the file.
    """

    def __init__(
        self, path: Path, *, sound: int, disk: FileSystem, durable: Callable[[Sequence[Step]], None]
    ) -> None:
        self._path = path
        self._disk = disk
        self._durable = durable
        self._fd: int | None = None
        self._length = sound
        self._is_named = False  # its name is known to be durable
        self._broken = ""  # why no line may follow
        self._queue: Queue[_Ticket] = Queue()

    def append(self, *steps: Step) -> None:
        """Return once the steps are durable, all of them or none; raise InventoryError if they are not."""
        ticket = _Ticket(*steps)
        if group := self._queue.join(ticket):
            self._lead(group)
        if ticket.error is not None:
            raise InventoryError(unwritable(self._path, ticket.error, _UNSAVED)) from ticket.error

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """Hold back appends, so that the map and the journal can be changed together."""
        group = self._queue.join(_Ticket(alone=True))
        try:
            yield
        finally:
            self._queue.leave(group)

    def restart(self, intents: Sequence[Intent]) -> None:
        """Begin anew with these intents only; all else is in the map. Call it inside `quiet`."""
        with writing(self._path, saved="The map is up to date, and the journal beside it does no harm"):
            self._close()
            data = line_of([encode(Begin(intent=intent)) for intent in intents]) if intents else b""
            if data:
                put(self._disk, self._path, data)
            else:
                self._disk.unlink(self._path)
            self._disk.sync_directory(self._path.parent)
            self._length, self._is_named, self._broken = len(data), bool(data), ""

    def end(self) -> None:
        """Close for good: the lock is about to go, and a late thread must not write without it."""
        with self.quiet():
            self._close()
            self._broken = "this run has given up the lock"

    def _close(self) -> None:
        if self._fd is not None:
            fd, self._fd = self._fd, None
            self._disk.close(fd)

    def _lead(self, group: list[_Ticket]) -> None:
        """Write for the whole group, and tell each member how it went."""
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
        # Until the end is reached nobody knows what is on the disk. After a failed sync the kernel may have
        # thrown the pages away and will call the next sync a success, so there is no second try either.
        self._broken = "an earlier write failed"
        if os.fstat(fd).st_size != self._length:
            self._disk.truncate(fd, self._length)  # what a crash tore
        data = line_of([item for ticket in group for item in ticket.encoded])
        try:
            write_all(self._disk, fd, data)
        except OSError:
            self._disk.truncate(fd, self._length)  # half a line must not stand before the next one
            self._broken = ""
            raise
        self._disk.sync(fd)
        if not self._is_named:
            self._disk.sync_directory(self._path.parent)
            self._is_named = True
        self._length += len(data)
        self._broken = ""
        self._durable([step for ticket in group for step in ticket.steps])

    def _open(self) -> int:
        if self._fd is None:
            make_directories(self._disk, self._path.parent)
            self._fd = self._disk.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        return self._fd
