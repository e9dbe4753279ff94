"""The store in an object store keeps what was written, and shows each reader one consistent picture."""

from __future__ import annotations

import threading

import pytest

from reconciler.inventory.history_entries import MAX_VERSIONS, Version, line_of
from reconciler.inventory.stores.base import Content, HistoryLine
from reconciler.inventory.stores.object_store.hold import MAX_APPENDS
from reconciler.inventory.stores.object_store.parts import MAX_PARTS
from reconciler.model.errors import InventoryLocked
from tests.s3_server import S3Server
from tests.stores.object_stores import Place, holder, place, refused, store

__all__ = ["place"]


def lines(count: int, start: int = 0) -> list[bytes]:
    return [b'{"line":%d}\n' % number for number in range(start, start + count)]


def test_an_address_without_an_inventory_is_empty(place: Place) -> None:
    new = place.store()
    assert new.read() == Content()
    assert new.read_history() == b""
    assert new.read_document("approved") is None
    assert new.holder() is None
    assert not new.exists()


def test_what_is_written_is_read_by_another_client(place: Place) -> None:
    with place.store().hold(holder()) as hold:
        hold.append(b"one\n")
        hold.append(b"two\n")
        hold.append_history([HistoryLine(name="a", data=b"version 1\n")])
        hold.write_document("approved", b"a plan")
        other = place.store()
        assert other.read() == Content(map=None, journal=b"one\ntwo\n")
        hold.fold(b"the map\n", b"")
        assert other.read() == Content(map=b"the map\n")
        hold.append(b"three\n")
        hold.fold(b"a later map\n", b"an open intent\n")
        assert other.read() == Content(map=b"a later map\n", journal=b"an open intent\n")
        hold.append(b"four\n")
    assert other.read() == Content(map=b"a later map\n", journal=b"an open intent\nfour\n")
    assert other.read_history() == b"version 1\n"
    assert other.read_document("approved") == b"a plan"


def test_a_document_can_be_replaced_and_removed(place: Place) -> None:
    with place.store().hold(holder()) as hold:
        hold.write_document("approved", None)
        hold.write_document("approved", b"first")
        hold.write_document("approved", b"second")
        assert place.store().read_document("approved") == b"second"
        hold.write_document("approved", None)
        assert place.store().read_document("approved") is None
    assert place.keys() == []


def test_the_journal_of_several_holds_is_in_their_order(place: Place) -> None:
    for number in range(3):
        with place.store().hold(holder()) as hold:
            for line in lines(2, 2 * number):
                hold.append(line)
    assert place.store().read().journal == b"".join(lines(6))


def test_many_appends_become_few_objects(place: Place) -> None:
    with place.store().hold(holder()) as hold:
        for line in lines(MAX_APPENDS + 5):
            hold.append(line)
        assert len(place.keys()) == 6
        assert place.store().read().journal == b"".join(lines(MAX_APPENDS + 5))
        hold.fold(b"map\n", b"")
        assert len(place.keys()) == 1


def versions(count: int, name: str) -> list[bytes]:
    """Return the lines of that many versions; `name` may contain the number of the version."""
    return [
        line_of(
            Version(
                name=name.format(number),
                number=number,
                at="2026-11-28T12:00:00+00:00",
                action="create",
                id="ep1",
                app_name="app",
                fields={},
            )
        )
        for number in range(1, count + 1)
    ]


@pytest.mark.parametrize("name", ["base-{}", "base"], ids=["kept whole", "old versions dropped"])
def test_the_history_stays_in_few_objects_and_in_order(place: Place, name: str) -> None:
    lines = versions(4 * MAX_PARTS, name)
    with place.store().hold(holder()) as hold:
        for line in lines:
            hold.append_history([HistoryLine(name="a", data=line)])
        hold.append_history([])
    kept = place.store().read_history().splitlines(keepends=True)
    assert kept == lines[-len(kept) :]
    assert len(kept) == len(lines) if name == "base-{}" else MAX_VERSIONS <= len(kept) < len(lines)
    assert len(place.keys()) <= MAX_PARTS


def test_objects_that_a_killed_run_left_are_deleted_by_the_next_fold(place: Place) -> None:
    bucket = place.bucket()
    with place.store().hold(holder()) as hold:
        hold.fold(b"map\n", b"")
        kept = set(place.keys())
        bucket.create("parts/0000000001-000099-map.json", b"written, and never named by the head")
        bucket.create("parts/notes.txt", b"of somebody else")
        hold.fold(b"map 2\n", b"")
    assert len(place.keys()) == len(kept) == 1
    assert bucket.get("parts/notes.txt") is not None


