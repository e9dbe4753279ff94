"""The lease of one run: the head is changed on its condition only, and renewed until the run is over."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Final

from reconciler.inventory.stores.clock import passed
from reconciler.inventory.stores.object_store import head as heads
from reconciler.inventory.stores.object_store.bucket import Bucket, Revision
from reconciler.inventory.stores.object_store.head import Head
from reconciler.model.durations import LEASE_RENEWALS, SAFE_SHARE
from reconciler.model.errors import InventoryError
from reconciler.model.problem import Problem

MAX_ATTEMPTS: Final = 5
"""To change a head that late requests of this very run have changed (count)."""


class Lease:
    """The lock of one run. Thread-safe. `head` is the last head that this run wrote.

    at: `passed()` before the request that took the lock.
    """

    def __init__(self, bucket: Bucket, head: Head, revision: Revision, at: float) -> None:
        self.head = head
        self._bucket = bucket
        self._revision = revision
        self._renewed = at
        self._changing = threading.Lock()  # guards the head, its revision and its age
        self._lost = ""  # why the lock is lost for good
        self._failure = ""  # why the last renewal failed
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._renew, name="lease of the inventory", daemon=True)

    def begin(self) -> None:
        """Renew the lock from now on, in a thread of its own, until `release`."""
        self._thread.start()

    def check(self) -> None:
        """Raise InventoryError if the lock is lost, or was not renewed for so long that it may be."""
        if self._lost:
            raise self._error(f"{self._lost}, so this run must not write it any more")
        age = passed() - self._renewed
        if age > self.head.lease * SAFE_SHARE:
            raise self._error(
                f"it was not renewed for {age:.0f} s, and others may take it after {self.head.lease:.0f} s",
                self._failure or "This process was stopped, or its machine slept.",
            )

    def change(self, edit: Callable[[Head], Head]) -> None:
        """Change the head. Raise InventoryError if the lock is lost; the head is not changed then."""
        with self._changing:
            for _ in range(MAX_ATTEMPTS):
                if self._lost:
                    self.check()
                new, at = replace(edit(self.head), nonce=heads.new_nonce()), passed()
                revision = self._bucket.replace(heads.KEY, heads.encode(new), self._revision)
                if revision is not None:
                    self.head, self._revision, self._renewed = new, revision, at
                    return
                self._read_again()
        raise self._error("the server refuses each change of it, without another run in sight")

    def lose(self, why: str) -> InventoryError:
        """Give the lock up for good, and return the error to raise."""
        self._lost = self._lost or why
        return self._error(f"{self._lost}, so this run must not write it any more")

    def release(self, *, is_clean: bool) -> None:
        """Free the lock. is_clean: no append is on its way any more, so the next run need not look for one.

        If the store cannot be reached, the lock stays until its lease is over.
        """
        self._over.set()
        with suppress(InventoryError):
            self.change(lambda head: _freed(head, is_clean=is_clean))
        self._lost = self._lost or "this run has released the lock"
        if self._thread.is_alive():
            self._thread.join()

    def _read_again(self) -> None:
        """Read the head after it was not as this run left it: an earlier request of this run was late, or
        another run has the lock.
        """
        found = self._bucket.get(heads.KEY)
        try:
            there = heads.decode(found.data) if found else None
        except ValueError:
            there = None
        if found is None or there is None or there.lock_id != self.head.lock_id:
            raise self.lose(_by_whom(there))
        self.head, self._revision = there, found.revision

    def _renew(self) -> None:
        pause = interval = self.head.lease / LEASE_RENEWALS
        while not self._over.wait(pause):
            try:
                self.change(lambda head: head)
                self._failure, pause = "", interval
            except InventoryError as error:
                if self._lost:
                    return
                self._failure, pause = f"{error}.", interval / 5

    def _error(self, why: str, detail: str = "") -> InventoryError:
        label = self._bucket.place.label
        return InventoryError(
            Problem(
                code="lock-lost",
                summary=f"The lock of {label} is lost: {why}",
                detail=detail,
                hint="Run the command again: it finds what this run has done, and completes it",
            )
        )


def _freed(head: Head, *, is_clean: bool) -> Head:
    is_last_closed = is_clean and head.closed == head.fence - 1
    return replace(head, holder=None, closed=head.fence if is_last_closed else head.closed)


def _by_whom(head: Head | None) -> str:
    if head is None:
        return "the inventory was removed or replaced"
    if head.holder is None:
        return "it was freed by hand"
    return f"{head.holder.described()} has taken it over"
