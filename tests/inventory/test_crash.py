"""Crashes: after any file operation of any write, a killed process, and a power cut."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from collections.abc import Callable
from itertools import product
from pathlib import Path

from reconciler.inventory.files import FileSystem
from reconciler.inventory.journal import encode, encode_line
from reconciler.inventory.journal_entries import (
    CloseIntent,
    DropRecord,
    InventoryState,
    JournalEntry,
    OpenIntent,
    PutRecord,
)
from reconciler.inventory.session import Session, load
from reconciler.inventory.stores.file.store import FileStore
from reconciler.model.resource import UNKNOWN_OWNER, Inventory

from .helpers import URL, Crash, Dying, PowerCut, intent, opened, said, tracked, until_it_lives, write_map

START = Inventory(records={"old": tracked("old"), "kept": tracked("kept")}, base_url=URL)
STORY: list[tuple[Callable[[Session], None], list[JournalEntry]]] = [
    (lambda session: session.open_intent(intent("x")), [OpenIntent(intent=intent("x"))]),
    (lambda session: session.record(tracked("x")), [PutRecord(tracked=tracked("x"))]),
    (lambda session: session.open_intent(intent("y")), [OpenIntent(intent=intent("y"))]),
    (lambda session: session.close_intent("y"), [CloseIntent(name="y")]),
    (lambda session: session.open_intent(intent("z")), [OpenIntent(intent=intent("z"))]),
    (
        lambda session: session.record(tracked("new"), replaces=tracked("old")),
        [PutRecord(tracked=tracked("new")), DropRecord(name="old")],
    ),
    (lambda session: session.drop(tracked("x")), [DropRecord(name="x")]),
    (lambda session: session.checkpoint(), []),
    (lambda session: session.record(tracked("late")), [PutRecord(tracked=tracked("late"))]),
    (lambda session: session.close_intent("left"), [CloseIntent(name="left")]),
    (lambda session: session.checkpoint(), []),
    (
        lambda session: session.record_all([tracked("many"), tracked("more")], UNKNOWN_OWNER),
        [PutRecord(tracked=tracked("many")), PutRecord(tracked=tracked("more"))],
    ),
    (lambda session: session.record(tracked("last")), [PutRecord(tracked=tracked("last"))]),
]


def outcomes() -> list[object]:
    """Return the expected inventory before the story and after each part of it."""
    state = InventoryState.of(START)
    state.apply([OpenIntent(intent=intent("left"))])
    found: list[object] = [said(state.inventory(URL))]
    for _, entries in STORY:
        state.apply(entries)
        found.append(said(state.inventory(URL)))
    return found


OUTCOMES = outcomes()


def prepare(directory: Path) -> Path:
    """A map, and the journal of a run that was killed with a create under way and half a line written."""
    path = directory / "novita.json"
    write_map(path, START, disk=Dying(sys.maxsize))
    left = encode_line([encode(OpenIntent(intent=intent("left")))])
    path.with_name("novita.json.journal").write_bytes(left + left[:20])
    return path


def live(path: Path, disk: FileSystem) -> tuple[int, bool]:
    """Live the story on that disk: how many entries were confirmed, and whether it came to the end."""
    confirmed = 0
    with contextlib.suppress(Crash), opened(path, disk=disk) as session:
        for act, _ in STORY:
            act(session)
            confirmed += 1
        session.checkpoint()
        return confirmed, True
    return confirmed, False


def test_the_process_may_die_between_any_two_operations(tmp_path: Path) -> None:
    """After each death the inventory says what was confirmed, or one entry more. The next run works."""

    def run(last: int) -> bool:
        directory = tmp_path / str(last)
        directory.mkdir()
        path = prepare(directory)
        confirmed, is_alive = live(path, Dying(last))
        assert said(load(FileStore(path))) in OUTCOMES[confirmed : confirmed + 2]
        before = said(load(FileStore(path)))
        with opened(path, disk=Dying(sys.maxsize)) as session:
            assert said(session.inventory) == before
            session.drop(tracked("kept"))
        assert "kept" not in load(FileStore(path)).records
        assert not path.with_name("novita.json.tmp").exists()
        return not is_alive

    assert until_it_lives(run) > 60


def test_the_power_may_fail_between_any_two_operations(tmp_path: Path) -> None:
    """Nothing confirmed depends on a name or a byte not synced, and nothing breaks if it survives."""

    def run(last: int) -> bool:
        directory = tmp_path / str(last)
        directory.mkdir()
        path = prepare(directory)
        disk = PowerCut(last, directory)
        confirmed, is_alive = live(path, disk)
        for names, data in product([False, True], repeat=2):
            after = tmp_path / f"{last}-{names}-{data}"
            after.mkdir()
            for name, content in disk.survivors(names=names, data=data).items():
                (after / name).write_bytes(content)
            assert said(load(FileStore(after / path.name))) in OUTCOMES[confirmed : confirmed + 2]
        return not is_alive

    assert until_it_lives(run) > 60


CHILD = """
import sys, threading, time
from pathlib import Path
from reconciler.inventory.lock_holder import current_holder
from reconciler.inventory.session import open_session
from reconciler.inventory.stores.file.store import FileStore
from reconciler.model.resource import Tracked

def work(session, number):
    for index in range(100_000):
        session.record(Tracked(name=f"{number}-{index}", id="i", applied={}))
        sys.stdout.write(f"{number}-{index}\\n")
        sys.stdout.flush()
        if index % 25 == 24:
            session.checkpoint()

store = FileStore(Path(sys.argv[1]))
with open_session(store, current_holder(command="c", environ={}, clock=time.time), base_url="u") as session:
    for number in range(4):
        threading.Thread(target=work, args=(session, number), daemon=True).start()
    threading.Event().wait()
"""


def test_a_killed_process_loses_no_durable_entry(tmp_path: Path) -> None:
    """Whatever a process called recorded is there after it was killed in full flight, the lock free."""
    path = tmp_path / "novita.json"
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(path)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    names = [child.stdout.readline().strip() for _ in range(500)]
    child.send_signal(signal.SIGKILL)
    names += [line.strip() for line in child.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
    child.wait(60)
    child.stdout.close()
    assert set(names) <= set(load(FileStore(path)).records)
    with opened(path) as session:
        assert set(names) <= set(session.inventory.records)
