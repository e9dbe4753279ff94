"""A thousand updates and deletes, beside the bare calls."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.measure import fake, measure_in_turn, run_measured
from benchmarks.rows import Row
from benchmarks.targets import BASELINES, PAGE, Bench

COUNT = 1_000
LATENCY = 20
"""Milliseconds of each call."""

CASES = (
    ("update", ("apply", "--yes"), 10, 1.5),
    ("destroy", ("destroy", "--yes", "--allow-adopted"), 10, 1.4),
    ("destroy", ("destroy", "--yes", "--allow-adopted"), 32, 1.4),
)
"""What is measured: its name, command, calls at once, and limit."""


def many_writes(bench: Bench) -> Iterator[Row]:
    for what, words, width, limit in CASES:
        changed = COUNT if what == "update" else 0
        log: list[tuple[str, float, float]] = []
        parallel = ("--parallelism", str(width))
        baseline_words = ("updates" if what == "update" else "deletes", COUNT, width)
        result, baseline = measure_in_turn(
            bench.writing(COUNT, *words, *parallel, log=log, latency=LATENCY, changed=changed),
            lambda words=baseline_words: _bare(*map(str, words)),
            runs=bench.runs,
        )
        yield Row(
            what=f"{what}, {COUNT:,}, {LATENCY} ms, {width} at once", result=result.wall,
            baseline=baseline.wall, baseline_name="bare httpx listing and writes", limit=limit,
        )  # fmt: skip
        yield Row(
            what=f"its requests, {what}, {width} at once", result=len(log), unit="",
            baseline=COUNT + COUNT / PAGE, baseline_name="writes and pages", limit=1.1,
        )  # fmt: skip


def _bare(*words: str) -> object:
    what, *numbers = words
    with fake(COUNT, LATENCY) as url:
        return run_measured([*BASELINES, what, url, *numbers])
