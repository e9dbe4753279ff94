"""The map on disk."""

from __future__ import annotations

import errno
import json
import os
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings

from reconciler.inventory.journal_entries import (
    CloseIntent,
    DropRecord,
    InventoryState,
    OpenIntent,
    PutRecord,
    entry_from_json,
    entry_to_json,
)
from reconciler.kinds.registry import ENDPOINT, KINDS
from reconciler.model.errors import InventoryError
from reconciler.model.resource import Intent, Inventory, Tracked
from reconciler.model.secrets import Secret

from .helpers import SEALED, URL, Failing, Trace, inventories, read_map, tracked, write_map

SHOWN = """\
{
  "base_url": "https://api.novita.ai",
  "endpoints": {
    "a": {
      "applied": {
        "envs": {
          "TOKEN": {
            "hmac-sha256": "MAC",
            "key": "cdcdcdcdcdcd"
          }
        },
        "name": "a"
      },
      "id": "id-a"
    },
    "ü": {
      "applied": {},
      "id": "7",
      "origin": "imperative",
      "prevent_destroy": true
    }
  },
  "format": 2
}
""".replace("MAC", "ab" * 32)

SOME = Inventory(
    base_url=URL,
    records={
        "ü": Tracked(name="ü", id="7", applied={}, origin="imperative", prevent_destroy=True),
        "a": tracked("a", envs={"TOKEN": SEALED}),
    },
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "novita.json"


def refusal(path: Path, content: str | bytes) -> InventoryError:
    """Return the problem with which reading this content is refused."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(InventoryError) as caught:
        read_map(path)
    assert all("reconciler state rebuild" in problem.hint for problem in caught.value.problems)
    return caught.value


def test_the_map_is_laid_out_for_git(path: Path) -> None:
    """Sorted keys, two spaces, readable letters, only what is unusual, and a newline at the end."""
    assert write_map(path, SOME)
    assert path.read_text(encoding="utf-8") == SHOWN


@given(inventories)
@settings(max_examples=60, deadline=None)
def test_what_was_written_is_read(inventory: Inventory) -> None:
    """Reading gives back what was written, sealed secrets included."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "novita.json"
        write_map(path, inventory)
        assert read_map(path) == inventory
        assert not write_map(path, inventory)


def test_a_missing_map_is_empty(path: Path) -> None:
    """No file means that nothing is ours yet."""
    assert read_map(path) == Inventory()


def test_a_bare_secret_never_reaches_the_disk(path: Path) -> None:
    """An unsealed secret stops the write before it begins."""
    leak = Inventory(records={"a": tracked("a", envs={"T": Secret("s3cret", "${env:T}")})})
    with pytest.raises(TypeError, match="Secret"):
        write_map(path, leak)
    assert not list(path.parent.iterdir())


def test_the_previous_map_is_kept_once(path: Path) -> None:
    """A write keeps what was there as the backup, and one that changes nothing touches neither file."""
    write_map(path, Inventory())
    write_map(path, SOME)
    before = {file.name: file.stat().st_ino for file in path.parent.iterdir()}
    trace = Trace()
    assert not write_map(path, SOME, disk=trace)
    assert trace.operations == []
    assert {file.name: file.stat().st_ino for file in path.parent.iterdir()} == before
    assert read_map(path.with_name("novita.json.backup")) == Inventory()


def test_the_mode_stays(path: Path) -> None:
    """A map that its owner made private remains private."""
    write_map(path, Inventory())
    path.chmod(0o600)
    write_map(path, SOME)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_symlink_is_followed(tmp_path: Path) -> None:
    """The target is replaced, the link stays a link, and the backup stands beside the target."""
    (tmp_path / "real").mkdir()
    target, link = tmp_path / "real" / "map.json", tmp_path / "link.json"
    link.symlink_to(target)
    write_map(link, Inventory())
    write_map(link, SOME)
    assert link.is_symlink()
    assert read_map(target) == read_map(link) == SOME
    assert sorted(file.name for file in target.parent.iterdir()) == ["map.json", "map.json.backup"]


def test_directories_are_made(tmp_path: Path) -> None:
    """The first write makes `state/`, durably, with what is missing above it."""
    trace = Trace()
    write_map(tmp_path / "deep" / "state" / "novita.json", SOME, disk=trace)
    assert trace.operations[:4] == ["make_directory", "sync_directory"] * 2
    assert trace.operations[-3:] == ["sync", "replace", "sync_directory"]


def test_a_leftover_temporary_file_is_used_up(path: Path) -> None:
    """The temporary file of a killed run neither disturbs the next write nor stays."""
    path.with_name("novita.json.tmp").write_text("half")
    write_map(path, SOME)
    assert [file.name for file in path.parent.iterdir()] == ["novita.json"]


@pytest.mark.parametrize("entry", ["open", "chmod", "write", "sync", "replace", "sync_directory"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES, errno.EROFS])
def test_a_failed_write_leaves_the_old_map(path: Path, entry: str, code: int) -> None:
    """A full or forbidden disk is named with the path, the old map stays whole and nothing is left behind."""
    write_map(path, Inventory())
    with pytest.raises(InventoryError) as caught:
        write_map(path, SOME, disk=Failing(entry, code=code, room=10))
    assert str(path) in caught.value.problem.summary
    assert os.strerror(code) in caught.value.problem.summary
    assert read_map(path) in (Inventory(), SOME if entry == "sync_directory" else Inventory())
    assert not path.with_name("novita.json.tmp").exists()


def test_a_short_write_is_continued(path: Path) -> None:
    """A system that takes ten bytes first gets the others in a second call."""

    class Narrow(Trace):
        def write(self, fd: int, data: bytes) -> int:
            return super().write(fd, data[:10])

    write_map(path, SOME, disk=Narrow())
    assert read_map(path) == SOME


@pytest.fixture
def ordinary_user() -> Iterator[Path]:
    """A read-only directory, used by a user who is not root."""
    directory = Path(tempfile.mkdtemp(prefix="inventory-", dir="/tmp"))
    was_root = os.geteuid() == 0
    (directory / "novita.json").write_text(SHOWN, encoding="utf-8")
    directory.chmod(0o555)
    if was_root:
        os.seteuid(65534)
    try:
        yield directory
    finally:
        if was_root:
            os.seteuid(0)
        directory.chmod(0o755)
        for file in directory.iterdir():
            file.unlink()
        directory.rmdir()


def test_a_read_only_directory_is_named(ordinary_user: Path) -> None:
    """Reading works there, writing says which file could not be written and why."""
    path = ordinary_user / "novita.json"
    assert read_map(path) == SOME
    with pytest.raises(InventoryError, match=f"Cannot write {path}: Permission denied") as caught:
        write_map(path, Inventory())
    assert str(ordinary_user) in caught.value.problem.hint
    assert read_map(path) == SOME


def test_a_directory_is_no_map(tmp_path: Path) -> None:
    """A path that names a directory is told apart from a broken file."""
    with pytest.raises(InventoryError, match="is a directory"):
        read_map(tmp_path)


def test_an_unreadable_map_is_named(tmp_path: Path) -> None:
    """The message of the system about an unreadable path is in the problem."""
    (tmp_path / "file").touch()
    with pytest.raises(InventoryError, match="Not a directory"):
        read_map(tmp_path / "file" / "novita.json")
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(InventoryError, match="a symbolic link"):
        read_map(tmp_path / "loop")


def test_broken_json_has_a_place(path: Path) -> None:
    """Line and column are said, the line is shown, and without a backup the way out is to rebuild."""
    problem = refusal(path, '{"format": 1,\n  "base_url": oops}').problem
    assert problem.code == "inventory-not-json"
    assert "at 2:15" in problem.summary
    assert problem.place is not None
    assert (problem.place.line, problem.place.column) == (2, 15)
    assert problem.place.text == '  "base_url": oops}'
    assert "cp " not in problem.hint


def test_the_backup_is_offered_and_never_taken(path: Path) -> None:
    """If a backup exists, the hint says how to copy it; reading does not do it."""
    write_map(path, Inventory())
    write_map(path, SOME)
    assert f"cp {path}.backup {path}" in refusal(path, "{").problem.hint
    assert path.read_text() == "{"


def test_a_merge_conflict_is_recognised(path: Path) -> None:
    """Conflict markers are called what they are, at the first of them."""
    problem = refusal(
        path, SHOWN.replace('    "a": {', '<<<<<<< HEAD\n=======\n>>>>>>> b\n    "a": {')
    ).problem
    assert problem.code == "inventory-merge-conflict"
    assert problem.place is not None
    assert problem.place.line == 4
    assert problem.hint.startswith("Keep the records of both sides")


def test_an_empty_file_is_called_empty(path: Path) -> None:
    """An empty file is not a missing file."""
    assert "is empty" in refusal(path, "\n").problem.summary


def test_other_bytes_are_refused(path: Path) -> None:
    """Neither Latin-1 nor a tower of brackets ends in a traceback."""
    assert "not UTF-8" in refusal(path, b'{"\xfc": 1}').problem.summary
    assert "is not JSON" in refusal(path, "[" * 100_000).problem.summary


def test_a_byte_order_mark_is_harmless(path: Path) -> None:
    """Some editors put one in front."""
    path.write_text(SHOWN, encoding="utf-8-sig")
    assert read_map(path) == SOME


def test_a_newer_map_is_left_alone(path: Path) -> None:
    """A map of a newer format is refused with the advice to upgrade."""
    path.write_text('{"format": 3}')
    with pytest.raises(InventoryError, match="newer reconciler") as caught:
        read_map(path)
    assert "pip install --upgrade" in caught.value.problem.hint


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("[]", 'no "format"'),
        ("{}", 'no "format"'),
        ('{"format": true}', 'no "format"'),
        ('{"format": 0}', "no format 0"),
        ('{"format": 1, "base_url": 1, "endpoints": {}}', '"base_url" must be a string'),
        ('{"format": 1, "base_url": "", "endpoints": []}', '"endpoints" must be an object'),
        ('{"format": 1, "base_url": "", "files": [], "endpoints": {}}', 'unknown key "files"'),
        ('{"format": 2, "base_url": "", "account": "x", "endpoints": {}}', '"account" must be 12 hex digits'),
        (
            '{"format": 2, "base_url": "", "account": null, "endpoints": {}}',
            '"account" must be 12 hex digits',
        ),
        ('{"format": 2, "base_url": "", "root": 1, "endpoints": {}}', '"root" must be a path, a string'),
        ('{"format": 2, "base_url": "", "files": "a", "endpoints": {}}', '"files" must be a list of paths'),
        ('{"format": 2, "base_url": "", "files": [1], "endpoints": {}}', '"files" must be a list of paths'),
        ('{"format": 1, "base_url": "", "endpoints": {}, "serial": 1}', 'unknown key "serial"'),
        ('{"format": 1, "format": 1}', '"format" appears twice'),
    ],
)
def test_a_wrong_shape_is_explained(path: Path, content: str, fault: str) -> None:
    """Every part of the document is checked."""
    assert fault in refusal(path, content).problem.summary


