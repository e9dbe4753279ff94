"""Who writes next: one at a time has the turn, and takes along all who came while it was another's.

The turn is handed from one to the next, and each is woken once: when it is served, or when it is to serve.
With one condition for all, 32 threads would wake each other for nothing after every write.
"""

from __future__ import annotations

import threading
from typing import Generic, TypeVar


class Ticket:
    """A place in the queue. One that is `alone` takes nobody along and is taken by nobody."""

    __slots__ = ("alone", "called", "served")

    def __init__(self, *, alone: bool = False) -> None:
        self.alone = alone
        self.served = False
        self.called = threading.Lock()
        self.called.acquire()


T = TypeVar("T", bound=Ticket)


class Queue(Generic[T]):
    """Every method may be called from any thread."""

    def __init__(self) -> None:
        self._guard = threading.Lock()  # of the three below
        self._waiting: list[T] = []
        self._next: T | None = None
        self._is_taken = False

    def __len__(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def join(self, ticket: T) -> list[T]:
        """Wait. Those to serve now, this one first; or none, when another has served this one.

        Who is given some must give them to `leave` in the end, whatever happens.
        """
        with self._guard:
            self._waiting.append(ticket)
            must_wait, self._is_taken = self._is_taken, True
        if must_wait:
            try:
                ticket.called.acquire()
            except BaseException:  # an interrupt: nobody must wait for one who is no longer here
                self._give_up(ticket)
                raise
            if ticket.served:
                return []
        with self._guard:
            self._next = None
            count = next((n for n, one in enumerate(self._waiting) if one.alone), len(self._waiting))
            group = self._waiting[: max(count, 1)]
            del self._waiting[: len(group)]
            return group

    def leave(self, group: list[T]) -> None:
        """All of these are served: wake them, and the one whose turn it is now."""
        with self._guard:
            self._next = self._waiting[0] if self._waiting else None
            self._is_taken = self._next is not None
            called = self._next
        for ticket in group:
            ticket.served = True
        for ticket in group[1:]:
            ticket.called.release()
        if called is not None:
            called.called.release()

    def _give_up(self, ticket: T) -> None:
        with self._guard:
            was_next = self._next is ticket
            if ticket in self._waiting:
                self._waiting.remove(ticket)
        if was_next:
            self.leave([])
