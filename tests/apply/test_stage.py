"""A stage: threads perform tasks from wait to wait, and one thread reads for all of them."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import cast

import pytest

from reconciler.apply.clock import SystemClock
from reconciler.apply.read_back import Condition, Visible
from reconciler.apply.shared_reads import Outcome, SharedReads, Wait
from reconciler.apply.stage import Stage


class Reads:
    """Reads that meet every condition at once, and note how many waits and checks each of them served.

    at_once: the thread of a task reads first. late: conditions (count) that the first reads do not meet.
    """

    def __init__(self, *, at_once: bool = False, late: int = 0) -> None:
        self.polls: list[tuple[int, int]] = []
        self.threads: set[str] = set()
        self.has_fresh_listing = False
        self._at_once, self._late = at_once, late

    def is_read_at_once(self, _wait: Wait) -> bool:
        return self._at_once

    def due(self, waits: Sequence[Wait]) -> Sequence[Wait]:
        return ()

    def poll(self, waits: Sequence[Wait], *, checks: int = 0) -> list[tuple[Wait, Outcome]]:
        self.polls.append((len(waits), checks))
        self.threads.add(threading.current_thread().name.partition("_")[0])
        self.has_fresh_listing = True
        for wait in waits:
            wait.polls += 1
        if self._late:
            self._late -= 1
            return []
        return [(wait, None) for wait in waits]


class Task:
    """A task with some waits."""

    def __init__(self, name: str, waits: int = 1, *, needs_check: bool = True, fails: bool = False) -> None:
        self.name = name
        self.left = waits
        self.needs_check = needs_check
        self.fails = fails
        self.steps = 0

    def advance(self, outcome: Outcome) -> Condition | None:
        assert outcome is None
        if self.fails:
            raise ZeroDivisionError
        self.steps += 1
        self.left -= 1
        return Visible(id=self.name, target={}) if self.left >= 0 else None


def run(
    tasks: Sequence[Task], parallelism: int = 4, *, is_stopped: bool = False, reads: Reads | None = None
) -> Reads:
    reads = reads or Reads()
    stage = Stage(tasks, cast(SharedReads, reads), SystemClock(), is_stopped=lambda: is_stopped)
    stage.run(parallelism)
    return reads


def test_one_read_checks_all_tasks_and_one_ends_their_waits() -> None:
    tasks = [Task(str(number)) for number in range(20)]
    assert run(tasks).polls == [(0, 20), (20, 0)]
    assert [task.steps for task in tasks] == [2] * 20


def test_tasks_with_several_waits_go_on_together() -> None:
    tasks = [Task("a", 3), Task("b", 1), Task("c", 0)]
    assert run(tasks).polls == [(0, 3), (2, 0), (1, 0), (1, 0)]
    assert [task.steps for task in tasks] == [4, 2, 1]


def test_tasks_without_a_check_begin_at_once() -> None:
    tasks = [Task("a", needs_check=False), Task("b"), Task("c")]
    assert run(tasks).polls == [(1, 2), (2, 0)]


def test_one_lane_ends_each_task_before_the_next() -> None:
    tasks = [Task("a"), Task("b")]
    assert run(tasks, 1).polls == [(0, 2), (1, 0), (1, 0)]


def test_the_thread_of_a_task_reads_at_once_what_is_not_shared() -> None:
    tasks = [Task(str(number), 2, needs_check=False) for number in range(3)]
    reads = run(tasks, reads=Reads(at_once=True))
    assert (reads.polls, reads.threads) == ([(1, 0)] * 6, {"apply"})
    assert [task.steps for task in tasks] == [3] * 3


def test_what_the_first_read_does_not_show_waits_for_a_shared_one() -> None:
    tasks = [Task(str(number), needs_check=False) for number in range(3)]
    reads = run(tasks, reads=Reads(at_once=True, late=3))
    assert reads.polls == [(1, 0)] * 3 + [(3, 0)]
    assert [task.steps for task in tasks] == [2] * 3


def test_a_stopped_stage_reads_nothing() -> None:
    """Each task is asked once, and notes that it was not attempted."""
    tasks = [Task("a", 0), Task("b", 0)]
    assert run(tasks, is_stopped=True).polls == []
    assert [task.steps for task in tasks] == [1, 1]


def test_an_interrupt_lets_what_began_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that uses the Python API may have no handler for Ctrl-C."""
    tasks, poll = [Task("a"), Task("b"), Task("c")], Reads.poll

    def interrupted(reads: Reads, waits: Sequence[Wait], *, checks: int = 0) -> list[tuple[Wait, Outcome]]:
        if waits and len(reads.polls) == 1:
            reads.polls.append((0, 0))
            raise KeyboardInterrupt
        return poll(reads, waits, checks=checks)

    monkeypatch.setattr(Reads, "poll", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(tasks, 1)
    assert [task.steps for task in tasks] == [2, 0, 0]


@pytest.mark.parametrize("parallelism", [1, 4])
def test_a_bug_in_a_task_ends_the_stage(parallelism: int) -> None:
    """It is raised to the caller, and no thread is left behind."""
    before = threading.active_count()
    with pytest.raises(ZeroDivisionError):
        run([Task("a"), Task("b", fails=True), *(Task(str(number)) for number in range(20))], parallelism)
    assert threading.active_count() == before


@pytest.mark.parametrize(
    ("count", "needs_check", "parallelism", "threads"),
    [(32, False, 4, 6), (31, False, 4, 4), (32, True, 4, 4), (32, False, 1, 1), (32, False, 40, 32)],
    ids=["many creates", "few", "checked", "one at a time", "wider than the stage"],
)
def test_many_creates_have_more_threads_than_calls(
    count: int, needs_check: bool, parallelism: int, threads: int
) -> None:
    """While one waits for the journal, another one makes its call. The client limits the calls."""
    together, guard = threading.Barrier(threads), threading.Lock()
    names: set[str] = set()

    class Meeting(Task):
        def advance(self, outcome: Outcome) -> Condition | None:
            name = threading.current_thread().name
            with guard:
                is_to_meet = name not in names and len(names) < threads
                names.add(name)
            if is_to_meet:
                together.wait(20)
            return super().advance(outcome)

    run([Meeting(str(number), needs_check=needs_check) for number in range(count)], parallelism)
    assert len(names) == threads
