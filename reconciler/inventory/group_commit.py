"""A queue for group commit: one thread writes at a time, and writes for all that wait.

The turn passes from one thread to the next. Each thread is woken once: when its entries were written, or when
it has to write. With one condition for all, 32 threads would wake each other for nothing after every write.
"""

from __future__ import annotations

import threading
from typing import Generic, TypeVar


class CommitTicket:
    """A place in the queue. An `is_exclusive` ticket is never in a group with others."""

    __slots__ = ("is_done", "is_exclusive", "wake")

    def __init__(self, *, is_exclusive: bool = False) -> None:
        self.is_exclusive = is_exclusive
        self.is_done = False
        self.wake = threading.Lock()
        self.wake.acquire()


T = TypeVar("T", bound=CommitTicket)


class CommitQueue(Generic[T]):
    """The tickets that wait for the turn. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards the three below
        self._waiting: list[T] = []
        self._next: T | None = None
        self._is_taken = False

    def __len__(self) -> int:
        """Return how many tickets wait."""
        return len(self._waiting)

    def enter(self, ticket: T) -> list[T]:
        """Wait for the turn. Return the group to write, this ticket first, or nothing if it was written.

        The caller must pass a group to `leave` in the end, even if the write fails.
        """
        with self._lock:
            self._waiting.append(ticket)
            must_wait, self._is_taken = self._is_taken, True
        if must_wait:
            try:
                ticket.wake.acquire()
            except BaseException:  # an interrupt: the turn must not stay with a thread that is gone
                self._withdraw(ticket)
                raise
            if ticket.is_done:
                return []
        with self._lock:
            self._next = None
            count = next(
                (n for n, waiting in enumerate(self._waiting) if waiting.is_exclusive), len(self._waiting)
            )
            group = self._waiting[: max(count, 1)]
            del self._waiting[: len(group)]
            return group

    def leave(self, group: list[T]) -> None:
        """Mark the tickets as done. Wake their threads, and the one that has the turn now."""
        with self._lock:
            self._next = self._waiting[0] if self._waiting else None
            self._is_taken = self._next is not None
            following = self._next
        for ticket in group:
            ticket.is_done = True
        for ticket in group[1:]:
            ticket.wake.release()
        if following is not None:
            following.wake.release()

    def _withdraw(self, ticket: T) -> None:
        with self._lock:
            was_next = self._next is ticket
            if ticket in self._waiting:
                self._waiting.remove(ticket)
        if was_next:
            self.leave([])
