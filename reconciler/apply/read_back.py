"""Reads what was written back from the account, one by one or, for many creates, in batches.

A listing costs one request for every hundred endpoints of the account; reading one by one costs one request
for each. So a batch holds more creates than the account has pages, and two batches are some seconds apart. An
endpoint that the listing does not show as written is read by itself.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from reconciler.apply.clock import Clock, poll
from reconciler.kinds.base import Kind
from reconciler.kinds.registry import KINDS
from reconciler.model import durations
from reconciler.model.encoding import json_line
from reconciler.model.errors import ReconcilerError
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.plan import Change, Create
from reconciler.model.problem import Problem
from reconciler.model.resource import Live
from reconciler.model.secrets import mask
from reconciler.model.values import Absent, Fields, Path, Value, is_plain_data
from reconciler.novita.account import AccountReader
from reconciler.novita.pagination import PAGE_SIZE
from reconciler.planning.diff import differences, equal

MIN_BATCH_SIZE: Final = 32
"""Creates (count). Fewer are read back one by one, each as soon as it is made."""


def read_back(reader: AccountReader, clock: Clock, object_id: str, target: Fields) -> Problem | None:
    """Wait until the endpoint reads as it was written. Return a problem that names the values that differ."""
    live: Live | None = None
    for _ in poll(clock, within=durations.VISIBLE_TIMEOUT, longest=durations.MAX_VISIBLE_POLL):
        live = reader.get(object_id)
        if live is not None and matches(live, target):
            return None
    if live is None:
        return Problem(
            code="not-visible",
            summary=f"{object_id} was written, but cannot be read after {durations.VISIBLE_TIMEOUT:.0f} s",
            hint="run `reconciler plan` in a minute",
        )
    kind = KINDS[live.kind]
    wanted, actual = kind.sides(target, None, live.fields, (), live.unread)
    kept = [_describe_difference(kind, *difference) for difference in differences(actual, wanted, kind)]
    return Problem(
        code="value-kept",
        summary=f"Novita accepted the write to {object_id} and kept " + "; ".join(kept),
        hint="declare the value that Novita keeps, or ask Novita's support why",
    )


def matches(live: Live, target: Fields) -> bool:
    """Return whether a live endpoint has the fields that were written."""
    kind = KINDS[live.kind]
    if kind.is_verbatim(target, live.fields):
        return True
    wanted, actual = kind.sides(target, None, live.fields, (), live.unread)
    return equal(actual, wanted)


def wait_until_gone(reader: AccountReader, clock: Clock, object_id: str, *, released: bool) -> Problem | None:
    """Wait until a deleted endpoint terminates or, with `released`, is gone. Return a problem if it stays."""
    for _ in poll(clock, within=durations.DELETE_TIMEOUT, longest=durations.MAX_DELETE_POLL):
        live = reader.get(object_id)
        if live is None or (live.is_terminating and not released):
            return None
    return Problem(
        code="not-gone",
        summary=f"{object_id} was deleted, but is still there after {durations.DELETE_TIMEOUT:.0f} s",
        hint="run `reconciler plan` in a minute; if it stays, delete it in the console",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingReadBack:
    """A create that was sent and recorded. `seconds` is how long that took."""

    change: Create
    id: str
    seconds: float


class ReadBackQueue:
    """The creates of one stage that wait to be read back in batches. Thread-safe."""

    def __init__(self, reader: AccountReader, clock: Clock, *, batch_size: int) -> None:
        self._reader = reader
        self._clock = clock
        self._batch_size = batch_size
        self._lock = threading.Lock()
        self._last_batch = clock.now()
        self._pending: list[PendingReadBack] = []

    def add(self, create: PendingReadBack) -> Sequence[PendingReadBack]:
        """Add a create. Return the batch that it completes, which the caller must read back, or nothing."""
        with self._lock:
            self._pending.append(create)
            is_full = len(self._pending) >= self._batch_size
            is_due = self._clock.now() - self._last_batch >= durations.READ_BACK_INTERVAL
            return self._take() if is_full and is_due else ()

    def take_rest(self) -> Sequence[PendingReadBack]:
        """Return the creates that are in no batch yet."""
        with self._lock:
            return self._take()

    def read_back(self, batch: Sequence[PendingReadBack]) -> Iterator[tuple[PendingReadBack, Problem | None]]:
        """Yield each create of a batch with its problem, as `read_back` returns it, or as reading failed."""
        listed = self._list() if batch else {}
        for create in batch:
            live, target = listed.get(create.id), create.change.desired.fields
            if live is not None and matches(live, target):
                yield create, None
                continue
            try:
                yield create, read_back(self._reader, self._clock, create.id, target)
            except ReconcilerError as error:
                yield create, error.problem

    def _take(self) -> Sequence[PendingReadBack]:
        taken, self._pending = self._pending, []
        self._last_batch = self._clock.now()
        return taken

    def _list(self) -> Mapping[str, Live]:
        """Return what is listed, by ID. It is empty if the listing fails: then each is read by itself."""
        try:
            return {live.id: live for live in self._reader.list_unverified().endpoints}
        except ReconcilerError:
            return {}


def batch_size(changes: Sequence[Change], *, account_size: int) -> int | None:
    """Return how many creates to read back at once, or None if reading them one by one is cheaper.

    `account_size` is the number of endpoints before the apply (count).
    """
    creates = sum(isinstance(change, Create) for change in changes)
    pages = -(-(account_size + creates) // PAGE_SIZE)
    size = max(MIN_BATCH_SIZE, creates // 4, 4 * pages)
    return size if creates >= size else None


def _describe_difference(kind: Kind, path: Path, kept: Value | Absent, sent: Value | Absent) -> str:
    name = ".".join(path)
    if _may_be_secret(kept) or _may_be_secret(sent) or kind.table.is_secret(path):
        return f"another {name}"
    where = "" if isinstance(sent, Absent) else f" where {_display(sent)} was sent"
    return f"no {name}{where}" if isinstance(kept, Absent) else f"{name} {_display(kept)}{where}"


def _may_be_secret(value: Value | Absent) -> bool:
    return not isinstance(value, Absent) and not is_plain_data(value)


def _display(value: Value) -> str:
    return json_line(mask(value))
