"""`reconciler run` at rest, the time until it sees a commit or drift, and its memory, by a clock that jumps.

The loop runs in this process, so that its processor time can be read; the account is another one.
"""

from __future__ import annotations

import gc
import math
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from benchmarks.measure import calls, fake
from benchmarks.rows import Row
from benchmarks.targets import Bench, move_inventory
from benchmarks.world import PASSWORD
from reconciler.controller.files import Files
from reconciler.controller.loop import Loop, LoopOptions
from reconciler.controller.observer import Observers, RoundEnd
from reconciler.controller.source import FolderSource
from reconciler.controller.state import RoundResult
from reconciler.workflow.runtime.context import Context
from tests.e2e.run.clock import VirtualClock

COUNT = 1_000
REST = 20
"""Rounds at rest (count)."""

PAGE_SIZE = 100

POLL, INTERVAL = 60.0, 600.0
"""Seconds, as by default."""

COMMITS = 1_000
"""Commits, and as many changes in the console, whose detection is measured (count)."""

ROUNDS = 10_000
"""Rounds between two measurements of memory (count), with a few endpoints."""


def controller(bench: Bench) -> Iterator[Row]:
    """Measure a loop that has nothing to do, one that sees changes, and one that runs for long."""
    marks: list[float] = []
    with _controller(bench, COUNT) as run:
        run.at(2, lambda: (calls(run.url), marks.append(time.process_time())))
        run.until(2 + REST, lambda: marks.append(time.process_time()))
        requests = len(calls(run.url))
    rounds = run.ended - run.ended_at[0]
    yield Row(
        what=f"run at rest, {COUNT:,} endpoints: requests a round", result=requests / rounds,
        baseline=math.ceil(COUNT / PAGE_SIZE) + 1, baseline_name="pages of the listing, and one",
        limit=1, unit="",
    )  # fmt: skip
    yield Row(
        what=f"run at rest, {COUNT:,} endpoints: processor time a round",
        result=(marks[1] - marks[0]) / rounds,
        baseline=INTERVAL / 100, baseline_name="1 % of a core for an interval", limit=1,
    )  # fmt: skip
    yield _detection("a commit", POLL, bench, lambda run: os.utime(run.root / "endpoints.yaml"))
    yield _detection("drift", INTERVAL, bench, lambda _run: None)
    yield _memory(bench)


def _detection(what: str, period: float, bench: Bench, change: Callable[[Run], object]) -> Row:
    """Return the time from a change to the end of the round that sees it. Each round sees drift."""
    random = Random(1)
    with _controller(bench, 2) as run:

        def happen() -> None:
            run.pending.append(run.clock.seconds)
            change(run)

        intervals = COMMITS * period / 2 / INTERVAL
        for _ in range(COMMITS):
            run.at(1 + random.uniform(0, intervals), happen)
        run.until(3 + intervals)
    ordered = sorted(run.found)
    return Row(
        what=f"run: {what} is seen, p95", result=ordered[int(len(ordered) * 0.95)],
        baseline=period + 2, baseline_name="the period, and 2 s", limit=1,
    )  # fmt: skip


def _memory(bench: Bench) -> Row:
    """Return the number of Python's objects after many rounds, beside that after a few of them."""
    counts: list[int] = []

    def count() -> None:
        gc.collect()
        counts.append(len(gc.get_objects()))

    with _controller(bench, 2) as run:
        run.at(ROUNDS / 20, count)
        run.until(ROUNDS, count)
    return Row(
        what=f"run: objects after {ROUNDS:,} rounds", result=counts[1], baseline=counts[0],
        baseline_name="after 5 % of them", limit=1.02, unit="",
    )  # fmt: skip


class Run:
    """A loop with its clock. ended: rounds (count). pending: times of changes that no round has seen yet.

    found: seconds until they were seen. ended_at: rounds at each action.
    """

    def __init__(self, root: Path, url: str) -> None:
        self.root, self.url, self.clock = root, url, VirtualClock()
        self.ended, self.ended_at = 0, list[int]()
        self.pending, self.found = list[float](), list[float]()
        context = Context(
            root=root,
            environ={"NOVITA_API_KEY": "k", PASSWORD: "p", "NOVITA_BASE_URL": url},
            now=self.clock.now,
        )
        options = LoopOptions(poll=POLL, interval=INTERVAL, observer=_Observer(self))
        self.loop = Loop(Files(FolderSource(root), context), self.clock, options)

    def at(self, intervals: float, action: Callable[[], object]) -> None:
        """Let an action happen after so many intervals."""
        self.clock.at(intervals * INTERVAL / 3600, lambda: (self.ended_at.append(self.ended), action()))

    def until(self, intervals: float, action: Callable[[], object] = lambda: None) -> None:
        """Run for so many intervals; the action happens at their end."""
        self.at(intervals, action)
        self.at(intervals, self.loop.stop)
        self.loop.run()

    def ended_round(self) -> None:
        self.ended += 1
        self.found += [self.clock.seconds - one for one in self.pending]
        self.pending.clear()


class _Observer(Observers):
    """Counts the rounds of a run."""

    def __init__(self, run: Run) -> None:
        super().__init__()
        self._run = run

    def ended(self, end: RoundEnd) -> None:
        assert end.state.result is RoundResult.NO_CHANGE, end.state.paused
        self._run.ended_round()


@contextmanager
def _controller(bench: Bench, count: int) -> Iterator[Run]:
    """Serve an account that is as recorded, and yield a controller of it."""
    repo = bench.recorded(count)
    with fake(count) as url:
        move_inventory(repo / "state/novita.json", url)
        yield Run(repo, url)
