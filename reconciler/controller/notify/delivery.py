"""Delivers notifications: a bounded queue and a thread for each target, so that nothing waits for another."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from reconciler.controller.clock import Clock, SystemClock
from reconciler.controller.events import Event
from reconciler.controller.notify.messages import chat_text, json_message, slack_message, title
from reconciler.controller.notify.targets import Format, Target
from reconciler.controller.notify.webhook import Undelivered, post
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.sync import durations

MAX_QUEUE: Final = 100
"""Notifications (count) that wait for one target. The oldest is dropped for a newer one."""

Send = Callable[[], None]
"""Delivers one notification, or raises Undelivered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryCounts:
    """How many notifications were delivered, were dropped, and wait now, since the start."""

    delivered: int = 0
    dropped: int = 0
    waiting: int = 0


class Notifier:
    """Tells events to all targets. Thread-safe. Close it at the end, or use it as a context manager.

    report: gets a line when a target begins to fail, when it works again, and for what is dropped.
    """

    def __init__(
        self,
        targets: Sequence[Target],
        *,
        report: Callable[[str], None] = lambda _line: None,
        clock: Clock | None = None,
    ) -> None:
        self._queues = [_Queue(target, report, clock or SystemClock()) for target in targets]

    def tell(self, events: Sequence[Event]) -> None:
        """Queue the events of one round of one environment as one notification. Return at once."""
        if events:
            for queue in self._queues:
                queue.put(events)

    @property
    def counts(self) -> DeliveryCounts:
        """Return the counts of all targets together."""
        counts = [queue.counts for queue in self._queues]
        return DeliveryCounts(
            delivered=sum(one.delivered for one in counts),
            dropped=sum(one.dropped for one in counts),
            waiting=sum(one.waiting for one in counts),
        )

    def close(self, seconds: float = durations.DELIVERY_DRAIN) -> None:
        """Deliver what is queued, for at most so many seconds, and drop the rest. Safe to call again."""
        for queue in self._queues:
            queue.finish()
        clock = SystemClock()  # a thread that waits for a server needs real time
        end = clock.monotonic() + seconds
        for queue in self._queues:
            queue.end(max(end - clock.monotonic(), 0.0))

    def __enter__(self) -> Notifier:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Queue:
    """The notifications for one target, and the thread that delivers them, which ends after the last one."""

    def __init__(self, target: Target, report: Callable[[str], None], clock: Clock) -> None:
        self._target = target
        self._report = report
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: deque[tuple[float, Send]] = deque()
        self._thread: threading.Thread | None = None
        self._is_finishing = threading.Event()
        self._has_ended = threading.Event()
        self._is_failing = False
        self._delivered = self._dropped = 0

    @property
    def counts(self) -> DeliveryCounts:
        with self._lock:
            waiting = len(self._waiting)
            return DeliveryCounts(delivered=self._delivered, dropped=self._dropped, waiting=waiting)

    def put(self, events: Sequence[Event]) -> None:
        send = _sender(self._target, tuple(events))
        with self._lock:
            if is_full := len(self._waiting) >= MAX_QUEUE:
                self._waiting.popleft()
                self._dropped += 1
            self._waiting.append((self._clock.monotonic(), send))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="notify", daemon=True)
                self._thread.start()
        if is_full:
            self._report(f"a notification to {self._target.name} was dropped: {MAX_QUEUE} others wait")

    def finish(self) -> None:
        """Make pauses between attempts short, and attempts few."""
        self._is_finishing.set()

    def end(self, seconds: float) -> None:
        """Wait for the thread, at most so many seconds, and drop what waits."""
        with self._lock:
            thread = self._thread
        if thread:
            thread.join(seconds)
        self._has_ended.set()
        with self._lock:
            dropped = len(self._waiting)
            self._dropped += dropped
            self._waiting.clear()
        if dropped:
            self._report(f"{dropped} of the notifications to {self._target.name} were not delivered")

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._thread = None
                    return
                since, send = self._waiting[0]
            why = self._deliver(send, since)
            with self._lock:
                # Another one is first if this one was dropped meanwhile for a newer one.
                is_first = bool(self._waiting) and self._waiting[0][1] is send
                if is_first:
                    self._waiting.popleft()
                    self._delivered += not why
                    self._dropped += bool(why)
            if why and is_first:
                self._report(f"a notification to {self._target.name} was dropped: {why}")

    def _deliver(self, send: Send, since: float) -> str:
        """Try to deliver it until its time is over. Return "", or why it is dropped."""
        pause = durations.FIRST_DELIVERY_PAUSE
        last_pauses = iter(durations.DRAIN_PAUSES)
        while True:
            try:
                send()
            except Undelivered as error:
                failure = error
            except Exception as error:  # its text may have the URL, and the thread must go on
                failure = Undelivered(f"unexpected {type(error).__name__}", is_final=True)
            else:
                if self._is_failing:
                    self._is_failing = False
                    self._report(f"notifications to {self._target.name} are delivered again")
                return ""
            wait = max(pause, min(failure.retry_after, durations.MAX_DELIVERY_PAUSE))
            age = self._clock.monotonic() - since
            if failure.is_final or age + wait > durations.DELIVERY_BUDGET:
                return str(failure)
            if not self._is_failing:
                self._is_failing = True
                self._report(f"notifications to {self._target.name} wait: {failure}")
            if self._is_finishing.is_set():
                last = next(last_pauses, None)
                if last is None or self._has_ended.wait(last):
                    return str(failure)
            else:
                self._clock.wait(self._is_finishing, wait)
                pause = min(2 * pause, durations.MAX_DELIVERY_PAUSE)


def _sender(target: Target, events: Sequence[Event]) -> Send:
    match target.format:
        case Format.JSON:
            return partial(post, target, json_message(events))
        case Format.SLACK:
            return partial(post, target, slack_message(events))
        case Format.APPRISE:
            return partial(_send_by_apprise, target, title(events), chat_text(events))


def _send_by_apprise(target: Target, title: str, text: str) -> None:
    from reconciler.controller.notify.services import send_by_apprise  # takes a second, in this thread

    send_by_apprise(target, title, text)
