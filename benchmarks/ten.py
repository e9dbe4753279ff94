"""The size that most users have: ten endpoints, some of them a tenth of a second away."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator

from benchmarks import octodns_peer
from benchmarks.measure import ROOT, calls, fake, in_series, measure_in_turn, run_measured
from benchmarks.rows import Row
from benchmarks.targets import MORE_RUNS, PYTHON, Bench

COUNT = 10
LATENCY = 100
"""Milliseconds of each call."""

CHANGES = {f"update of {COUNT}": "apply", f"delete of {COUNT}": "destroy"}
LAGS = (1, 3)
"""Seconds until a change shows."""


def plans(bench: Bench) -> Iterator[Row | str]:
    """Compare a no-change plan with its floor and with octoDNS."""
    repo = bench.recorded(COUNT)
    has_octodns = importlib.util.find_spec("octodns") is not None
    for latency, limit in ((0, 1.9), (LATENCY, 1.4)):
        with fake(COUNT, latency) as url:
            contestants = [
                bench.reconciler(repo, "plan", "--detailed-exitcode", url=url),
                lambda url=url: run_measured(
                    [PYTHON, str(ROOT / "benchmarks/floor.py"), url, str(repo / "endpoints.yaml")]
                ),
            ]
            if has_octodns:
                folder = bench.folder / f"octodns-{COUNT}-{latency}"
                contestants.append(octodns_peer.no_change(folder, COUNT, url))
            result, floor, *peers = measure_in_turn(*contestants, runs=MORE_RUNS * bench.runs)
        yield Row(
            what=f"no-change plan, {COUNT}, {latency} ms", result=result.wall, baseline=floor.wall,
            baseline_name="bare http.client + CSafeLoader, overlapped", limit=limit,
        )  # fmt: skip
        for peer in peers:
            yield Row(
                what=f"no-change plan, {COUNT}, {latency} ms", result=result.wall, baseline=peer.wall,
                baseline_name="octoDNS, as many TXT records", limit=1,
            )  # fmt: skip
    if not has_octodns:
        yield "octoDNS is not installed (extra `bench`); its rows are omitted."


def round_trips(bench: Bench) -> Iterator[Row]:
    """Count the calls that wait for each other, at a latency that is longer than all other work."""
    for count, least in ((COUNT, 1), (250, 2)):
        repo = bench.recorded(count)
        with fake(count, LATENCY) as url:
            bench.reconciler(repo, "plan", url=url)()
            yield _series(f"plan, {count}", calls(url), least)
    log: list[tuple[str, float, float]] = []
    bench.creating(COUNT, latency=LATENCY, width=10, log=log)()
    yield _series(f"apply, {COUNT} creates", log, 3)
    for what, command in CHANGES.items():
        bench.writing(COUNT, command, log=log, latency=LATENCY)()
        yield _series(what, log, 4)


def lags(bench: Bench) -> Iterator[Row]:
    """Measure how soon an update and a delete are known to be done, if they show after some seconds."""
    repo = bench.recorded(COUNT)
    for lag in LAGS:
        for what, command in CHANGES.items():
            with fake(COUNT, LATENCY) as url:
                result, plan = measure_in_turn(
                    bench.writing(COUNT, command, latency=LATENCY, lag=lag),
                    bench.reconciler(repo, "plan", url=url),
                    runs=bench.runs,
                )
            yield Row(
                what=f"{what}, {LATENCY} ms, shown after {lag} s", result=result.wall,
                baseline=plan.wall + lag + 2 * LATENCY / 1000,
                baseline_name="no-change plan, the lag, two round trips", limit=1.15,
            )  # fmt: skip


def _series(what: str, log: list[tuple[str, float, float]], least: int) -> Row:
    return Row(
        what=f"calls in series, {what}", result=in_series(log), baseline=least,
        baseline_name="the least", limit=1, unit="",
    )  # fmt: skip
