"""Performs the changes of one stage: several threads write, and the calling thread reads for all of them.

A thread performs a change up to a read that others need too, and then the next change. When all threads
are idle, one read serves all changes that wait, and verifies those that are to be written next.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Protocol

from reconciler.apply.clock import Clock, next_pause
from reconciler.apply.read_back import Condition
from reconciler.apply.shared_reads import Outcome, SharedReads, Wait
from reconciler.model import durations

MIN_TASKS: Final = 32
"""Tasks (count) from which a stage has more threads than calls. Fewer hardly gain by it."""


class Task(Protocol):
    """A change that is performed up to its next wait.

    `needs_check`: it must be verified right before its first write.
    """

    @property
    def needs_check(self) -> bool: ...

    def advance(self, outcome: Outcome) -> Condition | None:
        """Go on after a wait, or begin. Return the next condition to wait for, or None at the end."""


class Stage:
    """The tasks of one stage. `is_stopped` returns whether the rest shall not begin; each task notes why."""

    def __init__(
        self, tasks: Iterable[Task], reads: SharedReads, clock: Clock, *, is_stopped: Callable[[], bool]
    ) -> None:
        self._reads = reads
        self._clock = clock
        self._is_stopped = is_stopped
        self._lock = threading.Lock()  # guards all below
        self._has_work = threading.Condition(self._lock)
        self._is_idle = threading.Condition(self._lock)
        self._unstarted = deque(tasks)
        self._resumed: deque[tuple[Task, Outcome]] = deque()
        self._waits: dict[Wait, Task] = {}
        self._active = 0
        self._is_sequential = False
        self._is_closed = False

    def run(self, parallelism: int) -> None:
        """Perform all tasks. `parallelism`: calls at once (count). If it is 1, each ends before the next."""
        self._is_sequential = parallelism == 1
        count = _thread_count(self._unstarted, parallelism)
        with ThreadPoolExecutor(count, thread_name_prefix="apply") as pool:
            threads = [pool.submit(self._work) for _ in range(count)]
            try:
                self._read_until_done()
            except KeyboardInterrupt:
                self._finish_what_began()
                raise
            finally:
                self._close()
        for thread in threads:
            thread.result()

    def _work(self) -> None:
        try:
            while (job := self._next()) is not None:
                task, outcome = job
                wait = self._advance(task, outcome)
                while wait is not None and self._reads.is_read_at_once(wait):
                    over = [ending for _, ending in self._reads.poll((wait,))]
                    if not over:
                        break
                    wait = self._advance(task, over[0])
                self._end_job(task, wait)
        finally:
            self._close()

    def _next(self) -> tuple[Task, Outcome] | None:
        """Return the next task and its outcome, or None if there is none left."""
        with self._lock:
            while not self._is_closed:
                if self._resumed:
                    self._active += 1
                    return self._resumed.popleft()
                if self._can_start():
                    self._active += 1
                    return self._unstarted.popleft(), None
                if not self._active:
                    self._is_idle.notify()
                self._has_work.wait()
            return None

    def _advance(self, task: Task, outcome: Outcome) -> Wait | None:
        """Perform a task up to its next wait, and return that; None at the end."""
        condition = task.advance(outcome)
        return None if condition is None else Wait(condition, self._clock.now())

    def _end_job(self, task: Task, wait: Wait | None) -> None:
        with self._lock:
            self._active -= 1
            if wait is not None:
                self._waits[wait] = task

    def _can_start(self) -> bool:
        """Return whether the next task may begin: it is verified if it must be, or only notes the stop."""
        if not self._unstarted or (self._is_sequential and self._waits):
            return False
        return not self._unstarted[0].needs_check or self._reads.has_fresh_listing or self._is_stopped()

    def _close(self) -> None:
        """Let the threads end, after their jobs."""
        with self._lock:
            self._is_closed = True
            self._has_work.notify_all()
            self._is_idle.notify()

    def _read_until_done(self) -> None:
        while (batch := self._next_batch()) is not None:
            waits, checks = batch
            for wait, outcome in self._reads.poll(waits, checks=checks):
                with self._lock:
                    self._resumed.append((self._waits.pop(wait), outcome))
                    self._has_work.notify()
            with self._lock:
                self._has_work.notify_all()

    def _finish_what_began(self) -> None:
        """End the changes that began: a replacement must not end between its delete and its create."""
        with self._lock:
            self._unstarted.clear()
        self._read_until_done()

    def _next_batch(self) -> tuple[tuple[Wait, ...], int] | None:
        """Wait until it is time to read. Return the waits and the number of checks, or None at the end."""
        with self._lock:
            while not self._is_closed:
                waits = tuple(self._waits)
                if self._resumed or self._can_start():
                    self._has_work.notify_all()
                elif not self._active:
                    break
                if due := self._reads.due(waits):
                    return tuple(due), 0
                self._is_idle.wait(durations.INTERRUPT_CHECK)
            if self._is_closed or not (waits or self._unstarted):
                return None
            is_listed_at = self._reads.has_fresh_listing
            checks = 0 if is_listed_at else sum(task.needs_check for task in self._unstarted)
        if not checks and all(wait.polls for wait in waits):
            self._pause(waits)
        return waits, checks

    def _pause(self, waits: Sequence[Wait]) -> None:
        """Wait a little, because the last read did not show what is expected. All threads are idle."""
        now = self._clock.now()
        longest = min(wait.condition.max_poll for wait in waits)
        pause = next_pause(now - max(wait.since for wait in waits), longest=longest)
        self._clock.wait(max(min(pause, min(wait.deadline for wait in waits) - now), 0.0))


def _thread_count(tasks: Collection[Task], parallelism: int) -> int:
    """Return the number of threads for tasks with so many calls at once, which the client limits.

    A create waits twice until the journal is durable. Meanwhile another thread makes the call. What is
    verified right before its write must not wait for its call afterwards.
    """
    is_wider = parallelism > 1 and len(tasks) >= MIN_TASKS and not any(task.needs_check for task in tasks)
    return min(parallelism + parallelism // 2 if is_wider else parallelism, len(tasks))
