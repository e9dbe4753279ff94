"""Plans of an account that has storages and credentials beside its endpoints."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.measure import calls, fake, in_series, measure_in_turn
from benchmarks.rows import Row
from benchmarks.targets import MORE_RUNS, Bench
from benchmarks.ten import LONG_LATENCY
from benchmarks.world import REGISTRIES, STORAGES

COUNT = 1_000
"""Endpoints of the account."""

OTHERS = f"with {REGISTRIES} registries and {STORAGES} storages"


def all_kinds(bench: Bench) -> Iterator[Row]:
    """Compare a no-change plan with bare listings of all kinds, and with the plan of endpoints alone."""
    repo, alone = bench.with_all_kinds(COUNT), bench.recorded(COUNT)
    for latency in (0, 20, 100):
        with fake(COUNT, latency, has_all_kinds=True) as url:
            result, floor, endpoints = measure_in_turn(
                bench.reconciler(repo, "plan", "--detailed-exitcode", url=url),
                bench.baseline("listings", url),
                bench.reconciler(alone, "plan", "--detailed-exitcode", url=url),
                runs=MORE_RUNS * bench.runs,
            )
        what = f"no-change plan, {COUNT:,} {OTHERS}, {latency} ms"
        yield Row(
            what=what, result=result.wall, baseline=floor.wall,
            baseline_name="httpx listings of all three", limit=1.25,
        )  # fmt: skip
        yield Row(what=what, result=result.wall, baseline=endpoints.wall, baseline_name="the endpoints alone")
    with fake(COUNT, LONG_LATENCY, has_all_kinds=True) as url:
        series = []
        for folder in (repo, alone):
            bench.reconciler(folder, "plan", url=url)()
            series.append(in_series(call[1:] for call in calls(url)))
    yield Row(
        what=f"its calls in series, {COUNT:,}", result=series[0], baseline=series[1],
        baseline_name="the endpoints alone", limit=1, unit="",
    )  # fmt: skip
