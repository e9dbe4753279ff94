"""The journal: what is torn, what is damaged, who shares a sync."""

from __future__ import annotations

import errno
import threading
import time
import zlib
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.inventory.files import FileSystem
from reconciler.inventory.journal import Journal, Replay, encode, encode_line, intent_lines, replay
from reconciler.inventory.journal_entries import (
    CloseIntent,
    DropRecord,
    InventoryState,
    JournalEntry,
    OpenIntent,
    PutRecord,
)
from reconciler.inventory.session import load
from reconciler.inventory.stores.file.hold import FileHold
from reconciler.inventory.stores.file.store import FileStore
from reconciler.model.errors import InventoryError

from .helpers import Failing, Trace, intent, intents, opened, records, texts, tracked

entries = st.one_of(
    st.builds(PutRecord, tracked=records),
    st.builds(DropRecord, name=texts),
    st.builds(OpenIntent, intent=intents),
    st.builds(CloseIntent, name=texts),
)
THREE = [encode_line([encode(DropRecord(name=name))]) for name in ("one", "two", "three")]


def journal_at(path: Path, disk: FileSystem, on_durable: list[JournalEntry] | None = None) -> Journal:
    hold = FileHold(path.with_suffix(""), disk)
    return Journal(hold, label=str(path), on_durable=(on_durable if on_durable is not None else []).extend)


def crafted(payload: bytes) -> bytes:
    """A line whose checksum fits although its content does not."""
    return (
        encode_line([])
        .replace(b"[]", payload)
        .replace(b"%08x" % zlib.crc32(b"[]"), b"%08x" % zlib.crc32(payload))
    )


@given(st.lists(st.lists(entries, min_size=1, max_size=3), max_size=4))
@settings(max_examples=50, deadline=None)
def test_what_was_appended_is_replayed(groups: list[list[JournalEntry]]) -> None:
    """Every entry survives its line, in order."""
    data = b"".join(encode_line([encode(entry) for entry in group]) for group in groups)
    assert replay("j", data) == Replay(entries=tuple(chain(*groups)), valid_length=len(data))


@given(st.lists(entries, max_size=6), st.lists(entries, max_size=6))
@settings(max_examples=50, deadline=None)
def test_replaying_entries_of_the_map_changes_nothing(
    before: list[JournalEntry], journal: list[JournalEntry]
) -> None:
    """A journal may be replayed over a map into which all of it was folded already."""
    state = InventoryState()
    state.apply([*before, *journal])
    again = InventoryState(records=dict(state.records), intents=dict(state.intents))
    again.apply(journal)
    assert again == state


def test_a_line_is_json_with_its_checksum() -> None:
    """People can read a journal line by line, and so can `jq`."""
    assert THREE[0] == b'{"crc32":"%08x","steps":[{"drop":"one"}]}\n' % zlib.crc32(b'[{"drop":"one"}]')


def test_a_torn_last_line_is_skipped() -> None:
    """Wherever a crash cuts the last line, the lines before it count and it does not."""
    valid_length = len(THREE[0] + THREE[1])
    for cut in range(len(THREE[2])):
        found = replay("j", THREE[0] + THREE[1] + THREE[2][:cut])
        assert found == Replay(
            entries=(DropRecord(name="one"), DropRecord(name="two")), valid_length=valid_length
        )


def test_a_damaged_last_line_is_skipped() -> None:
    """So it is when its length is right and one byte of it is not."""
    for at in range(len(THREE[2])):
        bent = THREE[2][:at] + bytes([THREE[2][at] ^ 1]) + THREE[2][at + 1 :]
        assert replay("j", THREE[0] + bent).valid_length == len(THREE[0])


def test_a_torn_line_may_look_like_a_line() -> None:
    """An endpoint whose fields look like the beginning of a line changes nothing."""
    line = encode_line([encode(PutRecord(tracked=tracked("a", b={"crc32": "0"}, c={"crc32": "1"})))])
    assert replay("j", THREE[0] + line).valid_length == len(THREE[0] + line)
    assert replay("j", THREE[0] + line[:-1]).valid_length == len(THREE[0])


def test_a_damaged_earlier_line_is_refused() -> None:
    """Damage before the end is no tear: the line number and the way out are said."""
    for at in range(len(THREE[1])):
        bent = THREE[1][:at] + bytes([THREE[1][at] ^ 1]) + THREE[1][at + 1 :]
        with pytest.raises(InventoryError, match="Line 2 of the journal") as caught:
            replay("j", THREE[0] + bent + THREE[2])
        assert "reconciler state rebuild" in caught.value.problem.hint


