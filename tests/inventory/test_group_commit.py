"""The turn to write: one thread at a time, for all that wait, and none is forgotten."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from reconciler.inventory.group_commit import CommitQueue, CommitTicket


def started(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def wait_for(queue: CommitQueue[CommitTicket], count: int) -> None:
    """Until so many wait; nothing but the queue tells that a thread has come to rest."""
    deadline = time.monotonic() + 60
    while len(queue) != count:
        assert time.monotonic() < deadline
        time.sleep(0.0005)


def test_the_first_ticket_gets_the_turn() -> None:
    queue: CommitQueue[CommitTicket] = CommitQueue()
    ticket = CommitTicket()
    assert queue.enter(ticket) == [ticket]
    queue.leave([ticket])
    assert ticket.is_done


def test_the_next_group_has_all_waiting_tickets() -> None:
    queue: CommitQueue[CommitTicket] = CommitQueue()
    first = queue.enter(CommitTicket())
    groups: list[int] = []

    def come() -> None:
        group = queue.enter(CommitTicket())
        groups.append(len(group))
        if group:
            queue.leave(group)

    threads = [started(come) for _ in range(5)]
    wait_for(queue, 5)
    queue.leave(first)
    for thread in threads:
        thread.join(60)
    assert sorted(groups) == [0, 0, 0, 0, 5]


def test_an_exclusive_ticket_is_in_a_group_of_its_own() -> None:
    queue: CommitQueue[CommitTicket] = CommitQueue()
    first = queue.enter(CommitTicket())
    groups: list[list[bool]] = []

    def come(is_exclusive: bool) -> None:
        group = queue.enter(CommitTicket(is_exclusive=is_exclusive))
        if group:
            groups.append([ticket.is_exclusive for ticket in group])
            queue.leave(group)

    threads = []
    for number, is_exclusive in enumerate((False, True, False, False), 1):
        threads.append(started(lambda is_exclusive=is_exclusive: come(is_exclusive)))
        wait_for(queue, number)
    queue.leave(first)
    for thread in threads:
        thread.join(60)
    assert groups == [[False], [True], [False, False]]


class Interrupted(CommitTicket):
    """Its thread gets a Ctrl-C while it waits, before or after its turn has come."""

    def __init__(self, before: Callable[[], None]) -> None:
        super().__init__()
        self.before = before
        self.wake = self  # type: ignore[assignment]  # stands in for its lock

    def acquire(self) -> None:
        self.before()
        raise KeyboardInterrupt

    def release(self) -> None: ...


@pytest.mark.parametrize("turn_has_come", [False, True])
def test_the_turn_does_not_stay_with_an_interrupted_thread(turn_has_come: bool) -> None:
    queue: CommitQueue[CommitTicket] = CommitQueue()
    first = queue.enter(CommitTicket())
    gone = Interrupted(lambda: queue.leave(first) if turn_has_come else None)
    with pytest.raises(KeyboardInterrupt):
        queue.enter(gone)
    if not turn_has_come:
        queue.leave(first)
    assert len(queue) == 0
    after = CommitTicket()
    assert queue.enter(after) == [after]
    assert not gone.is_done


def test_the_turn_passes_an_interrupted_thread() -> None:
    queue: CommitQueue[CommitTicket] = CommitQueue()
    first = queue.enter(CommitTicket())
    is_done: list[int] = []

    def come() -> None:
        group = queue.enter(CommitTicket())
        is_done.append(len(group))
        queue.leave(group)

    def until_another_waits() -> None:
        thread.append(started(come))
        wait_for(queue, 2)
        queue.leave(first)

    thread: list[threading.Thread] = []
    with pytest.raises(KeyboardInterrupt):
        queue.enter(Interrupted(until_another_waits))
    thread[0].join(60)
    assert is_done == [1]
