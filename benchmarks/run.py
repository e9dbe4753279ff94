"""Measure reconciler beside its floors and its peers; print one table and write RESULTS.md.

`python -m benchmarks.run [--runs N] [--only WORD] [--quick]`. Every target is a ratio inside one run.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import RECONCILER, ROOT, Timing, fake, received, timed
from benchmarks.world import write_repo

PYTHON = sys.executable
FLOORS = [PYTHON, "-m", "benchmarks.floors"]


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the table: our figure, the floor's or the peer's, and how they must relate."""

    what: str
    ours: float
    floor: float
    floor_is: str
    at_most: float | None
    unit: str = "s"

    @property
    def ratio(self) -> float:
        return self.ours / self.floor

    @property
    def verdict(self) -> str:
        if self.at_most is None:
            return ""
        return "ok" if self.ratio <= self.at_most else "MISSED"


class Bench:
    """The measurements, each yielding rows. Folders are made once."""

    def __init__(self, folder: Path, runs: int) -> None:
        self.folder, self.runs = folder, runs
        self.kept: dict[str, Timing] = {}

    def repo(self, count: int) -> Path:
        path = self.folder / str(count)
        if not path.exists():
            write_repo(path, count)
        return path

    def time(self, command: list[str], cwd: Path = ROOT, url: str = "", **options: object) -> Timing:
        environ = {"NOVITA_API_KEY": "k", **({"NOVITA_BASE_URL": url} if url else {})}
        return timed(command, cwd=cwd, environ=environ, runs=self.runs, **options)  # type: ignore[arg-type]

    def startup(self) -> Iterator[Row]:
        floor = self.time([PYTHON, "-c", "import click"]).wall
        for word in ("--version", "--help"):
            ours = self.time([RECONCILER, word]).wall
            yield Row(what=f"`{word}`", ours=ours, floor=floor, floor_is="import click", at_most=2.5)
        ours = self.time([RECONCILER, "validate"], self.repo(10)).wall
        yield Row(what="`validate`, 10 endpoints", ours=ours, floor=floor, floor_is="import click", at_most=4)

    def validate(self) -> Iterator[Row]:
        for count in (1_000, 10_000):
            repo = self.repo(count)
            floor = self.time([*FLOORS, "yaml", str(repo / "endpoints.yaml")]).wall
            ours = self.time([RECONCILER, "validate"], repo).wall
            yield Row(
                what=f"`validate`, {count:,}", ours=ours, floor=floor, floor_is="CSafeLoader", at_most=1.0
            )

    def plan(self) -> Iterator[Row]:
        for count in (1_000, 10_000):
            repo = self.recorded(count)
            for latency in (0, 20, 100):
                with fake(count, latency) as url:
                    floor = self.time([*FLOORS, "plan", url, str(repo / "endpoints.yaml")])
                    listing = self.time([*FLOORS, "listing", url])
                    before = received(url)["/endpoints"]
                    ours = self.time([RECONCILER, "plan", "--detailed-exitcode"], repo, url)
                    counts = received(url)
                    calls = (sum(counts.values()) - counts["/counts"] - before) / (self.runs + 1)
                yield Row(
                    what=f"no-change `plan`, {count:,}, {latency} ms",
                    ours=ours.wall,
                    floor=floor.wall,
                    floor_is="httpx listing + CSafeLoader",
                    at_most=1.2,
                )
                if latency == 0:
                    self.kept[f"plan {count}"] = ours
                    yield Row(
                        what=f"peak memory, {count:,}", ours=ours.memory, floor=listing.memory,
                        floor_is="httpx listing", at_most=2 if count == 10_000 else None, unit="MB",
                    )  # fmt: skip
                    yield Row(
                        what=f"requests, {count:,}", ours=calls, floor=-(-count // 100) + 1,
                        floor_is="pages of 100, and one", at_most=1, unit="",
                    )  # fmt: skip
        if {"plan 1000", "plan 10000"} <= self.kept.keys():
            yield Row(
                what="growth from 1,000 to 10,000", ours=self.kept["plan 10000"].wall,
                floor=self.kept["plan 1000"].wall, floor_is="the plan of 1,000", at_most=11,
            )  # fmt: skip

    def changed(self) -> Iterator[Row]:
        repo = self.recorded(1_000)
        with fake(1_000) as url:
            floor = self.time([RECONCILER, "plan"], repo, url).wall
        with fake(1_000, changed=True) as url:
            for options in ([], ["--json"]):
                ours = self.time([RECONCILER, "plan", *options], repo, url).wall
                what = " ".join(["`plan`, 1,000 changed", *options])
                yield Row(what=what, ours=ours, floor=floor, floor_is="the no-change plan", at_most=2)

    def apply(self) -> Iterator[Row]:
        repo = self.folder / "apply"
        write_repo(repo, 1_000)
        fresh = ["rm", "-rf", "state"]
        for width in (10, 32):
            with fake(0, 20) as url:
                floor = self.time([*FLOORS, "creates", url, "1000", str(width)]).wall
            # every run meets an empty account: the creates of one are strangers to the next
            walls = []
            for _ in range(max(self.runs // 2, 1)):
                with fake(0, 20) as url:
                    command = [RECONCILER, "apply", "--yes", "--parallelism", str(width)]
                    walls.append(
                        timed(
                            command, cwd=repo, environ={"NOVITA_API_KEY": "k", "NOVITA_BASE_URL": url},
                            runs=0, before=fresh,
                        )
                    )  # fmt: skip
            ours = sorted(one.wall for one in walls)[len(walls) // 2]
            yield Row(
                what=f"`apply`, 1,000 creates, 20 ms, {width} at once", ours=ours, floor=floor,
                floor_is="bare httpx creates", at_most=1.5,
            )  # fmt: skip

    def recorded(self, count: int) -> Path:
        """A repo whose inventory holds what is live, so that nothing is to be done."""
        repo = self.repo(count)
        if not (repo / "state/novita.json").exists():
            with fake(count) as url:
                timed(
                    [RECONCILER, "apply", "--yes"], cwd=repo, runs=0,
                    environ={"NOVITA_API_KEY": "k", "NOVITA_BASE_URL": url},
                )  # fmt: skip
        return repo


PARTS = ("startup", "validate", "plan", "changed", "apply")


def table(rows: list[Row]) -> str:
    """The rows as Markdown."""
    lines = ["| what | ours | floor | of what | ratio | at most | |", "|---|--:|--:|---|--:|--:|---|"]
    for row in rows:
        digits = 3 if row.unit == "s" else 0
        figures = [f"{value:.{digits}f} {row.unit}".strip() for value in (row.ours, row.floor)]
        limit = "" if row.at_most is None else f"{row.at_most:g}"
        cells = [row.what, *figures, row.floor_is, f"{row.ratio:.2f}", limit, row.verdict]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", action="append", choices=PARTS)
    parser.add_argument("--results", type=Path)
    given = parser.parse_args()
    rows: list[Row] = []
    folder = Path(tempfile.mkdtemp(prefix="reconciler-bench-"))
    try:
        bench = Bench(folder, given.runs)
        for name in given.only or PARTS:
            for row in getattr(bench, name)():
                rows.append(row)
                print(
                    f"{row.what:45} {row.ours:9.3f} {row.floor:9.3f} {row.ratio:6.2f} {row.verdict}",
                    flush=True,
                )
    finally:
        shutil.rmtree(folder)
    system = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    how = f"{os.cpu_count()} cores, {system}; medians of {given.runs} whole processes after one to warm up."
    text = f"# Measured\n\n{how}\n\n{table(rows)}"
    if given.results:
        given.results.write_text(text)
    sys.exit(any(row.verdict == "MISSED" for row in rows))


if __name__ == "__main__":
    main()
