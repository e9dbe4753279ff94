"""The size that most users have: ten endpoints, some of them a tenth of a second away."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from functools import partial

from benchmarks import octodns_peer, terraform_provider
from benchmarks.measure import ROOT, calls, fake, in_series, measure_in_turn, run_measured
from benchmarks.rows import Row
from benchmarks.targets import MORE_RUNS, PYTHON, Bench, with_empty_account
from benchmarks.world import live

COUNT = 10
LATENCY = 100
"""Milliseconds of each call."""

MORE = 50
"""Endpoints of a plan that has no limit, to show how the time grows (count)."""

LONG_LATENCY = 400
"""Milliseconds of each call if calls are counted: longer than the work between them on a busy machine."""

CHANGES = {f"update of {COUNT}": "apply", f"delete of {COUNT}": "destroy"}
TERRAFORM = "Terraform with a provider in Go"

LAGS = (1, 3)
"""Seconds until a change shows."""


def plans(bench: Bench) -> Iterator[Row | str]:
    """Compare a no-change plan and an apply with their floor and Terraform, and the plan with octoDNS."""
    has_octodns = importlib.util.find_spec("octodns") is not None
    has_terraform = not terraform_provider.missing()
    for count, latency, limit, peer_limit in (
        (COUNT, 0, 1.9, 1),
        (COUNT, LATENCY, 1.4, 1),
        (MORE, LATENCY, None, None),
    ):
        repo = bench.recorded(count)
        with fake(count, latency) as url:
            contestants = {
                "": bench.reconciler(repo, "plan", "--detailed-exitcode", url=url),
                "bare http.client + CSafeLoader, overlapped": lambda url=url, repo=repo: run_measured(
                    [PYTHON, str(ROOT / "benchmarks/floor.py"), url, str(repo / "endpoints.yaml")]
                ),
            }
            if has_octodns:
                folder = bench.folder / f"octodns-{count}-{latency}"
                contestants["octoDNS, as many TXT records"] = octodns_peer.no_change(folder, count, url)
            if has_terraform:
                folder = bench.folder / f"terraform-{count}-{latency}"
                contestants[TERRAFORM] = terraform_provider.no_change(folder, count, url)
            result, *others = measure_in_turn(*contestants.values(), runs=MORE_RUNS * bench.runs)
        for at, (name, other) in enumerate(zip(list(contestants)[1:], others, strict=True)):
            yield Row(
                what=f"no-change plan, {count}, {latency} ms", result=result.wall, baseline=other.wall,
                baseline_name=name, limit=peer_limit if at else limit,
            )  # fmt: skip
    if not has_octodns:
        yield "octoDNS is not installed (extra `bench`); its rows are omitted."
    yield from _creates(bench)
    if not has_terraform:
        yield f"{terraform_provider.missing()}; its rows are omitted."


def _creates(bench: Bench) -> Iterator[Row]:
    """Compare an apply with the least of its three calls in series, and with Terraform, which has one.

    The least divided by Terraform's time tells which ratio is possible on this machine: the three calls last
    as long on a fast machine as on a slow one, and Terraform's own work does not.
    """
    bodies = bench.folder / "creates.jsonl"
    bodies.write_text("".join(json.dumps({"endpoint": live(number)}) + "\n" for number in range(COUNT)))
    file = bench.repo(COUNT) / "endpoints.yaml"
    contestants = {
        "bare http.client: listing, creates, listing": lambda url: run_measured(
            [PYTHON, str(ROOT / "benchmarks/floor.py"), url, str(file), str(bodies)]
        )
    }
    if not terraform_provider.missing():
        peer = terraform_provider.creates(bench.folder / "terraform-creates", COUNT)
        contestants[f"{TERRAFORM}, which reads nothing back"] = peer
    result, *others = measure_in_turn(
        bench.creating(COUNT, latency=LATENCY),
        *(partial(with_empty_account, run, latency=LATENCY) for run in contestants.values()),
        runs=MORE_RUNS * bench.runs,
    )
    for name, other in zip(contestants, others, strict=True):
        yield Row(
            what=f"apply, {COUNT} creates, {LATENCY} ms", result=result.wall, baseline=other.wall,
            baseline_name=name, limit=1.25,
        )  # fmt: skip


def round_trips(bench: Bench) -> Iterator[Row]:
    """Count the calls that wait for each other."""
    for count, least in ((COUNT, 1), (250, 2)):
        repo = bench.recorded(count)
        with fake(count, LONG_LATENCY) as url:
            bench.reconciler(repo, "plan", url=url)()
            yield _series(f"plan, {count}", calls(url), least)
    log: list[tuple[str, float, float]] = []
    bench.creating(COUNT, latency=LONG_LATENCY, log=log)()
    yield _series(f"apply, {COUNT} creates", log, 3)
    for what, command in CHANGES.items():
        bench.writing(COUNT, command, log=log, latency=LONG_LATENCY)()
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
        what=f"calls in series, {what}", result=in_series(call[1:] for call in log), baseline=least,
        baseline_name="the least", limit=1, unit="",
    )  # fmt: skip