@pytest.mark.parametrize(
    ("record", "fault"),
    [
        ("null", "not null"),
        ("true", "not true or false"),
        ("1", "not a number"),
        ('"id"', "not a string"),
        ("[]", "not a list"),
        ('{"applied": {}}', '"id" must be'),
        ('{"id": "", "applied": {}}', '"id" must be'),
        ('{"id": "1"}', '"applied" must be an object'),
        ('{"id": "1", "applied": {"image": []}}', '"image" in "applied" must be an object'),
        ('{"id": "1", "applied": {"envs": "A"}}', '"envs" in "applied" must be an object'),
        ('{"id": "1", "applied": {"volumeMounts": {"/a": 1}}}', '"/a" in "volumeMounts" must be an object'),
        ('{"id": "1", "applied": {}, "origin": []}', '"origin" must be'),
        ('{"id": "1", "applied": {}, "prevent_destroy": 1}', '"prevent_destroy" must be'),
        ('{"id": "1", "applied": {}, "declared_counts": 2}', '"declared_counts" must be a string'),
        ('{"id": "1", "applied": {}, "note": 1}', 'unknown key "note"'),
    ],
)
def test_a_wrong_record_is_explained(path: Path, record: str, fault: str) -> None:
    """Every part of a record is checked, and the endpoint is named."""
    content = f'{{"format": 1, "base_url": "", "endpoints": {{"base-test": {record}}}}}'
    summary = refusal(path, content).problem.summary
    assert "endpoint base-test" in summary
    assert fault in summary


