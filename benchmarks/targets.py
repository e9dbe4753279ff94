"""The measurements and their limits. Each limit is a ratio within one run."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from benchmarks.measure import RECONCILER, ROOT, Timing, calls, fake, measure_in_turn, run_measured
from benchmarks.rows import Row
from benchmarks.world import PASSWORD, add_other_kinds, edit, write_repo

PYTHON = sys.executable
BASELINES = (PYTHON, "-m", "benchmarks.baselines")
SIZES = (100, 1_000, 10_000)
PAGE = 100
"""Endpoints per page (count)."""

MORE_RUNS = 3
"""Factor for the number of runs if a few milliseconds or hundredths matter."""


class Bench:
    """The parts, which yield rows. A figure is the median of `runs` processes. Folders are created once."""

    def __init__(self, folder: Path, runs: int) -> None:
        self.folder, self.runs = folder, runs
        self.fewer_runs = max(1, runs // 3)
        """For runs of several seconds (count)."""

    def startup(self) -> Iterator[Row]:
        def click() -> Timing:
            return run_measured([PYTHON, "-c", "import click"])

        version, help_, validate, baseline = measure_in_turn(
            self.reconciler(self.folder, "--version"),
            self.reconciler(self.folder, "--help"),
            self.reconciler(self.repo(10), "validate"),
            click,
            runs=MORE_RUNS * self.runs,
        )
        for what, result, limit in (
            ("--version", version, 2.5),
            ("--help", help_, 2.5),
            ("validate, 10 endpoints", validate, 4.0),
        ):
            yield Row(
                what=what,
                result=result.wall,
                baseline=baseline.wall,
                baseline_name="import click",
                limit=limit,
            )

    def validate(self) -> Iterator[Row]:
        for count in SIZES[1:]:
            repo = self.repo(count)
            result, baseline = measure_in_turn(
                self.reconciler(repo, "validate"),
                self.baseline("yaml", repo / "endpoints.yaml"),
                runs=self.runs,
            )
            yield Row(
                what=f"validate, {count:,}", result=result.wall, baseline=baseline.wall,
                baseline_name="CSafeLoader on the same files", limit=1.0,
            )  # fmt: skip

    def plan(self) -> Iterator[Row]:
        for count in SIZES[1:]:
            repo = self.recorded(count)
            for latency in (0, 20, 100):
                with fake(count, latency) as url:
                    plan = self.reconciler(repo, "plan", "--detailed-exitcode", url=url)
                    result, baseline, listing = measure_in_turn(
                        plan,
                        self.baseline("plan", url, repo / "endpoints.yaml"),
                        self.baseline("listing", url),
                        runs=self.runs,
                    )
                    calls(url)
                    plan()
                    requests = len(calls(url))
                yield Row(
                    what=f"no-change plan, {count:,}, {latency} ms", result=result.wall,
                    baseline=baseline.wall, baseline_name="httpx listing, then CSafeLoader", limit=1.2,
                )  # fmt: skip
                if latency == 0:
                    yield Row(
                        what=f"its requests, {count:,}", result=requests, baseline=-(-count // PAGE) + 1,
                        baseline_name="pages, and one more", limit=1, unit="",
                    )  # fmt: skip
                    yield Row(
                        what=f"its peak memory, {count:,}", result=result.memory, baseline=listing.memory,
                        baseline_name="httpx listing", limit=2 if count == SIZES[-1] else None, unit="MB",
                    )  # fmt: skip

    def changed(self) -> Iterator[Row]:
        repo = self.recorded(1_000)
        with fake(1_000) as same, fake(1_000, changed=1_000) as other:
            baseline, text, document = measure_in_turn(
                self.reconciler(repo, "plan", url=same),
                self.reconciler(repo, "plan", url=other),
                self.reconciler(repo, "plan", "--json", url=other),
                runs=self.runs,
            )
        for what, result in (("plan", text), ("plan --json", document)):
            yield Row(
                what=f"{what}, 1,000 changed of 1,000", result=result.wall, baseline=baseline.wall,
                baseline_name="the no-change plan", limit=2,
            )  # fmt: skip

    def apply(self) -> Iterator[Row]:
        for width in (10, 32):
            result, baseline = measure_in_turn(
                self.creating(1_000, latency=20, width=width),
                lambda width=width: with_empty_account(
                    lambda url: run_measured([*BASELINES, "creates", url, "1000", str(width)]), latency=20
                ),
                runs=self.runs,
            )
            yield Row(
                what=f"apply, 1,000 creates, 20 ms, {width} at once", result=result.wall,
                baseline=baseline.wall, baseline_name="bare httpx creates", limit=1.5,
            )  # fmt: skip

    def terminal(self) -> Iterator[Row]:
        """Measure the cost of a terminal: the progress bar, the colours, and the reads of the terminal."""
        watched, piped = measure_in_turn(
            self.creating(1_000, latency=20, width=10, terminal=True),
            self.creating(1_000, latency=20, width=10),
            runs=MORE_RUNS * self.runs,
        )
        yield Row(
            what="apply at a terminal, 1,000 creates", result=watched.wall, baseline=piped.wall,
            baseline_name="the same in a pipe", limit=1.02,
        )  # fmt: skip
        with fake(10_000, 100) as url:
            repo = self.recorded(10_000)
            watched, piped = measure_in_turn(
                self.reconciler(repo, "plan", url=url, terminal=True),
                self.reconciler(repo, "plan", url=url),
                runs=MORE_RUNS * self.runs,
            )
        yield Row(
            what="plan at a terminal, 10,000, 100 ms", result=watched.wall, baseline=piped.wall,
            baseline_name="the same in a pipe", limit=1.02,
        )  # fmt: skip

    def growth(self) -> Iterator[Row]:
        """Measure the growth with ten times as many endpoints. The limit is 11, which is linear growth."""
        commands: Mapping[str, Callable[[int, str], Callable[[], Timing]]] = {
            "validate": lambda count, _url: self.reconciler(self.repo(count), "validate"),
            "no-change plan": lambda count, url: self.reconciler(self.recorded(count), "plan", url=url),
            "no-change plan --json": lambda count, url: self.reconciler(
                self.recorded(count), "plan", "--json", url=url
            ),
            "drift": lambda count, url: self.reconciler(self.recorded(count), "drift", url=url),
        }
        for what, command in commands.items():
            times = []
            for count in SIZES:
                with fake(count) as url:
                    (timing,) = measure_in_turn(command(count, url), runs=self.runs)
                times.append(timing.wall)
            yield from _steps(what, times)
        yield from _steps(
            "apply of creates, 32 at once",
            [self.creating(count, latency=0, width=32)().wall for count in SIZES],
        )

    def reconciler(
        self,
        repo: Path,
        *words: str,
        url: str = "",
        terminal: bool = False,
        expected: Sequence[int] = (0,),
    ) -> Callable[[], Timing]:
        """Return a run of the command in a repository, against the account at a URL."""
        environ = {"NOVITA_API_KEY": "k", PASSWORD: "p", **({"NOVITA_BASE_URL": url} if url else {})}

        def run() -> Timing:
            move_inventory(repo / "state/novita.json", url)
            return run_measured(
                [RECONCILER, *words], cwd=repo, environ=environ, terminal=terminal, expected=expected
            )

        return run

    def baseline(self, *words: object) -> Callable[[], Timing]:
        return lambda: run_measured([*BASELINES, *map(str, words)], cwd=ROOT)

    def creating(
        self,
        count: int,
        *,
        latency: float,
        width: int | None = None,
        terminal: bool = False,
        log: list[tuple[str, float, float]] | None = None,
    ) -> Callable[[], Timing]:
        """Return an apply of `count` creates to an empty account, whose calls `log` gets.

        Each run starts without an inventory. width: calls at once, None for the default of the command.
        """
        repo = self.folder / f"apply-{count}"
        if not repo.exists():
            write_repo(repo, count)

        def run(url: str) -> Timing:
            shutil.rmtree(repo / "state", ignore_errors=True)
            words = () if width is None else ("--parallelism", str(width))
            timing = self.reconciler(repo, "apply", "--yes", *words, url=url, terminal=terminal)()
            if log is not None:
                log[:] = calls(url)
            return timing

        return lambda: with_empty_account(run, latency=latency)

    def copied(
        self,
        recorded: Path,
        *words: str,
        url: str,
        expected: Sequence[int] = (0,),
        edit: Callable[[Path], None] | None = None,
    ) -> Callable[[], Timing]:
        """Return a run of a command that writes files; each run has a new copy of the repository.

        `edit` changes the copy before the command.
        """
        repo = self.folder / "copy"

        def run() -> Timing:
            shutil.rmtree(repo, ignore_errors=True)
            shutil.copytree(recorded, repo)
            if edit is not None:
                edit(repo)
            return self.reconciler(repo, *words, url=url, expected=expected)()

        return run

    def writing(
        self,
        count: int,
        command: str,
        *words: str,
        latency: float = 0,
        lag: float = 0,
        log: list[tuple[str, float, float]] | None = None,
    ) -> Callable[[], Timing]:
        """Return an `apply` of `count` edited endpoints or their `destroy`, on a new account for each run.

        `latency` and `lag` are those of `fake`. `log` gets the calls. The inventory is the same in each run.
        """
        recorded = self.recorded(count)

        def run() -> Timing:
            agreed = () if command == "apply" else ("--allow-adopted",)
            with fake(count, latency, lag=lag) as url:
                edited = edit if command == "apply" else None
                timing = self.copied(recorded, command, "--yes", *agreed, *words, url=url, edit=edited)()
                if log is not None:
                    log[:] = calls(url)
            return timing

        return run

    def repo(self, count: int) -> Path:
        path = self.folder / str(count)
        if not path.exists():
            write_repo(path, count)
        return path

    def recorded(self, count: int) -> Path:
        """Return a repository whose inventory matches the account, so that a plan is empty."""
        repo = self.repo(count)
        if not (repo / "state/novita.json").exists():
            with fake(count) as url:
                self.reconciler(repo, "apply", "--yes", url=url)()
        return repo

    def with_all_kinds(self, count: int) -> Path:
        """Return a repository of `count` endpoints, storages and credentials, whose inventory matches."""
        repo = self.folder / f"{count}-all-kinds"
        if not repo.exists():
            write_repo(repo, count)
            add_other_kinds(repo)
            with fake(count, has_all_kinds=True) as url:
                self.reconciler(repo, "apply", "--yes", url=url)()
        return repo


PARTS = ("startup", "validate", "plan", "changed", "apply", "terminal", "growth")


def move_inventory(path: Path, url: str) -> None:
    """Set the URL of the account in the inventory, because its port differs in each run."""
    if url and path.exists():
        text = path.read_text(encoding="utf-8")
        path.write_text(re.sub(r'("base_url": )"[^"]*"', rf'\1"{url}"', text, count=1), encoding="utf-8")


def with_empty_account(run: Callable[[str], Timing], *, latency: float) -> Timing:
    """Return the timing of a run at the URL of a new account without endpoints."""
    with fake(0, latency) as url:
        return run(url)


def _steps(what: str, times: list[float]) -> Iterator[Row]:
    for at, (small, large) in enumerate(pairwise(SIZES)):
        yield Row(
            what=f"{what}, {large:,}", result=times[at + 1], baseline=times[at],
            baseline_name=f"the same of {small:,}", limit=11,
        )  # fmt: skip