def test_a_hold_excludes_others_and_says_who_has_it(place: Place) -> None:
    with place.store().hold(holder("anna")):
        owner = place.store().holder()
        assert owner is not None
        assert owner.who == "anna"
        assert owner.lock_id.startswith("1-")
        with pytest.raises(InventoryLocked) as caught, place.store().hold(holder("bert"), timeout=0.2):
            pass
        assert caught.value.problem.summary == f"The inventory {place.address} is locked by anna on laptop"
        assert "--lock-timeout" in caught.value.problem.hint
    assert place.store().holder() is None


def test_a_hold_waits_until_the_lock_is_free(place: Place) -> None:
    taken, free = threading.Event(), threading.Event()

    def first() -> None:
        with place.store().hold(holder("anna")) as hold:
            taken.set()
            free.wait(10)
            hold.append(b"anna\n")

    thread = threading.Thread(target=first)
    thread.start()
    taken.wait(10)
    threading.Timer(0.1, free.set).start()
    with place.store().hold(holder("bert"), timeout=10) as hold:
        hold.append(b"bert\n")
    thread.join()
    assert place.store().read().journal == b"anna\nbert\n"


def test_ten_runs_at_once_hold_one_after_the_other(place: Place) -> None:
    inside: list[int] = []

    def run(number: int) -> None:
        with place.store().hold(holder(), timeout=60) as hold:
            inside.append(number)
            assert len(inside) == 1
            hold.append(b"%d\n" % number)
            inside.remove(number)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    journal = place.store().read().journal
    assert journal is not None
    assert sorted(map(int, journal.split())) == list(range(10))


def test_a_reader_never_combines_an_old_map_with_a_shortened_journal(place: Place) -> None:
    """The map holds the number of entries; the journal has those after it."""
    total, over, pictures = 0, threading.Event(), []

    def watch() -> None:
        reader = place.store()
        while not over.is_set():
            pictures.append(reader.read())

    watchers = [threading.Thread(target=watch) for _ in range(2)]
    for thread in watchers:
        thread.start()
    with place.store().hold(holder()) as hold:
        for _ in range(12):
            for _ in range(5):
                total += 1
                hold.append(b"%d\n" % total)
            hold.fold(b"%d" % total, b"")
    over.set()
    for thread in watchers:
        thread.join()
    assert len(pictures) > 10
    for content in pictures:
        numbers = list(map(int, (content.journal or b"").split()))
        start = int(content.map or b"0")
        assert numbers == list(range(start + 1, start + 1 + len(numbers)))


def test_neighbors_are_the_other_prefixes_with_an_inventory(s3_server: S3Server) -> None:
    bucket = s3_server.new_bucket()
    for prefix in ("team/prod", "team/test", "other/prod"):
        with store(f"s3://{bucket}/{prefix}", s3_server.environ()).hold(holder()) as hold:
            hold.fold(prefix.encode(), b"")
    prod = store(f"s3://{bucket}/team/prod", s3_server.environ())
    prod._bucket.create("unrelated", b"")
    found = prod.neighbors()
    assert list(found) == [f"s3://{bucket}/team/test"]
    assert found[f"s3://{bucket}/team/test"].read() == Content(map=b"team/test")


def test_a_removed_head_starts_over_without_the_old_journal(place: Place) -> None:
    with place.store().hold(holder()) as hold:
        hold.append(b"old\n")
    place.bucket().delete(["head.json"])
    with place.store().hold(holder()) as hold:
        assert place.store().read() == Content()
        hold.append(b"new\n")
        hold.fold(b"map\n", b"")
    assert place.store().read() == Content(map=b"map\n")


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"format": 1}', b"\xff"])
def test_a_damaged_head_is_refused_with_a_way_out(place: Place, data: bytes) -> None:
    place.bucket().create("head.json", data)
    for use in (place.store().read, place.store().holder, lambda: place.store().unlock("1-a")):
        with refused("inventory-damaged") as caught:
            use()
    assert "reconciler state rebuild" in caught.value.problem.hint


def test_a_head_of_a_newer_release_is_refused(place: Place) -> None:
    place.bucket().create("head.json", b'{"format": 2}')
    with refused("inventory-too-new"):
        place.store().read()
    with refused("inventory-too-new"), place.store().hold(holder()):
        pass


def test_a_missing_part_is_damage_and_not_an_empty_inventory(place: Place) -> None:
    with place.store().hold(holder()) as hold:
        hold.fold(b"map\n", b"")
        hold.append_history([HistoryLine(name="a", data=b"1\n")])
    place.bucket().delete(place.keys())
    with refused("inventory-damaged"):
        place.store().read()
    with refused("inventory-damaged"):
        place.store().read_history()
