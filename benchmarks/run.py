"""Measure reconciler beside its baselines and other tools; print one table, and write it with --results.

`python -m benchmarks.run [--runs N] [--only PART] [--results FILE] [--check]`. Every target is a ratio within
one run, because machines differ. With --check a missed target gives exit code 1.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from benchmarks import bulk, controller, kinds, many_writes, server_load, stores, ten, tls
from benchmarks.peers import PEERS
from benchmarks.profile import profile
from benchmarks.rows import Row, table
from benchmarks.targets import PARTS, Bench

THEMES: Mapping[str, Callable[[Bench], Iterator[Row | str]]] = {
    "ten": ten.plans,
    "tls": tls.tls,
    "kinds": kinds.all_kinds,
    "stores": stores.stores,
    "round-trips": ten.round_trips,
    "lags": ten.lags,
    "writes": many_writes.many_writes,
    "import": bulk.imports,
    "accept": bulk.accepts,
    "saved-plans": bulk.saved_plans,
    "reads": bulk.reads,
    "huge": bulk.huge,
    "run": controller.controller,
    "server": server_load.server_load,
    **PEERS,
    "profile": profile,
}


def measured(bench: Bench, parts: list[str]) -> Iterator[Row | str]:
    """Return the rows of these parts, and a note for each part that had to be omitted."""
    for part in parts:
        yield from THEMES[part](bench) if part in THEMES else getattr(bench, part)()


def report(rows: list[Row], notes: list[str], runs: int) -> str:
    """Return the results as Markdown."""
    system = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    how = (
        f"{os.cpu_count()} cores, {system}. Each figure is the median of {runs} whole processes after\n"
        "a warm-up run; of three times as many if small differences matter (start-up, plans and applies of\n"
        "ten, runs at a terminal, `drift accept`, `plan --out`, 1,000 beside octoDNS); of a third as many\n"
        "for 50,000 endpoints; of one for the growth of an apply and for the apply beside Terraform's\n"
        "engine, and for the server. Runs that are compared alternate. `make bench` writes this file;\n"
        "decision 18 describes the optimizations."
    )
    missed = [row.what for row in rows if row.status == "MISSED"]
    summary = f"Missed: {'; '.join(missed)}." if missed else "All targets were met."
    return "\n\n".join(["# Benchmarks", how, table(rows).rstrip(), *notes, summary]) + "\n"


def main() -> None:
    every = [*PARTS, *THEMES]
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", action="append", choices=every)
    parser.add_argument("--results", type=Path)
    parser.add_argument("--check", action="store_true")
    given = parser.parse_args()
    rows: list[Row] = []
    notes: list[str] = []
    with tempfile.TemporaryDirectory(prefix="reconciler-bench-") as folder:
        for item in measured(Bench(Path(folder), given.runs), given.only or every):
            if isinstance(item, Row):
                rows.append(item)
                print(f"{item.what}: {item.ratio:.2f} {item.status}", file=sys.stderr, flush=True)
            else:
                notes.append(item)
    text = report(rows, notes, given.runs)
    print(text)
    if given.results:
        given.results.write_text(text)
    sys.exit(given.check and any(row.status == "MISSED" for row in rows))


if __name__ == "__main__":
    main()
