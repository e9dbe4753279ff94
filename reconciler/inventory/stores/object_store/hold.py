"""The right to write to an inventory in an object store, for as long as its lease is renewed."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Final

from reconciler.inventory.stores.base import HistoryLine
from reconciler.inventory.stores.object_store import head as heads
from reconciler.inventory.stores.object_store.bucket import Bucket
from reconciler.inventory.stores.object_store.head import Head, fence_of, journal_key, part_key
from reconciler.inventory.stores.object_store.lease import Lease
from reconciler.inventory.stores.object_store.parallel import both
from reconciler.inventory.stores.object_store.parts import merged_history
from reconciler.model.errors import InventoryError
from reconciler.model.problem import Problem

MAX_APPENDS: Final = 200
"""Appends that are objects of their own (count). More are merged, so that a reader needs few requests."""

KEPT_MARKERS: Final = 16
"""Empty objects that end the appends of a hold and are kept (count), in case that it wakes up and appends."""


class ObjectHold:
    """The hold of one run. Thread-safe. Writes follow one another; renewals run beside them."""

    def __init__(self, bucket: Bucket, lease: Lease) -> None:
        self._bucket = bucket
        self._lease = lease
        self._writing = threading.Lock()  # guards the five below
        self._appends = 0  # by this hold
        self._unmerged = 0  # of them since the last fold or merge
        self._parts = 0  # by this hold
        self._is_broken = False  # the last append may have been written, or may still be on its way
        self._was_broken = False

    def check(self) -> None:
        self._lease.check()

    def append(self, line: bytes) -> None:
        with self._writing:
            self.check()
            if self._is_broken:
                raise self._broken()
            try:
                is_written = self._bucket.create(journal_key(self._fence, self._appends), line)
            except BaseException:
                self._is_broken = self._was_broken = True
                raise
            if not is_written:
                raise self._lease.lose("another run has taken it over")
            self._appends += 1
            self._unmerged += 1
            # The line was there before anybody could take the lock over. Nothing else is certain.
            self.check()
            if self._unmerged >= MAX_APPENDS:
                with suppress(InventoryError):
                    self._merge()

    def fold(self, map_: bytes, journal: bytes) -> None:
        with self._writing:
            self.check()
            if self._is_broken:
                self._appends += 1  # its late object would be before the start then
            start = journal_key(self._fence, self._appends)
            map_key = self._write_part("map.json", map_)
            rest = (self._write_part("journal.jsonl", journal),) if journal else ()
            self._lease.change(lambda head: replace(head, map=map_key, journal=rest, start=start))
            self._is_broken, self._unmerged = False, 0
            self._sweep()

    def append_history(self, lines: Sequence[HistoryLine]) -> None:
        if not lines:
            return
        with self._writing:
            self.check()
            keys = (
                *self._head.history,
                self._write_part("history.jsonl", b"".join(line.data for line in lines)),
            )
            self._lease.change(lambda head: replace(head, history=keys))
            with suppress(InventoryError):  # the lines are written; the next call merges
                if merged := merged_history(
                    self._bucket, keys, lambda data: self._write_part("history.jsonl", data)
                ):
                    self._lease.change(lambda head: replace(head, history=merged))
                    self._bucket.delete(set(keys) - set(merged))

    def write_document(self, name: str, data: bytes | None) -> None:
        with self._writing:
            self.check()
            documents = dict(self._head.documents)
            old = documents.pop(name, None)
            if data is not None:
                documents[name] = self._write_part(name, data)
            elif old is None:
                return
            self._lease.change(lambda head: replace(head, documents=documents))
            if old is not None:
                with suppress(InventoryError):
                    self._bucket.delete([old])

    def release(self) -> None:
        """Free the lock; nothing can be written any more."""
        with self._writing:
            self._lease.release(is_clean=not self._was_broken)

    def close_earlier(self) -> None:
        """Make sure that no earlier hold appends any more, and that its last append is in the journal.

        The next key of each such hold gets an empty object. If its run wakes up, its append finds that object
        and fails. The append that was faster counts.
        """
        with self._writing:
            head = self._head
            if head.closed >= head.fence - 1:
                return
            following = {head.start} | {_next(key) for key in self._bucket.keys(heads.JOURNAL)}
            for fence in range(head.closed + 1, head.fence):
                key = max(
                    (key for key in following if key and fence_of(key) == fence),
                    default=journal_key(fence, 0),
                )
                while not self._bucket.create(key, b""):
                    key = _next(key)
            self._lease.change(lambda head: replace(head, closed=head.fence - 1))

    @property
    def _head(self) -> Head:
        return self._lease.head

    @property
    def _fence(self) -> int:
        return self._head.fence

    def _write_part(self, name: str, data: bytes) -> str:
        """Write a part, and return its key. It counts when the head names it."""
        self._parts += 1
        key = part_key(self._fence, self._parts, name)
        if not self._bucket.create(key, data):
            raise self._lease.lose("another run writes under the number of this one")
        return key

    def _merge(self) -> None:
        """Copy the appends to one part, so that a reader needs few requests."""
        start = self._head.start
        entries = self._bucket.entries(heads.JOURNAL)
        keys = [entry.key for entry in entries if entry.size and entry.key >= start]
        lines = self._bucket.get_all(keys)
        if None in lines:
            return  # the next append tries again
        merged = self._write_part("journal.jsonl", b"".join(line for line in lines if line))
        following = journal_key(self._fence, self._appends)

        def with_merged(head: Head) -> Head:
            if head.start != start:  # an earlier merge has come true, whose answer was lost
                return head
            return replace(head, journal=(*head.journal, merged), start=following)

        self._lease.change(with_merged)
        if self._head.start == following:
            self._unmerged = 0
            self._bucket.delete(keys)

    def _sweep(self) -> None:
        """Delete what belongs to the inventory no longer, also what a killed run left."""
        head = self._head
        with suppress(InventoryError):
            entries = self._bucket.entries
            journal, parts = both(partial(entries, heads.JOURNAL), partial(entries, heads.PARTS))
            old_appends = [
                entry.key
                for entry in journal
                if entry.key < head.start and (entry.size or fence_of(entry.key) < head.fence - KEPT_MARKERS)
            ]
            unnamed = {entry.key for entry in parts} - head.parts
            old_parts = [key for key in unnamed if fence_of(key) <= head.fence]
            self._bucket.delete([*old_appends, *old_parts])

    def _broken(self) -> InventoryError:
        return InventoryError(
            Problem(
                code="store-unavailable",
                summary=f"Cannot write the journal of {self._bucket.place.label}: an earlier write failed",
                hint="Run the command again: it finds what this run has done, and completes it",
            )
        )


def _next(key: str) -> str:
    return journal_key(fence_of(key), heads.number_of(key) + 1)