def test_all_wrong_records_are_reported_at_once(path: Path) -> None:
    """Each has the place of its name, so that one pass over the file mends it."""
    error = refusal(path, SHOWN.replace('"id":', '"ID":'))
    assert [problem.place and (problem.place.line, problem.place.column) for problem in error.problems] == [
        (4, 5),
        (16, 5),
    ]


def test_records_of_other_kinds_have_a_section_of_their_own(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their keys are addresses, so that an endpoint may have the same name; without them nothing changes."""
    monkeypatch.setitem(KINDS, "toy", ENDPOINT)
    other = Tracked(name="a", id="t", applied={}, kind="toy")
    inventory = replace(SOME, others={"toy": Inventory(records={"a": other})})
    write_map(path, inventory)
    assert json.loads(path.read_text())["resources"] == {"toy.a": {"id": "t", "applied": {}}}
    assert read_map(path) == inventory
    write_map(path, SOME)
    assert path.read_text() == SHOWN


@pytest.mark.parametrize(
    ("resources", "fault"),
    [
        ("[]", '"resources" must be an object'),
        ('{"x.a": {"id": "1", "applied": {}}}', 'x.a: there is no kind "x"'),
    ],
)
def test_resources_are_read_strictly(path: Path, resources: str, fault: str) -> None:
    """A kind of a newer reconciler is no kind here."""
    path.write_text(f'{{"format": 2, "base_url": "", "endpoints": {{}}, "resources": {resources}}}')
    with pytest.raises(InventoryError, match=fault):
        read_map(path)


def test_steps_of_other_kinds_leave_endpoints_of_the_same_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step says the kind that it is about, and is read back as it was written."""
    monkeypatch.setitem(KINDS, "toy", ENDPOINT)
    other = Tracked(name="a", id="t", applied={}, kind="toy")
    intent = Intent(name="b", known_ids=(), app_name="", applied={}, kind="toy")
    state = InventoryState.of(SOME)
    for step in (PutRecord(tracked=other), OpenIntent(intent=intent)):
        state.apply([entry_from_json(json.loads(json.dumps(entry_to_json(step))))])
    inventory = state.inventory(URL)
    assert (inventory.of("toy").records, inventory.of("toy").intents) == ({"a": other}, {"b": intent})
    assert list(inventory.every_record())[-1] == other
    assert InventoryState.of(inventory).inventory(URL) == inventory
    for last in (DropRecord(name="a", kind="toy"), CloseIntent(name="b", kind="toy")):
        state.apply([entry_from_json(json.loads(json.dumps(entry_to_json(last))))])
    assert state.inventory(URL) == replace(SOME, records=dict(sorted(SOME.records.items())))
