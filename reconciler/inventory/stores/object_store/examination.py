"""The facts about an object store that `doctor` shows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from reconciler.inventory.lock_holder import LockHolder
from reconciler.inventory.stores.object_store.bucket import Bucket
from reconciler.inventory.stores.object_store.probe import probe
from reconciler.model.durations import CLOCK_TOLERANCE
from reconciler.model.errors import InventoryError
from reconciler.model.problem import Problem, Severity


def examine(bucket: Bucket, holder: Callable[[], LockHolder | None]) -> Iterator[Problem]:
    """Yield a row for each fact, up to the first failure. Scratch objects are written and deleted."""
    label = bucket.place.label
    try:
        owner = holder()
        yield _fact("store-reachable", f"{label} can be read{bucket.place.at}")
        clock = probe(bucket)
    except InventoryError as error:
        yield from error.problems
        return
    yield _fact("store-locks", "the server honors conditional writes, so it can lock")
    difference = (clock.now().timestamp()) - time.time()
    if abs(difference) > CLOCK_TOLERANCE:
        yield Problem(
            code="store-clock",
            severity=Severity.WARNING,
            summary=f"the clock of the store differs by {difference:+.0f} s from the one of this machine",
            detail="Locks do not depend on it, because only the clock of the store counts.",
            hint="Set the clock of this machine",
        )
    else:
        yield _fact("store-clock", f"the clock of the store differs by {difference:+.0f} s")
    if owner is not None:
        who = f"{owner.who} on {owner.host} (pid {owner.pid}, since {owner.since})"
        yield _fact("store-owner", f"{who} holds the lock {owner.lock_id}")


def _fact(code: str, summary: str) -> Problem:
    return Problem(code=code, severity=Severity.NOTE, summary=summary)
