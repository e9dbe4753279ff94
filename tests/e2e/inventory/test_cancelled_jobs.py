"""A run that is ended by two signals, or killed, leaves map and journal that lose nothing."""

import json
import os
import shutil
import signal
import subprocess
import threading
from pathlib import Path

import pytest

from reconciler.simulator import Request
from tests.e2e.sandbox import Sandbox, item

NAMES = ("e0", "e1", "e2")
STATE = "state/novita.json"


def held_in_the_second_create(
    sandbox: Sandbox, *, when: str = "before"
) -> tuple[threading.Event, threading.Event]:
    """(reached, go on): an apply of three whose second create waits for the latter."""
    reached, leave = threading.Event(), threading.Event()

    def hold(_request: Request) -> None:
        reached.set()
        leave.wait(30)

    sandbox.declare(*map(item, NAMES))
    getattr(sandbox.sim.faults, when)("create", hold, nth=2)
    return reached, leave


def ended_by_two_signals(
    sandbox: Sandbox, first: int, second: int, *, when: str = "before"
) -> threading.Event:
    """An apply that hears both while its second create is under way; what lets that create go on."""
    reached, leave = held_in_the_second_create(sandbox, when=when)
    process = sandbox.start("apply", "--auto-approve", "--parallelism", "1")
    assert reached.wait(60)
    assert process.stderr is not None
    process.send_signal(first)
    assert any("press Ctrl-C again to stop at once" in line for line in iter(process.stderr.readline, ""))
    process.send_signal(second)
    assert process.wait(60) == 130
    return leave


def a_new_runner(sandbox: Sandbox, tmp_path: Path, *kept: str) -> None:
    """Only these files go on; everything else of the folder's state is gone."""
    for name in kept:
        if (sandbox.root / name).exists():
            shutil.copy(sandbox.root / name, tmp_path / Path(name).name)
    shutil.rmtree(sandbox.root / "state")
    (sandbox.root / "state").mkdir()
    for name in kept:
        if (tmp_path / Path(name).name).exists():
            shutil.copy(tmp_path / Path(name).name, sandbox.root / name)


@pytest.mark.parametrize(
    ("first", "second"),
    [(signal.SIGINT, signal.SIGTERM), (signal.SIGTERM, signal.SIGTERM), (signal.SIGINT, signal.SIGINT)],
)
@pytest.mark.parametrize("when", ["before", "after"])
def test_the_second_signal_folds_what_is_done(
    sandbox: Sandbox, tmp_path: Path, first: int, second: int, when: str
) -> None:
    """The map shows it, the journal what is open; with both, another machine goes on without a double."""
    leave = ended_by_two_signals(sandbox, first, second, when=when)
    assert set(sandbox.inventory) == {"e0"}
    steps = [
        json.loads(line)["steps"] for line in (sandbox.root / f"{STATE}.journal").read_text().splitlines()
    ]
    assert [list(step) for group in steps for step in group] == [["intent"]]
    leave.set()
    while "e1" not in sandbox.live():
        threading.Event().wait(0.01)
    a_new_runner(sandbox, tmp_path, STATE, f"{STATE}.journal")
    sandbox.apply()
    assert len(sandbox.sent("create")) == 3
    assert {name: record["id"] for name, record in sandbox.inventory.items()} == {
        one: sandbox.id(one) for one in NAMES
    }


def test_a_third_signal_waits_for_nothing(sandbox: Sandbox) -> None:
    """However many there are and whenever they come, the run ends with 130, and no step is lost."""
    reached, leave = held_in_the_second_create(sandbox)
    process = sandbox.start("apply", "--auto-approve", "--parallelism", "1")
    assert reached.wait(60)
    for _ in range(200):
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(0.02)
            break
        except subprocess.TimeoutExpired:
            continue
    assert process.wait(60) == 130
    leave.set()
    sandbox.apply()
    assert set(sandbox.inventory) == set(NAMES) == set(sandbox.live())


@pytest.mark.parametrize("as_json", [False, True])
def test_a_journal_is_folded_offline(sandbox: Sandbox, as_json: bool) -> None:
    """After a kill: without a key, an address or an endpoint file, and without a call."""
    sandbox.declare(*map(item, NAMES))
    sandbox.killed("create", "--parallelism", "1", when="after", nth=3)
    assert not (sandbox.root / STATE).exists()
    for name in ("NOVITA_API_KEY", "NOVITA_BASE_URL"):
        sandbox.monkeypatch.delenv(name)
    for path in ("endpoints.yaml", "specs.yaml", "config.yaml"):
        (sandbox.root / path).unlink()
    calls = len(sandbox.sim.requests)
    ran = sandbox.run("state", "fold", *(["--json"] if as_json else []))
    assert ran.code == 0, ran.err
    if as_json:
        assert ran.document == {"recorded": 2, "open": ["e2"], "exit_code": 0}
    else:
        assert "2 endpoints recorded in state/novita.json." in ran.err
        assert "create of e2 is unresolved" in ran.err
    assert set(sandbox.inventory) == {"e0", "e1"}
    assert len(sandbox.sim.requests) == calls
    before = sandbox.files()
    assert sandbox.run("state", "fold").code == 0
    assert sandbox.files() == before


def test_there_is_nothing_to_fold(sandbox: Sandbox) -> None:
    """Nothing is written where no inventory is."""
    before = sandbox.files()
    assert sandbox.run("state", "fold").code == 0
    assert sandbox.files() == before


def test_a_fold_waits_for_the_run_that_is_ending(sandbox: Sandbox) -> None:
    """The lock is its: exit 7, or with --lock-timeout the fold comes after it."""
    reached, leave = held_in_the_second_create(sandbox)
    process = sandbox.start("apply", "--auto-approve", "--parallelism", "1")
    assert reached.wait(60)
    assert sandbox.run("state", "fold").code == 7
    folding = sandbox.start("state", "fold", "--lock-timeout", "20")
    os.kill(process.pid, signal.SIGTERM)
    leave.set()
    assert process.wait(60) == 130
    assert folding.wait(60) == 0
    assert set(sandbox.inventory) == {"e0", "e1"}
