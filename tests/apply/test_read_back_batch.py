"""When creates are read back together: not before a batch is full, and not faster than a person reads."""

from __future__ import annotations

from typing import cast

from reconciler.apply.read_back_batch import EVERY, ReadBack, Unread
from reconciler.model.plan import Create
from reconciler.novita.account import AccountReader


class Clock:
    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        return self.time

    def wait(self, seconds: float) -> None:
        self.time += seconds


def unread(number: int) -> Unread:
    return Unread(change=cast(Create, None), id=str(number), seconds=0.0)


def test_a_batch_is_read_when_it_is_full_and_some_time_has_passed() -> None:
    clock = Clock()
    later = ReadBack(cast(AccountReader, None), clock, size=3)
    assert [len(later.add(unread(number))) for number in range(5)] == [0] * 5
    clock.wait(EVERY)
    assert [one.id for one in later.add(unread(5))] == ["0", "1", "2", "3", "4", "5"]
    clock.wait(EVERY)
    assert [len(later.add(unread(number))) for number in range(3)] == [0, 0, 3]
    later.add(unread(9))
    assert [one.id for one in later.rest()] == ["9"]
    assert later.rest() == []
