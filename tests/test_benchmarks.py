"""The benchmarks: each program does the work that is measured, and a failure is no measurement."""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
from pathlib import Path

import pytest

from benchmarks import (
    bulk,
    controller,
    many_writes,
    octodns_peer,
    peers,
    server_load,
    stores,
    ten,
    terraform,
    terraform_provider,
    tls,
)
from benchmarks.measure import (
    RECONCILER,
    ROOT,
    Timing,
    calls,
    fake,
    in_series,
    measure_in_turn,
    run_measured,
)
from benchmarks.rows import Row, table
from benchmarks.run import THEMES, report
from benchmarks.targets import BASELINES, Bench
from benchmarks.world import live

COUNT = 120
FLOOR = ROOT / "benchmarks/floor.py"


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, runs=1)


def test_what_is_recorded_is_what_is_live(bench: Bench) -> None:
    """A plan needs three requests and is empty; against another account it is not."""
    repo = bench.recorded(COUNT)
    with fake(COUNT) as url:
        bench.reconciler(repo, "plan", "--detailed-exitcode", url=url)()
        assert len(calls(url)) == 3
        run_measured([*BASELINES, "plan", url, str(repo / "endpoints.yaml")])
    with fake(COUNT, changed=COUNT) as url, pytest.raises(RuntimeError, match=f"{COUNT} to change"):
        bench.reconciler(repo, "plan", "--detailed-exitcode", url=url)()


def test_all_kinds_that_are_recorded_are_live(bench: Bench) -> None:
    """A plan is empty; its requests are those of the endpoints, and three more. The baseline has them too."""
    repo = bench.with_all_kinds(COUNT)
    with fake(COUNT, has_all_kinds=True) as url:
        bench.reconciler(repo, "plan", "--detailed-exitcode", url=url)()
        assert len(calls(url)) == 3 + 3
        bench.baseline("listings", url)()
        assert sorted({operation for operation, *_ in calls(url)}) == [
            "/endpoints",
            "/networkstorages/list",
            "/repository/auths",
        ]


def test_creates_meet_an_empty_account_each_time(bench: Bench) -> None:
    run = bench.creating(COUNT, latency=0, width=8)
    watched = bench.creating(COUNT, latency=0, width=8, terminal=True)
    for timing in (run(), run(), watched()):
        assert timing.wall > 0 < timing.memory


def test_a_failing_process_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"(?s)ended with 1.*no endpoints.yaml"):
        run_measured([RECONCILER, "validate"], cwd=tmp_path)


def test_the_baselines_do_their_part(bench: Bench) -> None:
    repo = bench.repo(COUNT)
    with fake(COUNT) as url:
        run_measured([*BASELINES, "listing", url])
        assert len(calls(url)) == 2
        run_measured([*BASELINES, "creates", url, "10", "4"])
        assert len(calls(url)) == 10
        run_measured([*BASELINES, "updates", url, "10", "4"])
        assert len(calls(url)) == 12
        run_measured([*BASELINES, "deletes", url, "10", "4"])
        assert len(calls(url)) == 12
    run_measured([*BASELINES, "yaml", str(repo / "endpoints.yaml")])


def test_octodns_finds_nothing_to_do(tmp_path: Path) -> None:
    if importlib.util.find_spec("octodns") is None:
        pytest.skip("octoDNS is in the extra `bench`")
    with fake(COUNT) as url:
        octodns_peer.no_change(tmp_path / "o", COUNT, url)()
    with fake(COUNT, changed=COUNT) as url, pytest.raises(RuntimeError):
        octodns_peer.no_change(tmp_path / "p", COUNT, url)()


def test_terraform_finds_nothing_to_do(tmp_path: Path) -> None:
    if shutil.which("terraform") is None:
        pytest.skip("terraform is not on this machine")
    assert terraform.applied(tmp_path / "t", 5).wall > 0
    terraform.no_change(tmp_path / "t")()
    (tmp_path / "t" / "main.tf").write_text("")
    with pytest.raises(RuntimeError):
        terraform.no_change(tmp_path / "t")()


def test_the_terraform_provider_lists_once_and_creates(tmp_path: Path) -> None:
    if reason := terraform_provider.missing():
        pytest.skip(reason)
    with fake(COUNT) as url:
        terraform_provider.no_change(tmp_path / "t", COUNT, url)()
        assert [operation for operation, *_ in calls(url)] == ["/endpoints"] * 2
    with fake(5, changed=1) as url, pytest.raises(RuntimeError, match="1 to change"):
        terraform_provider.no_change(tmp_path / "u", 5, url)()
    with fake(0) as url:
        assert terraform_provider.creates(tmp_path / "v", 5)(url).wall > 0
        assert [operation for operation, *_ in calls(url)] == ["/endpoint/create"] * 5


def test_the_floor_does_its_part(bench: Bench) -> None:
    with fake(10) as url:
        run_measured([sys.executable, str(FLOOR), url, str(bench.repo(10) / "endpoints.yaml")])
        assert [operation for operation, *_ in calls(url)] == ["/endpoints"] * 2


