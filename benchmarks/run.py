"""Measure reconciler beside its floors and its peers; print one table, and write it down with --results.

`python -m benchmarks.run [--runs N] [--only PART] [--results FILE] [--check]`. Every target is a ratio inside
one run, because machines differ. With --check a missed target ends in exit code 1.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.peers import PEERS
from benchmarks.rows import Row, table
from benchmarks.targets import PARTS, Bench


def measured(bench: Bench, parts: list[str]) -> Iterator[Row | str]:
    """The rows of these parts, and a word for each that had to be left out."""
    for part in parts:
        yield from PEERS[part](bench) if part in PEERS else getattr(bench, part)()


def report(rows: list[Row], words: list[str], runs: int) -> str:
    """The results as Markdown."""
    system = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    how = (
        f"{os.cpu_count()} cores, {system}. Medians of {runs} whole processes after one to warm\n"
        "up; three times as many where little decides: start-up, the apply at a terminal, 1,000 beside\n"
        "octoDNS; one for an apply told by its growth or beside Terraform's.\n"
        "What is compared takes turns. `make bench` writes this file; decision 18 says what came of it."
    )
    missed = [row.what for row in rows if row.verdict == "MISSED"]
    verdict = f"Missed: {'; '.join(missed)}." if missed else "No target was missed."
    return "\n\n".join(["# Measured", how, table(rows).rstrip(), *words, verdict]) + "\n"


def main() -> None:
    every = [*PARTS, *PEERS]
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", action="append", choices=every)
    parser.add_argument("--results", type=Path)
    parser.add_argument("--check", action="store_true")
    given = parser.parse_args()
    rows: list[Row] = []
    words: list[str] = []
    with tempfile.TemporaryDirectory(prefix="reconciler-bench-") as folder:
        for found in measured(Bench(Path(folder), given.runs), given.only or every):
            if isinstance(found, Row):
                rows.append(found)
                print(f"{found.what}: {found.ratio:.2f} {found.verdict}", file=sys.stderr, flush=True)
            else:
                words.append(found)
    text = report(rows, words, given.runs)
    print(text)
    if given.results:
        given.results.write_text(text)
    sys.exit(given.check and any(row.verdict == "MISSED" for row in rows))


if __name__ == "__main__":
    main()