@pytest.mark.parametrize(
    "payload",
    [
        b'[{"teleport":"x"}]',
        b'[{"intent":{"name":"x"}}]',
        b'[{"intent":{"name":"x","known_ids":[1],"app_name":"","applied":{},"prevent_destroy":false}}]',
        b'[{"intent":{"name":"x","known_ids":[],"app_name":"","applied":{"image":1},"prevent_destroy":false}}]',
        b'[{"record":{"name":"x"}}]',
        b"[7]",
        b"7",
        b"oops",
        b'[{"drop":"a","drop":"b"}]',
    ],
)
def test_an_unknown_entry_is_refused_even_at_the_end(payload: bytes) -> None:
    """A fitting checksum means that it was written so: by a newer reconciler, or by hand."""
    with pytest.raises(InventoryError, match="Line 2"):
        replay("j", THREE[0] + crafted(payload))


def test_an_intent_may_hold_what_earlier_versions_wrote() -> None:
    """A digest of its request, which is not used any more."""
    entry = encode(OpenIntent(intent=intent("x"))).replace(b'"name":"x",', b'"name":"x","digest":"d",', 1)
    assert b"digest" in entry
    assert replay("j", encode_line([entry])).entries == (OpenIntent(intent=intent("x")),)


def test_the_next_writer_truncates_a_torn_line(tmp_path: Path) -> None:
    """Reading leaves a torn line where it is; the next append removes it first."""
    path, journal = tmp_path / "novita.json", tmp_path / "novita.json.journal"
    kept = encode_line([encode(PutRecord(tracked=tracked("a")))])
    journal.write_bytes(kept + b'{"crc32":"0000')
    assert list(load(FileStore(path)).records) == ["a"]
    assert journal.read_bytes() == kept + b'{"crc32":"0000'
    with opened(path) as session:
        session.record(tracked("b"))
        assert replay(str(journal), journal.read_bytes()).entries == (
            PutRecord(tracked=tracked("a")),
            PutRecord(tracked=tracked("b")),
        )


def test_one_append_is_one_write_and_one_sync(tmp_path: Path) -> None:
    """The first append syncs the directory too, because the name is new; no later one does."""
    trace = Trace()
    journal = journal_at(tmp_path / "j.journal", trace)
    for name in "abc":
        journal.append(DropRecord(name=name), CloseIntent(name=name))
    assert trace.operations == ["open", "write", "sync", "sync_directory", "write", "sync", "write", "sync"]
    journal.close()


