"""The test whether a server can lock: some S3 servers accept conditional writes and ignore the condition.

With such a server two runs would hold the lock at the same time, and both would believe that they are alone.
"""

from __future__ import annotations

import os
from contextlib import suppress
from functools import partial
from typing import Final

from reconciler.inventory.stores.clock import passed
from reconciler.inventory.stores.object_store.bucket import Bucket
from reconciler.inventory.stores.object_store.clock import ServerClock
from reconciler.inventory.stores.object_store.failures import CAN_LOCK
from reconciler.inventory.stores.object_store.parallel import both
from reconciler.model.errors import InventoryError
from reconciler.model.problem import Problem

_FIRST: Final = b"first\n"
_SECOND: Final = b"second\n"
_THIRD: Final = b"third\n"


def probe(bucket: Bucket) -> ServerClock:
    """Write two scratch objects against a condition. Raise InventoryError if the server ignores it.

    Return the clock of the server. The objects are deleted again, as those of the journal will be.
    """
    keys = [f"probe/{os.urandom(8).hex()}" for _ in range(2)]
    try:
        clock, _ = both(
            partial(_replaces_on_condition, bucket, keys[0]), partial(_creates_once, bucket, keys[1])
        )
    except BaseException:
        with suppress(InventoryError):
            bucket.delete(keys)
        raise
    bucket.delete(keys)
    return clock


def _replaces_on_condition(bucket: Bucket, key: str) -> ServerClock:
    is_created, at = bucket.create(key, _FIRST), passed()
    written = bucket.get(key)
    if not is_created or written is None or written.data != _FIRST:
        raise _cannot_lock(bucket, "it does not return what was written a moment ago")
    if not bucket.replace(key, _SECOND, written.revision):
        raise _cannot_lock(bucket, "it refuses a write whose `If-Match` holds")
    if bucket.replace(key, _THIRD, written.revision):
        raise _cannot_lock(bucket, "it ignores `If-Match`, and would replace what another run wrote")
    return ServerClock(written=written.modified, at=at)


def _creates_once(bucket: Bucket, key: str) -> None:
    bucket.create(key, _FIRST)
    if bucket.create(key, _SECOND):
        raise _cannot_lock(bucket, "it ignores `If-None-Match: *`, and would create the lock twice")


def _cannot_lock(bucket: Bucket, why: str) -> InventoryError:
    return InventoryError(
        Problem(
            code="store-cannot-lock",
            summary=f"This server cannot lock: {bucket.place.server or bucket.place.label}",
            detail=f"For {bucket.place.label} {why}. Two runs could change the account at the same time.",
            hint=CAN_LOCK,
        )
    )
