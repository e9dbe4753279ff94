"""Commands that work on all endpoints of a large account."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator

from benchmarks.measure import Timing, calls, fake, measure_in_turn
from benchmarks.rows import Row
from benchmarks.targets import MORE_RUNS, PAGE, SIZES, Bench
from benchmarks.world import SPECS

SMALL, LARGE = SIZES[1:]
ACCEPTED = (100, 1_000)
"""Endpoints (count) whose drift is accepted."""


def imports(bench: Bench) -> Iterator[Row]:
    """Compare `import --all` into an empty repository with a bare listing."""
    repo = bench.folder / "import"

    def run(url: str) -> Timing:
        shutil.rmtree(repo, ignore_errors=True)
        repo.mkdir()
        (repo / "specs.yaml").write_text(SPECS)
        return bench.reconciler(repo, "import", "--all", "--out", "endpoints.yaml", url=url)()

    for count, limit in ((SMALL, 3), (LARGE, 8)):
        with fake(count) as url:
            result, baseline = measure_in_turn(
                lambda url=url: run(url), bench.baseline("listing", url), runs=bench.runs
            )
            calls(url)
            run(url)
            pages = sum(operation == "/endpoints" for operation, *_ in calls(url))
        yield Row(
            what=f"import --all, {count:,}", result=result.wall, baseline=baseline.wall,
            baseline_name="httpx listing", limit=limit,
        )  # fmt: skip
        yield Row(
            what=f"its listings, {count:,}", result=pages / (-(-count // PAGE) + 1), baseline=2,
            baseline_name="one to import, one to prove", limit=1, unit="",
        )  # fmt: skip


def accepts(bench: Bench) -> Iterator[Row]:
    """Compare `drift accept` of some endpoints in one large file with `drift`."""
    recorded = bench.recorded(LARGE)
    for count in ACCEPTED:
        names = [f"endpoint-{number:05}" for number in range(count)]
        with fake(LARGE, changed=count) as url:
            result, baseline = measure_in_turn(
                bench.copied(recorded, "drift", "accept", *names, url=url),
                bench.copied(recorded, "drift", url=url, expected=(2,)),
                runs=MORE_RUNS * bench.runs,
            )
        for unit, ours, theirs in (
            ("s", result.wall, baseline.wall),
            ("MB", result.memory, baseline.memory),
        ):
            yield Row(
                what=f"drift accept, {count:,} of {LARGE:,}", result=ours, baseline=theirs,
                baseline_name="drift", limit=2, unit=unit,
            )  # fmt: skip


def saved_plans(bench: Bench) -> Iterator[Row]:
    """Compare `plan --out` of as many changes with `plan`."""
    recorded = bench.recorded(LARGE)
    with fake(LARGE, changed=LARGE) as url:
        result, baseline = measure_in_turn(
            bench.copied(recorded, "plan", "--out", "saved.plan", url=url),
            bench.copied(recorded, "plan", url=url),
            runs=MORE_RUNS * bench.runs,
        )
    for unit, ours, theirs, limit in (
        ("s", result.wall, baseline.wall, 1.4),
        ("MB", result.memory, baseline.memory, 1.5),
    ):
        yield Row(
            what=f"plan --out, {LARGE:,} changes", result=ours, baseline=theirs,
            baseline_name="plan", limit=limit, unit=unit,
        )  # fmt: skip


def reads(bench: Bench) -> Iterator[Row]:
    """Compare the commands that show all endpoints with a bare listing."""
    repo = bench.recorded(LARGE)
    with fake(LARGE) as url:
        commands = ("list", "status", "drift")
        contestants: list[Callable[[], Timing]] = [
            bench.reconciler(repo, command, url=url) for command in commands
        ]
        *results, baseline = measure_in_turn(*contestants, bench.baseline("listing", url), runs=bench.runs)
    for command, result in zip(commands, results, strict=True):
        yield Row(
            what=f"{command}, {LARGE:,}", result=result.wall, baseline=baseline.wall,
            baseline_name="httpx listing", limit=4,
        )  # fmt: skip


def huge(bench: Bench) -> Iterator[Row]:
    """Compare a plan of five times as many endpoints; the limit is 5.5."""
    times = []
    for count in (LARGE, 5 * LARGE):
        repo = bench.recorded(count)
        with fake(count) as url:
            (timing,) = measure_in_turn(bench.reconciler(repo, "plan", url=url), runs=bench.fewer_runs)
        times.append(timing.wall)
    yield Row(
        what=f"no-change plan, {5 * LARGE:,}", result=times[1], baseline=times[0],
        baseline_name=f"the same of {LARGE:,}", limit=5.5,
    )  # fmt: skip