def test_the_floor_of_an_apply_lists_creates_and_lists(bench: Bench, tmp_path: Path) -> None:
    bodies = tmp_path / "creates.jsonl"
    bodies.write_text("".join(json.dumps({"endpoint": live(number)}) + "\n" for number in range(3)))
    with fake(0, 20) as url:
        run_measured([sys.executable, str(FLOOR), url, str(bench.repo(3) / "endpoints.yaml"), str(bodies)])
        log = calls(url)
    assert [operation for operation, *_ in log] == ["/endpoints"] * 2 + ["/endpoint/create"] * 3 + [
        "/endpoints"
    ]
    assert in_series(call[1:] for call in log) == 3


@pytest.mark.parametrize(
    ("log", "count"),
    [([], 0), ([("a", 0, 1), ("b", 0, 1)], 1), ([("a", 0, 1), ("b", 1, 3), ("c", 2, 4), ("d", 3, 5)], 3)],
)
def test_calls_in_series(log: list[tuple[str, float, float]], count: int) -> None:
    assert in_series(call[1:] for call in log) == count


def test_a_write_shows_after_the_lag(bench: Bench) -> None:
    """And a run begins with the recorded state, whatever the run before has written."""
    log: list[tuple[str, float, float]] = []
    destroy = bench.writing(5, "destroy", log=log, lag=0.3)
    for _ in range(2):
        assert destroy().wall > 0.3
        assert sum(operation == "/endpoint/delete" for operation, *_ in log) == 5


@pytest.mark.parametrize("theme", list(THEMES))
def test_every_theme_measures_its_rows(bench: Bench, monkeypatch: pytest.MonkeyPatch, theme: str) -> None:
    """At small sizes, because only the harness is tested here."""
    for module, name, value in (
        (ten, "LATENCY", 30),
        (ten, "MORE", 12),
        (ten, "LONG_LATENCY", 30),
        (tls, "ROUND_TRIP", 20),
        (ten, "LAGS", (0.1,)),
        (many_writes, "COUNT", 40),
        (stores, "CREATES", 40),
        (stores, "LEASE", 1.0),
        (bulk, "LARGE", 50),
        (bulk, "SMALL", 20),
        (bulk, "ACCEPTED", (2, 5)),
        (peers, "COUNT", 20),
        (controller, "COUNT", 20),
        (controller, "REST", 2),
        (controller, "COMMITS", 10),
        (controller, "ROUNDS", 20),
        (server_load, "COUNT", 20),
        (server_load, "READERS", 5),
        (server_load, "PAGES", 5),
        (server_load, "REST", 1.0),
        (server_load, "ALONE", 0.2),
        (server_load, "PACED", 0.2),
        (server_load, "TOGETHER", 0.2),
        (server_load, "FOLLOWED", 0.5),
        (server_load, "PAUSE", 0.05),
    ):
        monkeypatch.setattr(module, name, value)
    items = list(THEMES[theme](bench))
    rows = [row for row in items if isinstance(row, Row)]
    assert rows or (items and theme in {*peers.PEERS, "profile"})
    assert all(row.baseline > 0 for row in rows)
    assert all(row.result > 0 or theme == "server" for row in rows)  # at rest it may need no time at all


def test_clients_count_answers_and_fail_with_the_server(bench: Bench) -> None:
    with fake(3) as account, server_load.serving(bench.recorded(3), account) as server:
        listed = f"{server.url}/api/v1/endpoints"
        seen = server_load.clients(listed, 4, 0.2, 0.02)
        assert 4 <= seen["answers"] <= 60
        assert 0 < seen["p50"] <= seen["p99"]
        assert server_load.clients(f"{server.url}/events", 2, 0.1)["events"] >= 2
        with pytest.raises(RuntimeError, match="404"):
            server_load.clients(f"{server.url}/nothing", 1, 0.1)
        assert server.seconds() > 0 < server.peak_memory()
    with pytest.raises(RuntimeError, match="Connect"):
        server_load.clients(listed, 1, 0.1)


def test_runs_alternate_after_one_warm_up_run() -> None:
    names: list[str] = []

    def running(name: str, *walls: float) -> Timing:
        names.append(name)
        return Timing(wall=walls[names.count(name) - 1], memory=1.0)

    one, other = measure_in_turn(lambda: running("a", 99, 1, 5, 3), lambda: running("b", 99, 7, 8, 9), runs=3)
    assert (one.wall, other.wall, "".join(names)) == (3, 8, "abababab")


def test_the_table_shows_missed_limits() -> None:
    rows = [
        Row(what="fast", result=0.5, baseline=1.0, baseline_name="x", limit=0.5),
        Row(what="slow", result=1.51, baseline=1.0, baseline_name="x", limit=1.5),
        Row(what="unlimited", result=3, baseline=2, baseline_name="y", unit="MB"),
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
    run_measured([*words, "--results", str(tmp_path / "RESULTS.md")])
    written = (tmp_path / "RESULTS.md").read_text()
    assert written.startswith("# Benchmarks\n")
    assert written.count("| import click |") == 3
