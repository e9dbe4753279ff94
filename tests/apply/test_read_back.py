"""Batches of creates that are read back together: a batch is full, and some seconds after the last one."""

from __future__ import annotations

from typing import cast

from reconciler.apply.read_back import PendingReadBack, ReadBackQueue
from reconciler.model import durations
from reconciler.model.plan import Create
from reconciler.novita.account import AccountReader


class Clock:
    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        return self.time

    def wait(self, seconds: float) -> None:
        self.time += seconds


def pending(number: int) -> PendingReadBack:
    return PendingReadBack(change=cast(Create, None), id=str(number), seconds=0.0)


def test_a_batch_is_read_when_it_is_full_and_some_time_has_passed() -> None:
    clock = Clock()
    queue = ReadBackQueue(cast(AccountReader, None), clock, batch_size=3)
    assert [len(queue.add(pending(number))) for number in range(5)] == [0] * 5
    clock.wait(durations.READ_BACK_INTERVAL)
    assert [one.id for one in queue.add(pending(5))] == ["0", "1", "2", "3", "4", "5"]
    clock.wait(durations.READ_BACK_INTERVAL)
    assert [len(queue.add(pending(number))) for number in range(3)] == [0, 0, 3]
    queue.add(pending(9))
    assert [one.id for one in queue.take_rest()] == ["9"]
    assert queue.take_rest() == []
