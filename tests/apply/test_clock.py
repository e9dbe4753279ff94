"""Pauses between reads: short at first, a share of the time waited, and never longer than a limit."""

from __future__ import annotations

from itertools import pairwise

import pytest

from reconciler.apply.clock import poll
from reconciler.model import durations


class Clock:
    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        return self.time

    def wait(self, seconds: float) -> None:
        self.time += seconds


def polls(within: float, longest: float) -> list[float]:
    clock = Clock()
    return [clock.time for _ in poll(clock, within=within, longest=longest)]


def test_the_first_read_comes_at_once_and_the_last_at_the_end() -> None:
    times = polls(8.0, 0.5)
    assert (times[0], times[-1]) == (0.0, 8.0)
    pauses = [after - before for before, after in pairwise(times)]
    assert pauses[0] == durations.FIRST_POLL
    assert max(pauses) <= 0.5 + 1e-9


@pytest.mark.parametrize("lag", [0.3, 1.0, 2.5, 3.0, 5.0])
def test_a_result_is_noticed_soon_after_it_is_there(lag: float) -> None:
    noticed = next(time for time in polls(8.0, durations.MAX_VISIBLE_POLL) if time >= lag)
    assert noticed - lag <= max(durations.FIRST_POLL, durations.POLL_SHARE * lag)


def test_a_wait_of_no_time_reads_once() -> None:
    assert polls(0.0, 1.0) == [0.0]
