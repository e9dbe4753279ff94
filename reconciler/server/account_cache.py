"""The last listing of the account, shared by all readers: its age, and notifications about its changes.

While there are readers, the account is listed once an interval, for all of them. Without readers for a while,
it is not listed, and the next reader waits for a new listing.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import field, replace
from datetime import datetime
from typing import Final

from reconciler.model.durations import MAX_STALENESS, READER_MEMORY
from reconciler.model.errors import ReconcilerError
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.resource import Live
from reconciler.model.status import EndpointInfo, ReplicaEvent
from reconciler.workflow.endpoints import LocalState, load_local_state
from reconciler.workflow.runtime.account import new_client, reader
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.runtime.files.memory import FileMemory
from reconciler.workflow.runtime.live import list_complete
from reconciler.workflow.runtime.settings import valid_settings
from reconciler.workflow.watch import events_between


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The account at one time.

    number: counts the snapshots of this process from 1. taken_at: when its listing began, in UTC. started:
    the same on the monotonic clock. live: the endpoints as Novita reports them. infos: the same by name,
    redacted, with who manages them. local: settings, inventory and declarations at that time. events: the
    changes since the previous snapshot. spec_names: the first spec of specs.yaml for a product and a region.
    list_json: the answer to readers of the whole list.
    """

    number: int
    taken_at: datetime
    started: float
    live: tuple[Live, ...] = field(repr=False)
    infos: tuple[EndpointInfo, ...]
    local: LocalState = field(repr=False)
    events: tuple[ReplicaEvent, ...] = ()
    spec_names: Mapping[tuple[str, str], str] = field(default_factory=dict, repr=False)
    list_json: bytes = field(default=b"", repr=False)

    def spec_of(self, info: EndpointInfo) -> str:
        """Return the name of an endpoint's spec, or ""."""
        return self.spec_names.get((info.product, info.region), "")

    @property
    def age(self) -> float:
        """Return the seconds since its listing began."""
        return time.monotonic() - self.started


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenEvent:
    """A change of an endpoint that this process has seen. number: counts from 1. old_status: "" if new."""

    number: int
    seen_at: datetime
    event: ReplicaEvent
    old_status: str


MAX_EVENTS: Final = 1000
"""Events that are kept (count)."""


class AccountReadings:
    """Reads of one account with one read-only client, which stays open. Blocking.

    current: returns the context, whose folder may change.
    """

    def __init__(self, current: Callable[[], Context]) -> None:
        context = current()
        self.settings = valid_settings(context, lenient=True)
        self._current = current
        self._client = new_client(context, self.settings, read_only=True)
        with reader(replace(context, client=self._client), self.settings) as account:
            self._account = account
        self._files = FileMemory()
        self._number = 0

    def take(self, previous: Snapshot | None) -> Snapshot:
        """List the account. Raise ReconcilerError."""
        context = self._current()
        taken_at, started = context.now(), time.monotonic()
        local = load_local_state(context, self._files)
        recorded_ids = (record.id for record in local.inventory.records.values())
        live = list_complete(self._account, recorded_ids).endpoints
        infos = local.describe(live, live, taken_at)
        self._number += 1
        events = events_between(previous.infos, infos) if previous else ()
        return Snapshot(
            number=self._number,
            taken_at=taken_at,
            started=started,
            live=live,
            infos=infos,
            local=local,
            events=events,
        )

    def close(self) -> None:
        self._client.close()


