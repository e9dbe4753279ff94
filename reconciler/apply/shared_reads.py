"""Reads for the changes of one stage: one listing for many of them, or a request for each of a few.

A listing costs a request for each page and one for its end. What it shows is as good as a read of each
endpoint: before a write, that nothing has changed since the plan; after it, that the account has the values.
What it does not show as expected is read by its ID, because listings may lag behind. A listing without a
deleted endpoint proves that it is gone only if it is complete, and an earlier listing showed the endpoint.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple, TypeAlias

from reconciler.apply.clock import Clock
from reconciler.apply.read_back import Condition, Visible
from reconciler.model import durations
from reconciler.model.errors import ReconcilerError
from reconciler.model.problem import Problem
from reconciler.model.resource import Live
from reconciler.novita.account import AccountReader
from reconciler.novita.pagination import PAGE_SIZE
from reconciler.novita.thread_pool import DaemonThreadPool

Outcome: TypeAlias = Problem | ReconcilerError | None
"""None if a condition is met, the problem if it is not met in time, the error if the read failed."""

Read: TypeAlias = Live | ReconcilerError | None
"""The endpoint, None if it does not exist, or the error if the read failed."""

MIN_LISTED_CREATES = 32
"""Creates (count) from which a listing reads them back. Fewer are read by their IDs, because a new endpoint
may be listed before it can be read by its ID, as the next change of it requires."""

READS_PER_REQUEST = 4
"""Endpoints (count) that a request of a listing must read back while changes are still being written."""


class Wait:
    """A condition that a change waits for. `since` is the start of the wait (s on the clock)."""

    def __init__(self, condition: Condition, since: float) -> None:
        self.condition = condition
        self.since = since
        self.polls = 0
        self.single_reads = 0

    @property
    def deadline(self) -> float:
        """The time at which the next read is the last one (s on the clock)."""
        return self.since + self.condition.timeout


class _Listed(NamedTuple):
    """The endpoints of a listing by their IDs. Only a complete one proves that an endpoint is gone."""

    endpoints: dict[str, Live]
    is_complete: bool


class SharedReads:
    """The reads of one stage. One thread polls; any thread may call `check`.

    `account_size` is the number of endpoints, with those that the stage creates.
    """

    def __init__(
        self, reader: AccountReader, clock: Clock, *, parallelism: int, account_size: int, creates: int = 0
    ) -> None:
        self._reader = reader
        self._creates = creates
        self._clock = clock
        self._parallelism = parallelism
        self._requests = -(-account_size // PAGE_SIZE) + 1
        self._can_list = True
        self._recent: dict[str, Live] = {}
        self._listed_at: float | None = None
        self._seen: set[str] = set()
        self._urls: dict[str, str] = {}

    @property
    def has_fresh_listing(self) -> bool:
        """Return whether `check` needs no new listing: one is recent, or none is worth its cost."""
        return self._listed_at is not None and self._age(self._listed_at) < durations.MAX_CHECK_AGE

    def check(self, planned: Live, is_as_planned: Callable[[Live], bool]) -> Live | None:
        """Return the endpoint as it is right before its write, or None if it is gone.

        The recent listing is believed once for each endpoint, and only if it shows what was planned.
        """
        recent = self._recent if self.has_fresh_listing else {}
        live = recent.pop(planned.id, None)
        return live if live is not None and is_as_planned(live) else self._reader.get(planned.id)

    def url_of(self, object_id: str) -> str | None:
        """Return the URL of an endpoint that was read; None if none of these reads showed the endpoint."""
        return self._urls.get(object_id)

    def is_read_at_once(self, wait: Wait) -> bool:
        """Return whether the thread that made an endpoint reads it back first; few creates share no read."""
        return (
            isinstance(wait.condition, Visible)
            and wait.condition.is_new
            and self._creates < MIN_LISTED_CREATES
        )

    def due(self, waits: Sequence[Wait]) -> Sequence[Wait]:
        """Return the waits to poll while other changes are being written.

        Deletes come last, because a listing cannot be proven complete while endpoints are being deleted.
        """
        if self._longest_age(waits) >= durations.MAX_READ_BACK_INTERVAL:
            return waits
        written = [wait for wait in waits if isinstance(wait.condition, Visible)]
        is_cheap = len(written) <= self._requests or len(written) >= READS_PER_REQUEST * self._requests
        return written if is_cheap and self._longest_age(written) >= durations.READ_BACK_INTERVAL else ()

    def poll(self, waits: Sequence[Wait], *, checks: int = 0) -> Iterator[tuple[Wait, Outcome]]:
        """Read once for all waits, and yield those that are over.

        `checks` is the number of changes to be verified next (count).
        """
        new = [wait for wait in waits if isinstance(wait.condition, Visible) and wait.condition.is_new]
        if len(new) < MIN_LISTED_CREATES:
            yield from self._poll_singly(new)
            waits = [wait for wait in waits if wait not in new]
        if waits or checks:
            yield from self._poll_together(waits, checks)

    def _poll_singly(self, waits: Sequence[Wait]) -> Iterator[tuple[Wait, Outcome]]:
        began = self._clock.now()
        for wait in waits:
            wait.polls += 1
        yield from self._outcomes(self._get_many(waits), began)

    def _poll_together(self, waits: Sequence[Wait], checks: int) -> Iterator[tuple[Wait, Outcome]]:
        """Poll by one listing if it takes fewer requests, and singly what it does not show as expected."""
        began = self._clock.now()
        listing, reads = None, dict[Wait, Read]()
        if self._can_list and len(waits) + checks > self._requests:
            listing, reads = self._list_and_probe(waits)
        if checks:
            self._use_for_checks(listing, began)
        left = []
        for wait in waits:
            if self._is_met_in(listing, wait.condition):
                yield wait, None
            else:
                left.append(wait)
                wait.polls += 1
        reads = {wait: read for wait, read in reads.items() if wait in left}
        if left and listing is not None and not reads:
            reads = {left[0]: self._get(left[0])}
        is_late = any(_is_met_by(wait, read) for wait, read in reads.items())
        rest = [wait for wait in left if listing is None or is_late or began >= wait.deadline]
        others = self._get_many(wait for wait in rest if wait not in reads)
        yield from self._outcomes(chain(reads.items(), others), began)

    def _outcomes(self, reads: Iterable[tuple[Wait, Read]], began: float) -> Iterator[tuple[Wait, Outcome]]:
        """Yield the waits that single reads end. `began` is the start of the poll (s on the clock)."""
        for wait, read in reads:
            if isinstance(read, ReconcilerError):
                yield wait, read
            elif wait.condition.is_met(read):
                yield wait, None
            elif began >= wait.deadline:
                yield wait, wait.condition.problem(read)

    def _list_and_probe(self, waits: Sequence[Wait]) -> tuple[_Listed | None, dict[Wait, Read]]:
        """Return the listing, None if it failed, and the read of one endpoint that an earlier one lacked.

        The read shows whether listings are behind reads.
        """
        probe = min((wait for wait in waits if wait.polls), key=lambda wait: wait.single_reads, default=None)
        with DaemonThreadPool(1) as pool:
            reading = pool.submit(self._get, probe) if probe is not None else None
            listing = self._list()
            if probe is None or reading is None:
                return listing, {}
            return listing, {probe: reading.result()}

    def _list(self) -> _Listed | None:
        """Return what is listed, or None if the listing fails. Then this stage makes no other."""
        try:
            listing = self._reader.list_unverified()
        except ReconcilerError:
            self._can_list = False
            return None
        self._requests = listing.requests
        listed = _Listed({live.id: live for live in listing.endpoints}, listing.is_complete)
        self._seen.update(listed.endpoints)
        self._urls.update((live.id, live.url) for live in listing.endpoints)
        return listed

    def _is_met_in(self, listing: _Listed | None, condition: Condition) -> bool:
        """Return whether a listing proves that the condition is met."""
        if listing is None:
            return False
        live = listing.endpoints.get(condition.id)
        if live is None and not (listing.is_complete and condition.id in self._seen):
            return False
        return condition.is_met(live)

    def _use_for_checks(self, listing: _Listed | None, began: float) -> None:
        """Let `check` use a listing, unless there is none or it took too long; then it reads singly."""
        if listing is None or self._age(began) > durations.MAX_CHECK_AGE / 2:
            self._recent, self._listed_at = {}, math.inf
        else:
            self._recent, self._listed_at = dict(listing.endpoints), began

    def _get_many(self, waits: Iterable[Wait]) -> Iterator[tuple[Wait, Read]]:
        """Read endpoints by their IDs, in parallel."""
        waits = tuple(waits)
        if len(waits) == 1:
            yield waits[0], self._get(waits[0])
            return
        with DaemonThreadPool(self._parallelism) as pool:
            for wait, future in [(wait, pool.submit(self._get, wait)) for wait in waits]:
                yield wait, future.result()

    def _get(self, wait: Wait) -> Read:
        wait.single_reads += 1
        try:
            live = self._reader.get(wait.condition.id)
        except ReconcilerError as error:
            return error
        if live is not None:
            self._urls[live.id] = live.url
        return live

    def _longest_age(self, waits: Sequence[Wait]) -> float:
        return max((self._age(wait.since) for wait in waits), default=0.0)

    def _age(self, time: float) -> float:
        return self._clock.now() - time


def _is_met_by(wait: Wait, read: Read) -> bool:
    return not isinstance(read, ReconcilerError) and wait.condition.is_met(read)
