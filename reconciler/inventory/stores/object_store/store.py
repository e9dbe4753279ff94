"""An inventory below a prefix of a bucket, as a store."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import Final

from reconciler.inventory.lock_holder import LockHolder, locked_problem, not_held_problem
from reconciler.inventory.stores.base import Content, Hold, Store
from reconciler.inventory.stores.clock import passed, pause
from reconciler.inventory.stores.object_store import head as heads
from reconciler.inventory.stores.object_store.address import Address
from reconciler.inventory.stores.object_store.bucket import Bucket, Object
from reconciler.inventory.stores.object_store.clock import ServerClock
from reconciler.inventory.stores.object_store.examination import examine
from reconciler.inventory.stores.object_store.head import Head
from reconciler.inventory.stores.object_store.hold import ObjectHold
from reconciler.inventory.stores.object_store.lease import Lease
from reconciler.inventory.stores.object_store.parallel import both, in_parallel
from reconciler.inventory.stores.object_store.probe import probe
from reconciler.model.durations import CLOCK_TOLERANCE, FIRST_POLL, LEASE, LOCK_POLL, OBJECT_TIMEOUT
from reconciler.model.errors import InventoryError, InventoryLocked
from reconciler.model.problem import Problem

SIBLING: Final = ".run"
"""The end of the prefix of a sibling."""


class ObjectStore:
    """The store of one prefix. Thread-safe; it connects when it is first used.

    lease: after which the lock of a dead run is free. timeout: without an answer. Both in seconds. bucket: an
    existing connection.
    """

    keeps_lock = False

    def __init__(
        self,
        address: Address,
        environ: Mapping[str, str],
        *,
        lease: float = LEASE,
        timeout: float = OBJECT_TIMEOUT,
        bucket: Bucket | None = None,
    ) -> None:
        self._address = address
        self._environ = environ
        self._lease = lease
        self._timeout = timeout
        self._connecting = threading.Lock()
        self._connected = bucket

    @property
    def label(self) -> str:
        return self._address.label

    @property
    def folder(self) -> Path | None:
        return None

    @cached_property
    def sibling(self) -> Store:
        address = self._address.beside(f"{self._address.prefix}{SIBLING}")
        return ObjectStore(address, self._environ, lease=self._lease, timeout=self._timeout)

    def prepare_read(self) -> None:
        with suppress(InventoryError):
            _ = self._bucket  # imports the library

    def read(self) -> Content:
        """Return the map and the journal.

        The list of appends is older than the last head that was read, so it has all appends from the start
        that this head names. A part or an append is deleted only after a newer head does not need it.
        """
        listing, head = both(self._appends, self._head)
        head, data = self._named(head, lambda head: _keys_of(head, listing))
        map_ = data.pop(0) if head and head.map else None
        return Content(map=map_, journal=b"".join(data) or None)

    def read_history(self, names: Collection[str] | None = None) -> bytes:  # noqa: ARG002 - all lines are read
        return b"".join(self._named(self._head(), lambda head: head.history if head else ())[1])

    def read_document(self, name: str) -> bytes | None:
        def key(head: Head | None) -> Sequence[str]:
            return (head.documents[name],) if head and name in head.documents else ()

        data = self._named(self._head(), key)[1]
        return data[0] if data else None

    @contextmanager
    def hold(
        self,
        holder: LockHolder,
        *,
        timeout: float = 0.0,
        stop: threading.Event | None = None,
        idle: float = 0.0,  # noqa: ARG002 - the lease ends if it is not renewed
    ) -> Iterator[Hold]:
        deadline = passed() + timeout
        bucket = self._bucket
        clock, between = probe(bucket), FIRST_POLL
        while not isinstance(lease := self._take(holder, clock), Lease):
            left = deadline - passed()
            if left <= 0 or pause(min(between, left), stop):
                raise InventoryLocked(locked_problem(self.label, lease, _wait(self._lease)))
            between = min(2 * between, LOCK_POLL)
        hold = ObjectHold(bucket, lease)
        try:
            lease.begin()
            hold.close_earlier()
            yield hold
        finally:
            hold.release()

    def holder(self) -> LockHolder | None:
        found = self._read_head()
        if found is None:
            return None
        head = self._decoded(found)
        # by the clock of this machine, because it is a hint only
        age = (datetime.now(UTC) - found.modified).total_seconds()
        return None if age > head.lease + CLOCK_TOLERANCE else head.holder

    def unlock(self, lock_id: str) -> None:
        found = self._read_head()
        head = self._decoded(found) if found else None
        if found is None or head is None or head.lock_id != lock_id or head.holder is None:
            raise self._not_held(lock_id, is_locked=bool(head and head.holder))
        freed = replace(head, holder=None, nonce=heads.new_nonce())
        if self._bucket.replace(heads.KEY, heads.encode(freed), found.revision) is None:
            raise self._not_held(lock_id, is_locked=True)

    def neighbors(self) -> Mapping[str, Store]:
        prefixes = self._bucket.siblings()
        stores = [self._beside(self._address.beside(prefix)) for prefix in prefixes]
        exist = in_parallel([store.exists for store in stores])
        return {store.label: store for store, is_there in zip(stores, exist, strict=True) if is_there}

    def exists(self) -> bool:
        """Return whether there is an inventory below this prefix, and not only the lock of a controller."""
        return self.read().exists if self.label.endswith(SIBLING) else self._read_head() is not None

    def examine(self) -> Iterable[Problem]:
        return examine(self._bucket, self._head, self.holder)

    @property
    def _bucket(self) -> Bucket:
        with self._connecting:
            if self._connected is None:
                self._connected = Bucket(self._address, self._environ, timeout=self._timeout)
            return self._connected

    def _beside(self, address: Address) -> ObjectStore:
        bucket = self._bucket.beside(address)
        return ObjectStore(address, self._environ, lease=self._lease, timeout=self._timeout, bucket=bucket)

    def _take(self, holder: LockHolder, clock: ServerClock) -> Lease | LockHolder | None:
        """Take the lock if it is free. Return its holder if it is not, and None if another run was faster."""
        at, found = passed(), self._read_head()
        before = self._decoded(found) if found else None
        if found and before and before.holder and not clock.is_over(found.modified, before.lease):
            return before.holder
        before = before or self._no_head()
        fence = before.fence + 1
        owner = replace(holder, lock_id=f"{fence}-{heads.new_nonce()[:8]}")
        head = replace(before, fence=fence, holder=owner, lease=self._lease, nonce=heads.new_nonce())
        data = heads.encode(head)
        if found:
            revision = self._bucket.replace(heads.KEY, data, found.revision)
        else:
            revision = written.revision if (written := self._created(data)) else None
        return Lease(self._bucket, head, revision, at) if revision else None

    def _no_head(self) -> Head:
        """Return what precedes the first head. If one was removed, what belonged to it counts no longer."""
        listings = in_parallel(
            [partial(self._bucket.keys, folder) for folder in (heads.JOURNAL, heads.PARTS)]
        )
        last = max((heads.fence_of(key) for keys in listings for key in keys), default=0)
        return Head(
            fence=last,
            closed=max(last - 1, 0),
            lease=self._lease,
            start=heads.journal_key(last + 1, 0),
            documents={},
        )

    def _created(self, data: bytes) -> Object | None:
        """Create the head, and return it; None if another run was faster."""
        is_created = self._bucket.create(heads.KEY, data)
        there = self._read_head() if is_created else None
        return there if there and there.data == data else None

    def _read_head(self) -> Object | None:
        return self._bucket.get(heads.KEY)

    def _head(self) -> Head | None:
        found = self._read_head()
        return self._decoded(found) if found else None

    def _decoded(self, found: Object) -> Head:
        try:
            return heads.decode(found.data)
        except heads.NewerFormat as error:
            raise InventoryError(
                Problem(
                    code="inventory-too-new",
                    summary=f"The inventory {self.label} cannot be read: {error}",
                    hint="Install that release with `pip install --upgrade novita-reconciler`",
                )
            ) from error
        except ValueError as error:
            raise self._damaged(f"{heads.KEY} is not what reconciler wrote: {error}") from error

    def _appends(self) -> Sequence[str]:
        """Return the keys of the appends, without those that only close a hold."""
        return [entry.key for entry in self._bucket.entries(heads.JOURNAL) if entry.size]

    def _named(
        self, head: Head | None, keys_of: Callable[[Head | None], Sequence[str]]
    ) -> tuple[Head | None, list[bytes]]:
        """Return the objects that the head names, and that head. If it changes meanwhile, read again."""
        while True:
            keys = keys_of(head)
            data, newer = both(partial(self._bucket.get_all, keys), self._head)
            if keys_of(newer) == keys:
                break
            head = newer
        if None in data:
            raise self._damaged(f"{keys[data.index(None)]} is missing")
        return newer, [found for found in data if found is not None]

    def _damaged(self, what: str) -> InventoryError:
        return InventoryError(
            Problem(
                code="inventory-damaged",
                summary=f"The inventory {self.label} is damaged: {what}",
                detail="Somebody changed or removed objects of the bucket, or a rule of the bucket did.",
                hint=f"Restore the object from an earlier version of the bucket; or remove "
                f"{self.label}/{heads.KEY}, and run `reconciler state rebuild`: it reads the live account",
            )
        )

    def _not_held(self, lock_id: str, *, is_locked: bool) -> InventoryError:
        return InventoryError(not_held_problem(self.label, lock_id, is_locked=is_locked))


def _keys_of(head: Head | None, listing: Sequence[str]) -> list[str]:
    """Return the keys of the map, if there is one, and of the journal."""
    if head is None:
        return []
    journal = (*head.journal, *(key for key in listing if key >= head.start))
    return [head.map, *journal] if head.map else [*journal]


def _wait(lease: float) -> str:
    return (
        f"Wait for it with `--lock-timeout {lease + 5:.0f}s`; the lock is free as soon as that run ends, and "
        f"{lease:.0f}s after it died"
    )