class AccountCache:
    """The last snapshot of an account, for the tasks of one event loop.

    take: lists the account, called with the last snapshot in a thread. interval: seconds between listings.
    """

    def __init__(self, take: Callable[[Snapshot | None], Snapshot], *, interval: float) -> None:
        self._take = take
        self._interval = interval
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="listing")
        self._flight: asyncio.Task[Snapshot] | None = None
        self._expired_at = 0.0
        self._duration = 0.0
        self._last_request = -READER_MEMORY
        self._requested = asyncio.Event()
        self._changed = asyncio.Condition()
        self._watchers = 0
        self._events = 0
        self.history: deque[SeenEvent] = deque(maxlen=MAX_EVENTS)
        self.latest: Snapshot | None = None
        self.failure: ReconcilerError | None = None

    async def get(self, *, fresh: bool = False) -> Snapshot:
        """Return the last snapshot, or with `fresh` one whose listing begins now.

        Raise ReconcilerError if there is none that is recent enough.
        """
        self.note_request()
        now = self._last_request
        since = now if fresh else max(self._expired_at, now - self._usual_age)
        while (latest := self.latest) is None or latest.started < since:
            try:
                await self.refresh()
            except ReconcilerError:
                if fresh or latest is None or latest.started < max(self._expired_at, now - MAX_STALENESS):
                    raise
                return latest
        return latest

    @property
    def _usual_age(self) -> float:
        """Return the age (seconds) that a snapshot may have while the account is listed once an interval."""
        return max(1.5 * self._interval, self._interval + 2 * self._duration)

    async def refresh(self) -> Snapshot:
        """List the account now, or wait for the listing that is under way. Raise ReconcilerError."""
        if self._flight is None:
            self._flight = asyncio.create_task(self._list())
        return await asyncio.shield(self._flight)

    def note_request(self) -> None:
        """Keep the snapshot recent for a while, as a reader does that cannot wait for one."""
        self._last_request = time.monotonic()
        self._requested.set()

    def expire(self) -> None:
        """Make the next reader wait for a listing that begins after now, because something was written."""
        self._expired_at = time.monotonic()

    async def changes(self) -> AsyncGenerator[Snapshot]:
        """Yield the last snapshot, each newer one, and the last one again when listings begin to fail.

        A slow consumer skips snapshots.
        """
        seen: tuple[int, str] | None = None
        self._watchers += 1
        self._requested.set()
        try:
            while True:
                async with self._changed:
                    while (latest := self.latest) is None or self._state == seen:
                        await self._changed.wait()
                seen = self._state
                yield latest
        finally:
            self._watchers -= 1
            self._last_request = time.monotonic()

    async def run(self) -> None:
        """List the account once an interval while there are readers, until cancelled."""
        while True:
            await self._requested.wait()
            age = self.latest.age if self.latest else self._interval
            is_expired = self.latest is not None and self.latest.started < self._expired_at
            if age < self._interval and not is_expired:
                await asyncio.sleep(self._interval - age)
            elif self._watchers or time.monotonic() - self._last_request < READER_MEMORY:
                with suppress(ReconcilerError):
                    await self.refresh()
                if self.failure is not None:
                    await asyncio.sleep(self._interval)
            else:
                self._requested.clear()

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _list(self) -> Snapshot:
        try:
            loop = asyncio.get_running_loop()
            snapshot = await loop.run_in_executor(self._thread, self._take, self.latest)
        except ReconcilerError as error:
            self.failure = error
            raise
        else:
            self._remember(self.latest, snapshot)
            self.latest, self.failure = snapshot, None
            self._duration = snapshot.age
            return snapshot
        finally:
            self._flight = None
            async with self._changed:
                self._changed.notify_all()

    @property
    def _state(self) -> tuple[int, str]:
        """Return what `changes` tells about: the number of the snapshot, and the failure since."""
        number = self.latest.number if self.latest else 0
        return number, self.failure.problem.summary if self.failure else ""

    def _remember(self, previous: Snapshot | None, snapshot: Snapshot) -> None:
        before = {info.id: info.status.value for info in previous.infos} if previous else {}
        for event in snapshot.events:
            self._events += 1
            self.history.append(
                SeenEvent(
                    number=self._events,
                    seen_at=snapshot.taken_at,
                    event=event,
                    old_status=before.get(event.id, ""),
                )
            )
