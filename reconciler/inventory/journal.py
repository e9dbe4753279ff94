"""The journal: the entries since the map was last written, in JSON lines with a checksum.

    {"crc32":"1c291ca3","steps":[{"drop":"base-test"}]}

Threads that append at the same time share a line, a write and a sync (group commit): the first one writes for
all that arrived while the previous line was written. A line begins only after the one before it is durable.
So a crash can tear only the last line, whose `append` has not returned. A bad line with another line after it
was damaged later, and is refused.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from reconciler.inventory.errors import REBUILD, saying_saved
from reconciler.inventory.group_commit import CommitQueue, CommitTicket
from reconciler.inventory.journal_entries import JournalEntry, OpenIntent, entry_from_json, entry_to_json
from reconciler.inventory.serialization import loads
from reconciler.model.encoding import json_bytes
from reconciler.model.errors import InventoryError
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Place, Problem
from reconciler.model.resource import Intent
from reconciler.model.secrets import seal_to_json

if TYPE_CHECKING:
    from reconciler.inventory.stores.base import Hold, Store

_UNSAVED = "The entry was not saved; a create is sent only after its intent is saved"
_HEAD, _MIDDLE, _TAIL = b'{"crc32":"', b'","steps":', b"}\n"
_PAYLOAD = slice(len(_HEAD) + 8 + len(_MIDDLE), -len(_TAIL))


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """The entries of a journal in order, and the length of its valid part (bytes)."""

    entries: tuple[JournalEntry, ...] = ()
    valid_length: int = 0


def journal_label(store: Store) -> str:
    """Return the name of the journal in messages: a file has one of its own."""
    return f"{store.label}.journal" if store.folder else store.label


def replay(label: str, data: bytes) -> Replay:
    """Parse the bytes of a journal. Skip a torn last line; raise InventoryError for any other damage."""
    entries: list[JournalEntry] = []
    length = 0
    *whole, rest = data.split(b"\n")
    lines = [line + b"\n" for line in whole] + ([rest] if rest else [])
    for number, line in enumerate(lines, 1):
        payload = _checked_payload(line)
        if payload is None:
            if number == len(lines) and not _contains_whole_line(line):
                break
            raise _damaged(label, number, "its checksum does not match")
        try:
            entries += [entry_from_json(item) for item in loads(payload)]
        except (ValueError, TypeError, RecursionError) as error:
            # The checksum matches, so the line was written like this. It is not torn, not even at the end.
            raise _damaged(label, number, str(error)) from error
        length += len(line)
    return Replay(entries=tuple(entries), valid_length=length)


def valid_length(data: bytes) -> int:
    """Return the length (bytes) of a journal without a torn last line. The other lines are not checked."""
    start = data.rfind(b"\n", 0, -1) + 1
    return len(data) if _checked_payload(data[start:]) is not None else start


def intent_lines(intents: Iterable[Intent]) -> bytes:
    """Return the journal that has only these open intents, b"" for none."""
    encoded = [encode(OpenIntent(intent=intent)) for intent in intents]
    return encode_line(encoded) if encoded else b""


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


def _damaged(label: str, number: int, why: str) -> InventoryError:
    return InventoryError(
        Problem(
            code="inventory-journal-damaged",
            summary=f"Line {number} of the journal {label} is damaged: {why}",
            detail="Other entries follow it, so this is not an interrupted write.",
            hint=f"`{REBUILD}` rebuilds map and journal from the live account; endpoints are not changed",
            place=Place(file=label, line=number, column=1),
        )
    )


class _Ticket(CommitTicket):
    """The entries of one caller, to be written."""

    __slots__ = ("encoded", "entries", "error")

    def __init__(self, *entries: JournalEntry, is_exclusive: bool = False) -> None:
        super().__init__(is_exclusive=is_exclusive)
        self.entries = entries
        self.encoded = [encode(entry) for entry in entries]
        self.error: InventoryError | None = None


class Journal:
    """The journal open for appends through a hold. Thread-safe.

    `label` names it in messages. `on_durable` gets the entries of each line once the store has them, in the
    order of the lines.
    """

    def __init__(
        self, hold: Hold, *, label: str, on_durable: Callable[[Sequence[JournalEntry]], None]
    ) -> None:
        self._hold = hold
        self._label = label
        self._on_durable = on_durable
        self._is_closed = False
        self._queue: CommitQueue[_Ticket] = CommitQueue()

    def append(self, *entries: JournalEntry) -> None:
        """Write entries durably, all of them or none. Raise InventoryError if they are not durable."""
        ticket = _Ticket(*entries)
        if group := self._queue.enter(ticket):
            self._write_group(group)
        if ticket.error is not None:
            raise saying_saved(ticket.error, _UNSAVED) from ticket.error

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Block appends, so that the map and the journal can be changed together."""
        group = self._queue.enter(_Ticket(is_exclusive=True))
        try:
            yield
        finally:
            self._queue.leave(group)

    def close(self) -> None:
        """Close for good. The lock is released next, and a late thread must not write without it."""
        with self.paused():
            self._is_closed = True

    def _write_group(self, group: list[_Ticket]) -> None:
        """Write the entries of a group, and set the error of each ticket."""
        error: InventoryError | None = self._refused("the write was interrupted")
        try:
            if self._is_closed:
                raise self._refused("this run has released the lock")
            self._hold.append(encode_line([item for ticket in group for item in ticket.encoded]))
            self._on_durable([entry for ticket in group for entry in ticket.entries])
            error = None
        except InventoryError as failure:
            error = failure
        finally:
            for ticket in group:
                ticket.error = error
            self._queue.leave(group)

    def _refused(self, why: str) -> InventoryError:
        return InventoryError(
            Problem(
                code="inventory-unwritable",
                summary=f"Cannot write {self._label}: {why}",
                hint="Run the command again",
            )
        )
