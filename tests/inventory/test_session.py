"""A session: entries, folding, and what others see meanwhile."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.inventory.files import FileSystem
from reconciler.inventory.journal import encode, encode_line
from reconciler.inventory.journal_entries import DropRecord, OpenIntent, PutRecord
from reconciler.inventory.lock_holder import current_holder
from reconciler.inventory.session import load, replace_inventory
from reconciler.inventory.stores.file.store import FileStore
from reconciler.model.errors import InventoryError
from reconciler.model.resource import Inventory

from .helpers import NOON, SEALED, URL, Failing, Trace, intent, opened, read_map, said, tracked, write_map


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "novita.json"


def files(path: Path) -> set[str]:
    """Return the files beside the map, without the map and the lock."""
    return {file.name.removeprefix(path.name) for file in path.parent.iterdir()} - {"", ".lock"}


def test_a_run_from_intent_to_map(path: Path) -> None:
    """Intent, record and fold: every entry shows at once to others, and at the end only the map is left."""
    with opened(path) as session:
        session.open_intent(intent("a"))
        assert said(load(FileStore(path))) == ({}, {"a": intent("a")})
        session.record(tracked("a", envs={"T": SEALED}))
        assert (
            said(load(FileStore(path)))
            == said(session.inventory)
            == ({"a": tracked("a", envs={"T": SEALED})}, {})
        )
        assert not path.exists()
    assert read_map(path) == load(FileStore(path)) == session.inventory
    assert load(FileStore(path)).base_url == URL
    assert files(path) == set()


def test_dropping_renaming_and_settling(path: Path) -> None:
    """A rename is one entry: no moment shows both names, or none."""
    seen = list[list[str]]()

    class Watched(FileSystem):
        def sync(self, fd: int) -> None:
            super().sync(fd)
            seen.append(list(load(FileStore(path)).records))

    write_map(path, Inventory(records={"old": tracked("old"), "b": tracked("b")}))
    with opened(path, disk=Watched()) as session:
        session.record(tracked("new"), replaces=tracked("old"))
        session.record(tracked("b"), replaces=tracked("b"))
        session.drop(tracked("b"))
        session.open_intent(intent("c"))
        session.close_intent("c")
    assert seen[0] == ["b", "new"]
    assert said(load(FileStore(path))) == ({"new": tracked("new")}, {})


def test_open_intents_stay_in_the_journal(path: Path) -> None:
    """They stay in the journal until they are closed."""
    with opened(path) as session:
        session.open_intent(intent("x"))
        session.record(tracked("a"))
    assert read_map(path).intents == {}
    assert files(path) == {".journal"}
    before = path.with_name("novita.json.journal").stat().st_ino
    with opened(path) as session:
        assert said(session.inventory) == ({"a": tracked("a")}, {"x": intent("x")})
    assert path.with_name("novita.json.journal").stat().st_ino == before
    with opened(path) as session:
        session.close_intent("x")
    assert said(load(FileStore(path))) == ({"a": tracked("a")}, {})
    assert files(path) == set()


def test_a_session_without_entries_writes_nothing(path: Path) -> None:
    """Opening and closing leaves no map behind and touches none."""
    trace = Trace()
    with opened(path, disk=trace) as session:
        assert session.inventory == Inventory()
    assert trace.operations == []
    assert files(path) == set()
    assert not path.exists()


def test_entries_that_cancel_out_do_not_change_the_map(path: Path) -> None:
    """A record that says what the map says already costs no write of the map and no backup."""
    write_map(path, Inventory(records={"a": tracked("a")}, base_url=URL))
    before = path.stat().st_ino
    with opened(path) as session:
        session.record(tracked("a"))
    assert path.stat().st_ino == before
    assert files(path) == set()


def test_the_next_run_merges_the_journal_of_a_crashed_run(path: Path) -> None:
    """A session takes up the journal it finds, also an empty one or a torn one."""
    journal = path.with_name("novita.json.journal")
    for left in (b"", b"torn", encode_line([encode(PutRecord(tracked=tracked("a")))])):
        journal.write_bytes(left)
        with opened(path):
            pass
        assert files(path) <= {".backup"}
    assert list(read_map(path).records) == ["a"]


def test_a_snapshot_does_not_change(path: Path) -> None:
    """An inventory that was handed out stays as it was; without new entries it is the same object."""
    with opened(path) as session:
        session.record(tracked("a"))
        before = session.inventory
        assert session.inventory is before
        session.record(tracked("b"))
        assert list(before.records) == ["a"]
        assert list(session.inventory.records) == ["a", "b"]


def test_an_unchanged_map_is_parsed_once(path: Path) -> None:
    """By the plan; the session that follows under the lock changes nothing of what the plan has read."""
    write_map(path, Inventory(records={"a": tracked("a")}))
    before = load(FileStore(path))
    with opened(path) as session:
        assert session.inventory.records["a"] is before.records["a"]
        session.record(tracked("b"))
        session.drop(tracked("a"))
    assert list(before.records) == ["a"]
    assert list(load(FileStore(path)).records) == ["b"]


def test_the_base_url_of_the_map_can_be_compared(path: Path) -> None:
    """A session shows whose map it found, and a fold says who wrote it last."""
    write_map(path, Inventory(base_url="https://elsewhere"))
    with opened(path) as session:
        assert session.inventory.base_url == "https://elsewhere"
        session.record(tracked("a"))
        assert session.inventory.base_url == "https://elsewhere"
        session.checkpoint()
        assert session.inventory.base_url == URL
    assert load(FileStore(path)).base_url == URL


def test_an_exception_passes_through_a_checkpoint(path: Path) -> None:
    """Steps are folded all the same, and the exception arrives unchanged."""
    boom = ValueError("boom")

    def run() -> None:
        with opened(path) as session:
            session.record(tracked("a"))
            raise boom

    with pytest.raises(ValueError, match="boom") as caught:
        run()
    assert caught.value is boom
    assert list(read_map(path).records) == ["a"]


def test_a_failing_checkpoint_hides_no_exception(path: Path) -> None:
    """The fold's own trouble is a note on it, and the entries wait in the journal."""

    def run() -> None:
        with opened(path, disk=Failing("replace")) as session:
            session.record(tracked("a"))
            raise ValueError("boom")

    with pytest.raises(ValueError, match="boom") as caught:
        run()
    assert "No space left on device" in caught.value.__notes__[0]
    assert list(load(FileStore(path)).records) == ["a"]


