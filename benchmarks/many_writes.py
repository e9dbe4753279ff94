"""A thousand updates and deletes, beside the bare calls."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.measure import Timing, fake, measure_in_turn, run_measured
from benchmarks.rows import Row
from benchmarks.targets import BASELINES, PAGE, Bench

COUNT = 1_000
LATENCY = 20
"""Milliseconds of each call."""

CASES = (("apply", "updates", 10, 1.5), ("destroy", "deletes", 10, 1.4), ("destroy", "deletes", 32, 1.4))
"""Command, baseline, calls at once, and limit."""


def many_writes(bench: Bench) -> Iterator[Row]:
    for command, bare, width, limit in CASES:
        log: list[tuple[str, float, float]] = []
        result, baseline = measure_in_turn(
            bench.writing(COUNT, command, "--parallelism", str(width), log=log, latency=LATENCY),
            lambda bare=bare, width=width: _bare(bare, width),
            runs=bench.runs,
        )
        yield Row(
            what=f"{COUNT:,} {bare}, {LATENCY} ms, {width} at once", result=result.wall,
            baseline=baseline.wall, baseline_name="bare httpx listing and writes", limit=limit,
        )  # fmt: skip
        yield Row(
            what=f"their requests, {bare}, {width} at once", result=len(log), unit="",
            baseline=COUNT + COUNT / PAGE, baseline_name="writes and pages", limit=1.1,
        )  # fmt: skip


def _bare(what: str, width: int) -> Timing:
    with fake(COUNT, LATENCY) as url:
        return run_measured([*BASELINES, what, url, str(COUNT), str(width)])
