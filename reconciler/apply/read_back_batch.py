"""Many creates, read back by few listings: who fills a batch reads it back for all.

A listing costs a request for every hundred endpoints of the account, and reading one by one a request each.
So batches are larger than the account has pages, and no faster than a person reads; what a listing does not
show as written is read by itself.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from reconciler.apply.clock import Clock
from reconciler.apply.read_back import matches, read_back
from reconciler.model.errors import ReconcilerError
from reconciler.model.plan import Change, Create
from reconciler.model.problem import Problem
from reconciler.model.resource import Live
from reconciler.novita.account import AccountReader
from reconciler.novita.pagination import PAGE_SIZE

SMALLEST: Final = 32
"""Creates (count); fewer are read back one by one, each as soon as it is made."""

EVERY: Final = 2.0
"""Seconds between two batches at the least: so long may somebody wait to be told of a create."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """A create that was made and recorded; `seconds` is how long that took."""

    change: Create
    id: str
    seconds: float


class ReadBack:
    """The batches of one stage. Every method may be called from any thread."""

    def __init__(self, reader: AccountReader, clock: Clock, *, size: int) -> None:
        self._reader = reader
        self._clock = clock
        self._size = size
        self._guard = threading.Lock()
        self._last = clock.now()
        self._waiting: list[Unread] = []

    def add(self, one: Unread) -> Sequence[Unread]:
        """The batch that this one completes, for the caller to read back; else nothing."""
        with self._guard:
            self._waiting.append(one)
            is_full = len(self._waiting) >= self._size
            return self._taken() if is_full and self._clock.now() - self._last >= EVERY else ()

    def rest(self) -> Sequence[Unread]:
        """What is in no batch yet."""
        with self._guard:
            return self._taken()

    def read(self, batch: Sequence[Unread]) -> Iterator[tuple[Unread, Problem | None]]:
        """What Novita kept otherwise of each, or why it cannot be told."""
        listed = self._listed() if batch else {}
        for one in batch:
            live, target = listed.get(one.id), one.change.desired.fields
            if live is not None and matches(live, target):
                yield one, None
                continue
            try:
                yield one, read_back(self._reader, self._clock, one.id, target)
            except ReconcilerError as error:
                yield one, error.problem

    def _taken(self) -> Sequence[Unread]:
        taken, self._waiting = self._waiting, []
        self._last = self._clock.now()
        return taken

    def _listed(self) -> Mapping[str, Live]:
        """What is listed, by ID; nothing where that fails, for then each is read by itself."""
        try:
            return {live.id: live for live in self._reader.glimpse().endpoints}
        except ReconcilerError:
            return {}


def batches(changes: Sequence[Change], *, account: int) -> int | None:
    """How many creates to read back at once; None where one by one is cheaper.

    `account` is how many endpoints there were before (count).
    """
    creates = sum(isinstance(change, Create) for change in changes)
    pages = -(-(account + creates) // PAGE_SIZE)
    size = max(SMALLEST, creates // 4, 4 * pages)
    return size if creates >= size else None
