"""The measurements measure what they say: every contestant does its work, and fails where it would not."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path

import pytest

from benchmarks import octodns_peer, terraform
from benchmarks.measure import RECONCILER, Timing, fake, once, raced, received
from benchmarks.rows import Row, table
from benchmarks.run import report
from benchmarks.targets import FLOORS, Bench

COUNT = 120


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, runs=1)


def test_what_is_recorded_is_what_is_live(bench: Bench) -> None:
    """Nothing to do against the same account, by as few calls as there can be; something against another."""
    repo = bench.recorded(COUNT)
    with fake(COUNT) as url:
        bench.reconciler(repo, "plan", "--detailed-exitcode", url=url)()
        assert received(url) == 3
        once([*FLOORS, "plan", url, str(repo / "endpoints.yaml")])
    with fake(COUNT, changed=True) as url, pytest.raises(RuntimeError, match=f"{COUNT} to change"):
        bench.reconciler(repo, "plan", "--detailed-exitcode", url=url)()


def test_creates_meet_an_empty_account_each_time(bench: Bench) -> None:
    run = bench.creating(COUNT, latency=0, width=8)
    watched = bench.creating(COUNT, latency=0, width=8, terminal=True)
    for timing in (run(), run(), watched()):
        assert timing.wall > 0 < timing.memory


def test_a_failing_process_is_no_figure(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"(?s)ended with 1.*no endpoints.yaml"):
        once([RECONCILER, "validate"], cwd=tmp_path)


def test_the_floors_do_their_part(bench: Bench) -> None:
    repo = bench.repo(COUNT)
    with fake(COUNT) as url:
        once([*FLOORS, "listing", url])
        assert received(url) == 2
        once([*FLOORS, "creates", url, "10", "4"])
        assert received(url) == 12
    once([*FLOORS, "yaml", str(repo / "endpoints.yaml")])


def test_octodns_finds_nothing_to_do(tmp_path: Path) -> None:
    if importlib.util.find_spec("octodns") is None:
        pytest.skip("octoDNS is in the extra `bench`")
    with fake(COUNT) as url:
        octodns_peer.no_change(tmp_path / "o", COUNT, url)()
    with fake(COUNT, changed=True) as url, pytest.raises(RuntimeError):
        octodns_peer.no_change(tmp_path / "p", COUNT, url)()


def test_terraform_finds_nothing_to_do(tmp_path: Path) -> None:
    if shutil.which("terraform") is None:
        pytest.skip("terraform is not on this machine")
    assert terraform.applied(tmp_path / "t", 5).wall > 0
    terraform.no_change(tmp_path / "t")()
    (tmp_path / "t" / "main.tf").write_text("")
    with pytest.raises(RuntimeError):
        terraform.no_change(tmp_path / "t")()


def test_contestants_take_turns_after_one_lap_to_warm_up() -> None:
    said: list[str] = []

    def running(name: str, *walls: float) -> Timing:
        said.append(name)
        return Timing(wall=walls[said.count(name) - 1], memory=1.0)

    one, other = raced(lambda: running("a", 99, 1, 5, 3), lambda: running("b", 99, 7, 8, 9), runs=3)
    assert (one.wall, other.wall, "".join(said)) == (3, 8, "abababab")


def test_the_table_says_what_was_missed() -> None:
    rows = [
        Row(what="fast", ours=0.5, floor=1.0, floor_is="x", at_most=0.5),
        Row(what="slow", ours=1.51, floor=1.0, floor_is="x", at_most=1.5),
        Row(what="unlimited", ours=3, floor=2, floor_is="y", unit="MB"),
    ]
    assert table(rows) == (
        "| benchmark | result | baseline | of | ratio | limit |        |\n"
        "| --------- | -----: | -------: | -- | ----: | ----: | ------ |\n"
        "| fast      | 500 ms |   1.00 s | x  |  0.50 |   0.5 | ok     |\n"
        "| slow      | 1.51 s |   1.00 s | x  |  1.51 |   1.5 | MISSED |\n"
        "| unlimited |   3 MB |     2 MB | y  |  1.50 |       |        |\n"
    )
    assert report(rows, ["A note."], 5).endswith("\n\nA note.\n\nMissed: slow.\n")


def test_the_command_prints_and_writes_the_same(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "benchmarks.run", "--runs", "1", "--only", "startup"]
    once([*words, "--results", str(tmp_path / "RESULTS.md")])
    written = (tmp_path / "RESULTS.md").read_text()
    assert written.startswith("# Benchmarks\n")
    assert written.count("| import click |") == 3
