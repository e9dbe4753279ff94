"""The facts about an object store that `doctor` shows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from reconciler.inventory.lock_holder import LockHolder
from reconciler.inventory.stores.object_store import head as heads
from reconciler.inventory.stores.object_store.bucket import Bucket
from reconciler.inventory.stores.object_store.clock import ServerClock
from reconciler.inventory.stores.object_store.head import Head
from reconciler.inventory.stores.object_store.probe import probe
from reconciler.inventory.stores.rows import clock_row, fact, owner_row
from reconciler.model.errors import InventoryError
from reconciler.model.problem import Problem
from reconciler.model.text import quantity


def examine(
    bucket: Bucket, read_head: Callable[[], Head | None], read_holder: Callable[[], LockHolder | None]
) -> Iterator[Problem]:
    """Yield a row for each fact, up to the first failure. Scratch objects are written and deleted."""
    try:
        head, owner = read_head(), read_holder()
        yield fact("store-reachable", f"{bucket.place.label} can be read{bucket.place.at}")
        clock = probe(bucket)
        yield fact("store-locks", "the server honors conditional writes, so it can lock")
        yield _clock(clock)
        if head is not None:
            yield fact("store-version", f"format {heads.FORMAT}, locked {quantity(head.fence, 'time')}")
            yield from _journal(bucket, head, clock)
    except InventoryError as error:
        yield from error.problems
        return
    if owner is not None:
        yield owner_row(owner)


def _clock(clock: ServerClock) -> Problem:
    difference = round(clock.now().timestamp() - time.time())
    return clock_row(
        difference,
        f"it differs by {abs(difference)} s from the one of this machine",
        "Locks do not depend on that, because only the clock of the store counts.",
    )


def _journal(bucket: Bucket, head: Head, clock: ServerClock) -> Iterator[Problem]:
    appends = [entry for entry in bucket.entries(heads.JOURNAL) if entry.size and entry.key >= head.start]
    if appends:
        age = max(0, round((clock.now() - appends[0].modified).total_seconds()))
        lines = quantity(len(appends), "append")
        yield fact("store-journal", f"{lines} that the map does not have yet, the first one {age} s old")