@pytest.mark.parametrize("entry", ["replace", "unlink"])
def test_a_failing_checkpoint_is_reported_and_loses_nothing(path: Path, entry: str) -> None:
    """The old map is intact, the journal stays, and the next session folds."""
    write_map(path, Inventory(records={"a": tracked("a")}, base_url=URL))

    def run() -> None:
        with opened(path, disk=Failing(entry)) as session:
            session.drop(tracked("a"))
            session.record(tracked("b"))

    with pytest.raises(InventoryError, match=r"Cannot write .*novita\.json"):
        run()
    assert list(load(FileStore(path)).records) == ["b"]
    assert not path.with_name("novita.json.tmp").exists()
    with opened(path):
        pass
    assert list(read_map(path).records) == ["b"]


def test_entries_that_the_journal_refused_reach_the_map(path: Path) -> None:
    """A created endpoint exists even if its entry failed; an intent that failed was never open."""
    disk = Failing("sync", code=errno.EIO)
    with opened(path, disk=disk) as session:
        with pytest.raises(InventoryError, match="Input/output error"):
            session.record(tracked("a"))
        with pytest.raises(InventoryError):
            session.open_intent(intent("x"))
        disk.is_failing = False
    assert said(load(FileStore(path))) == ({"a": tracked("a")}, {})


def test_intents_are_durable_before_begin_returns(path: Path) -> None:
    """The line is written and synced, and its name too, before a request can leave."""
    trace = Trace()
    with opened(path, disk=trace) as session:
        session.open_intent(intent("x"))
        assert trace.operations == ["open", "write", "sync", "sync_directory"]


