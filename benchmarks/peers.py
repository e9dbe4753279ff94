"""Other tools with the same work or less. A tool that is not installed is left out with a note."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Iterator

from benchmarks import octodns_peer, terraform
from benchmarks.measure import fake, measure_in_turn
from benchmarks.rows import Row
from benchmarks.targets import MORE_RUNS, Bench

COUNT = 1_000


def octodns(bench: Bench) -> Iterator[Row | str]:
    """Compare with a no-change plan of as many DNS records, listed from the same account."""
    if importlib.util.find_spec("octodns") is None:
        yield "octoDNS is not installed (extra `bench`); its rows are omitted."
        return
    for count in (COUNT, 10 * COUNT):
        repo = bench.recorded(count)
        with fake(count) as url:
            sync = octodns_peer.no_change(bench.folder / f"octodns-{count}", count, url)
            runs = bench.runs * (MORE_RUNS if count == COUNT else 1)
            result, peer = measure_in_turn(bench.reconciler(repo, "plan", url=url), sync, runs=runs)
        yield Row(
            what=f"no-change plan, {count:,}, 0 ms", result=result.wall, baseline=peer.wall,
            baseline_name="octoDNS, as many TXT records", limit=1,
        )  # fmt: skip


def terraform_engine(bench: Bench) -> Iterator[Row | str]:
    """Compare with the engine of Terraform: built-in resources of one short string, no network, no plugin."""
    if shutil.which("terraform") is None:
        yield "terraform is not installed; its rows are omitted."
        return
    repo = bench.recorded(COUNT)
    folder = bench.folder / "terraform"
    applied = terraform.applied(folder, COUNT)
    with fake(COUNT) as url:
        result, peer = measure_in_turn(
            bench.reconciler(repo, "plan", url=url), terraform.no_change(folder), runs=bench.runs
        )
    yield Row(
        what=f"no-change plan, {COUNT:,}, 0 ms", result=result.wall, baseline=peer.wall,
        baseline_name="Terraform's engine alone", limit=1,
    )  # fmt: skip
    yield Row(
        what=f"apply, {COUNT:,} creates, 0 ms, 10 at once",
        result=bench.creating(COUNT, latency=0, width=10)().wall, baseline=applied.wall,
        baseline_name="Terraform's engine alone, local state",
    )  # fmt: skip


PEERS = {"octodns": octodns, "terraform": terraform_engine}