class Witness(Trace):
    """Knows which bytes are durable."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.on_durable = b""

    def sync(self, fd: int) -> None:
        written = self.path.read_bytes()
        time.sleep(0.001)  # as long as a disk takes
        super().sync(fd)
        self.on_durable = written


def in_threads(count: int, work: object) -> None:
    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]  # type: ignore[arg-type]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)


def test_an_append_returns_once_its_line_is_durable(tmp_path: Path) -> None:
    """Ten threads, a hundred entries each: none is told so early, none is lost, and syncs are shared."""
    path = tmp_path / "j.journal"
    witness, on_durable, early = Witness(path), list[JournalEntry](), list[str]()
    journal = journal_at(path, witness, on_durable)

    def work(number: int) -> None:
        for index in range(100):
            name = f"{number}/{index}"
            journal.append(DropRecord(name=name))
            if f'"{name}"'.encode() not in witness.on_durable:
                early.append(name)

    in_threads(10, work)
    journal.close()
    assert early == []
    assert witness.syncs < 500
    assert replay(str(path), path.read_bytes()).entries == tuple(on_durable)
    assert sorted(entry.name for entry in on_durable if isinstance(entry, DropRecord)) == sorted(
        f"{number}/{index}" for number in range(10) for index in range(100)
    )


class Gate(Trace):
    """The first sync waits until the gate is opened."""

    def __init__(self, failure: BaseException | None = None) -> None:
        super().__init__()
        self.entered, self.gate, self.failure = threading.Event(), threading.Event(), failure

    def sync(self, fd: int) -> None:
        if not self.entered.is_set():
            self.entered.set()
            assert self.gate.wait(60)
            if self.failure is not None:
                raise self.failure
        super().sync(fd)


def crowd(journal: Journal, gate: Gate, *, names: Sequence[str]) -> dict[str, BaseException | None]:
    """One thread leads; the others arrive while it syncs; the outcome of each."""
    outcome: dict[str, BaseException | None] = {}

    def work(number: int) -> None:
        try:
            journal.append(DropRecord(name=names[number]))
            outcome[names[number]] = None
        except BaseException as error:
            outcome[names[number]] = error

    leader = threading.Thread(target=work, args=(0,))
    leader.start()
    assert gate.entered.wait(60)
    others = [threading.Thread(target=work, args=(number,)) for number in range(1, len(names))]
    for thread in others:
        thread.start()
    while len(journal._queue) < len(others):
        time.sleep(0.0005)  # nothing but the queue says that all have arrived
    gate.gate.set()
    for thread in [leader, *others]:
        thread.join(60)
    return outcome


def test_all_waiting_threads_share_the_next_sync(tmp_path: Path) -> None:
    """Nine that arrive during a sync need one more together, and one line."""
    gate = Gate()
    journal = journal_at(tmp_path / "j.journal", gate)
    outcome = crowd(journal, gate, names="abcdefghij")
    assert set(outcome.values()) == {None}
    assert gate.syncs == 2
    assert (tmp_path / "j.journal").read_bytes().count(b"\n") == 2
    journal.close()


def test_an_interrupted_writer_releases_its_group(tmp_path: Path) -> None:
    """Ctrl-C in the middle of a write goes to its thread; the others are told that nothing is certain."""
    gate = Gate(failure=KeyboardInterrupt())
    journal = journal_at(tmp_path / "j.journal", gate)
    outcome = crowd(journal, gate, names="abc")
    assert isinstance(outcome["a"], KeyboardInterrupt)
    assert isinstance(outcome["b"], InventoryError)
    assert isinstance(outcome["c"], InventoryError)
    journal.close()


def test_a_full_disk_leaves_no_half_line(tmp_path: Path) -> None:
    """The entry is refused with path and reason; with room again, the next follows the last whole line."""
    path, disk = tmp_path / "j.journal", Failing("write", room=7)
    disk.is_failing = False
    journal = journal_at(path, disk)
    journal.append(DropRecord(name="one"))
    disk.is_failing = True
    with pytest.raises(InventoryError, match=f"Cannot write {path}: No space left on device"):
        journal.append(DropRecord(name="two"))
    disk.is_failing = False
    journal.append(DropRecord(name="three"))
    assert path.read_bytes() == THREE[0] + THREE[2]
    journal.close()


def test_a_full_disk_at_the_first_line_forgets_no_directory_sync(tmp_path: Path) -> None:
    """The name is made durable by the first append that succeeds."""
    disk = Failing("write")
    journal = journal_at(tmp_path / "j.journal", disk)
    with pytest.raises(InventoryError):
        journal.append(DropRecord(name="one"))
    disk.is_failing = False
    journal.append(DropRecord(name="two"))
    assert disk.operations[-3:] == ["write", "sync", "sync_directory"]
    journal.close()


def test_creating_the_journal_may_be_retried(tmp_path: Path) -> None:
    """Nothing was written, so nothing is uncertain."""
    disk = Failing("open", code=errno.EACCES)
    journal = journal_at(tmp_path / "j.journal", disk)
    with pytest.raises(InventoryError, match="Permission denied"):
        journal.append(DropRecord(name="one"))
    disk.is_failing = False
    journal.append(DropRecord(name="one"))
    journal.close()


@pytest.mark.parametrize("failing", [("sync",), ("write", "truncate"), ("sync_directory",)])
def test_nothing_is_written_after_a_failed_sync(tmp_path: Path, failing: tuple[str, ...]) -> None:
    """A sync that failed once is not believed the second time; only a new journal is."""
    disk = Failing(*failing, code=errno.EIO)
    journal = journal_at(tmp_path / "j.journal", disk)
    with pytest.raises(InventoryError):
        journal.append(DropRecord(name="one"))
    disk.is_failing = False
    with pytest.raises(InventoryError, match="Cannot write"):
        journal.append(DropRecord(name="two"))
    with journal.paused():
        journal._hold.fold(b"", intent_lines([intent("x")]))
    journal.append(DropRecord(name="three"))
    assert replay("j", (tmp_path / "j.journal").read_bytes()).entries == (
        OpenIntent(intent=intent("x")),
        DropRecord(name="three"),
    )
    journal.close()


def test_nothing_is_appended_after_close(tmp_path: Path) -> None:
    """A thread that is late must not write without the lock."""
    journal = journal_at(tmp_path / "j.journal", FileSystem())
    journal.close()
    with pytest.raises(InventoryError, match="released the lock"):
        journal.append(DropRecord(name="one"))
    assert not (tmp_path / "j.journal").exists()


def test_appends_wait_while_the_journal_is_paused(tmp_path: Path) -> None:
    """Between the map and the journal of one fold no entry gets lost."""
    path = tmp_path / "j.journal"
    gate = Gate()
    journal = journal_at(path, gate)
    writer = threading.Thread(target=journal.append, args=(DropRecord(name="one"),))
    writer.start()
    assert gate.entered.wait(60)
    late = threading.Thread(target=journal.append, args=(DropRecord(name="two"),))

    def open_later() -> None:
        late.start()
        while len(journal._queue) < 2:
            time.sleep(0.0005)
        gate.gate.set()

    opener = threading.Thread(target=open_later)
    opener.start()
    with journal.paused():
        before = path.read_bytes()
        journal._hold.fold(b"", b"")
    for thread in (writer, opener, late):
        thread.join(60)
    assert before.startswith(THREE[0])
    assert (before + (path.read_bytes() if path.exists() else b"")).count(b"\n") == 2
    journal.close()