def test_ten_threads_share_syncs(path: Path) -> None:
    """A thousand records from ten threads cost far fewer syncs than records, and all are there."""

    class Slow(Trace):
        def sync(self, fd: int) -> None:
            time.sleep(0.001)  # as long as a disk takes
            super().sync(fd)

    disk = Slow()
    with opened(path, disk=disk) as session:

        def work(number: int) -> None:
            for index in range(100):
                session.record(tracked(f"{number}-{index}"))

        threads = [threading.Thread(target=work, args=(number,)) for number in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert disk.syncs < 500
        assert len(load(FileStore(path)).records) == 1000
    assert len(read_map(path).records) == 1000


def fold_between(path: Path, act: Callable[[], None]) -> FileSystem:
    """A disk on which `act` happens after the map was read and before the journal is, once."""

    class Racing(FileSystem):
        has_acted = False

        def read(self, path: Path) -> bytes | None:
            if not self.has_acted:
                self.has_acted = True
                act()
            return super().read(path)

    return Racing()


@pytest.mark.parametrize("exists", [True, False])
def test_a_read_during_a_checkpoint_is_consistent(path: Path, exists: bool) -> None:
    """A fold between the two reads would lose its entries; the reader notices the new map and reads again."""
    if exists:
        write_map(path, Inventory(records={"a": tracked("a")}))
    with opened(path) as session:
        session.record(tracked("b"))
        assert "b" in load(FileStore(path, disk=fold_between(path, session.checkpoint))).records


def test_a_read_while_the_map_is_removed_is_consistent(path: Path) -> None:
    """A map that is taken away while it is read is as good as one that never was."""
    write_map(path, Inventory(records={"a": tracked("a")}))
    assert load(FileStore(path, disk=fold_between(path, path.unlink))) == Inventory()


def test_reading_again_settles_a_journal_under_repair(path: Path) -> None:
    """A journal that looks damaged and has changed since was only being written."""
    journal, good = (
        path.with_name("novita.json.journal"),
        encode_line([encode(OpenIntent(intent=intent("x")))]),
    )
    journal.write_bytes(good.replace(b"x", b"y", 1) + good)

    class Repaired(FileSystem):
        reads = 0

        def read(self, path: Path) -> bytes | None:
            self.reads += 1
            if self.reads == 2:
                journal.write_bytes(good)
            return super().read(path)

    assert list(load(FileStore(path, disk=Repaired())).intents) == ["x"]


def test_a_damaged_journal_is_refused(path: Path) -> None:
    """Neither a reader nor a writer guesses; starting over does not need to."""
    journal, good = path.with_name("novita.json.journal"), encode_line([encode(DropRecord(name="x"))])
    journal.write_bytes(good.replace(b"x", b"y", 1) + good)
    with pytest.raises(InventoryError, match="Line 1"):
        load(FileStore(path))
    with pytest.raises(InventoryError, match="Line 1"), opened(path):
        pass
    path.write_text("<<<<<<< HEAD")
    fresh = Inventory(records={"a": tracked("a")}, intents={"x": intent("x")}, base_url=URL)
    holder = current_holder(command="reconciler state rebuild", environ={}, clock=lambda: NOON)
    with FileStore(path).hold(holder) as hold:
        replace_inventory(hold, fresh)
    assert load(FileStore(path)) == fresh
    assert path.with_name("novita.json.backup").read_text() == "<<<<<<< HEAD"


def test_a_symlinked_map_has_one_journal(tmp_path: Path) -> None:
    """Two names of one map share journal and lock, which stand beside the target."""
    (tmp_path / "real").mkdir()
    link, target = tmp_path / "link.json", tmp_path / "real" / "map.json"
    link.symlink_to(target)
    with opened(link) as session:
        session.record(tracked("a"))
        assert said(load(FileStore(target))) == said(load(FileStore(link))) == ({"a": tracked("a")}, {})
        with pytest.raises(InventoryError, match="locked"), opened(target):
            pass
    assert link.is_symlink()
    assert {file.name for file in tmp_path.iterdir()} == {"real", "link.json"}


def test_unreadable_journals_are_named(path: Path) -> None:
    """A journal that is a directory is refused under its own name."""
    os.mkdir(f"{path}.journal")  # noqa: PTH102
    with pytest.raises(InventoryError, match=r"\.journal is a directory"):
        load(FileStore(path))


@pytest.mark.slow
def test_a_checkpoint_of_ten_thousand_records_is_fast(path: Path) -> None:
    """A large map is written and read within seconds, and one more entry does not copy it."""
    envs = {f"KEY_{index}": "value" for index in range(5)}
    many = {f"e{index}": tracked(f"e{index}", envs=envs, ports=[{"port": 8000}]) for index in range(10_000)}
    write_map(path, Inventory(records=many))
    start = time.process_time()
    with opened(path) as session:
        stepping = time.process_time()
        for index in range(200):
            session.record(tracked(f"e{index}"))
        assert time.process_time() - stepping < 10
    assert len(load(FileStore(path)).records) == 10_000
    assert time.process_time() - start < 50
