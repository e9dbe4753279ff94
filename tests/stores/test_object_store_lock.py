"""The lock in an object store: a lease that is renewed, taken over when its run is dead, and never shared."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from reconciler.inventory.stores.base import HistoryLine, Hold
from reconciler.inventory.stores.clock import passed
from reconciler.inventory.stores.object_store import LEASE_VARIABLE, open_store
from reconciler.inventory.stores.object_store import head as heads
from reconciler.inventory.stores.object_store.bucket import Revision
from reconciler.inventory.stores.object_store.clock import ServerClock
from reconciler.inventory.stores.object_store.hold import KEPT_MARKERS
from reconciler.inventory.stores.object_store.lease import Lease
from reconciler.model.durations import LEASE
from reconciler.model.errors import InventoryError, InventoryLocked
from tests.s3_proxy import Fault, refusal
from tests.s3_server import S3Server
from tests.stores.object_stores import Place, holder, place, refused
from tests.stores.other_run import other_run

__all__ = ["place"]


@contextmanager
def other_process(s3_server: S3Server, address: str, lease: float) -> Iterator[subprocess.Popen[str]]:
    """Yield a process that holds the lock and appends each line of its input."""
    environ = {**s3_server.environ(), LEASE_VARIABLE: str(lease), "PATH": ""}
    with other_run(address, environ, who="dead") as process:
        yield process


def test_the_lock_of_a_killed_run_is_taken_over_after_its_lease(s3_server: S3Server, place: Place) -> None:
    with other_process(s3_server, place.address, lease=1.5) as process:
        with pytest.raises(InventoryLocked), place.store().hold(holder()):
            pass
        process.kill()
        killed = time.monotonic()
        with place.store().hold(holder(), timeout=30) as hold:
            assert time.monotonic() - killed < 1.5 + 20
            assert place.store().read().journal == b"of the dead run\n"
            hold.append(b"of the next run\n")
    assert place.store().read().journal == b"of the dead run\nof the next run\n"


def test_a_run_that_was_stopped_past_its_lease_cannot_write_any_more(
    s3_server: S3Server, place: Place
) -> None:
    with other_process(s3_server, place.address, lease=1.5) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.send_signal(signal.SIGSTOP)
        with place.store().hold(holder(), timeout=30) as hold:
            process.send_signal(signal.SIGCONT)
            process.stdin.write("late\n")
            process.stdin.flush()
            assert process.stdout.readline() == "lock-lost\n"
            hold.append(b"in time\n")
            hold.fold(b"map\n", b"")
    assert place.store().read().map == b"map\n"


def test_a_living_run_keeps_the_lock_past_its_lease(place: Place) -> None:
    with place.store(lease=2.0).hold(holder()) as hold:
        with pytest.raises(InventoryLocked), place.store().hold(holder("bert"), timeout=3.3):
            pass
        hold.check()
        hold.append(b"still here\n")


def every_write(hold: Hold) -> list[object]:
    return [
        lambda: hold.append(b"late\n"),
        lambda: hold.fold(b"late map\n", b""),
        lambda: hold.append_history([HistoryLine(name="a", data=b"late\n")]),
        lambda: hold.write_document("approved", b"late"),
    ]


@pytest.mark.parametrize("number", range(4), ids=["append", "fold", "history", "document"])
def test_no_write_of_a_lost_hold_counts(place: Place, number: int) -> None:
    """The first run does not know yet that its lock was freed and taken."""
    with place.store().hold(holder("anna")) as late:
        late.append(b"first\n")
        place.store().unlock(_lock_id(place))
        with place.store().hold(holder("bert")) as hold:
            before = place.store()
            contents = before.read(), before.read_history(), before.read_document("approved")
            with refused("lock-lost") as caught:
                every_write(late)[number]()  # type: ignore[operator]
            assert "bert on laptop" in str(caught.value) or "another run" in str(caught.value)
            with refused("lock-lost"):
                late.check()
            assert (before.read(), before.read_history(), before.read_document("approved")) == contents
            hold.append(b"second\n")
            hold.fold(b"map\n", b"")
    assert place.store().read().map == b"map\n"
    with place.store().hold(holder()):
        pass


def test_a_hold_that_is_over_cannot_write(place: Place) -> None:
    with place.store().hold(holder()) as hold:
        pass
    for write in every_write(hold):
        with refused("lock-lost"):
            write()  # type: ignore[operator]


def test_an_append_just_before_the_takeover_is_read_by_the_next_run(place: Place) -> None:
    """The second run has the lock by then, and has not closed the journal of the first one yet."""
    with place.store().hold(holder("anna")) as late:
        place.store().unlock(_lock_id(place))
        place.proxy.fail_next("PUT", "journal/", Fault(before=lambda: late.append(b"just in time\n")))
        with place.store(is_disturbed=True).hold(holder("bert")) as hold:
            assert place.store().read().journal == b"just in time\n"
            with refused("lock-lost"):
                late.append(b"too late\n")
            hold.append(b"bert\n")
    assert place.store().read().journal == b"just in time\nbert\n"


def test_a_run_that_died_before_it_closed_the_journal_leaves_that_to_the_next(place: Place) -> None:
    with place.store().hold(holder("anna")) as late:
        late.append(b"anna\n")
        place.store().unlock(_lock_id(place))
        place.proxy.fail_next("PUT", "journal/", *[refusal(403, "AccessDenied")] * 9)
        with refused("store-refused"), place.store(is_disturbed=True).hold(holder("bert")):
            pass
        with place.store().hold(holder("carl")) as hold:
            with refused("lock-lost"):
                late.append(b"late\n")
            hold.append(b"carl\n")
    assert place.store().read().journal == b"anna\ncarl\n"


def test_a_run_that_wakes_up_after_folds_of_others_cannot_append(place: Place) -> None:
    with place.store().hold(holder("anna")) as late:
        late.append(b"anna\n")
        place.store().unlock(_lock_id(place))
        for number in range(KEPT_MARKERS):
            with place.store().hold(holder("bert")) as hold:
                hold.append(b"bert\n")
                hold.fold(b"map %d\n" % number, b"")
        with refused("lock-lost"):
            late.append(b"late\n")
    content = place.store().read()
    assert (content.map, content.journal) == (b"map 15\n", None)


def test_equal_heads_have_different_etags(place: Place) -> None:
    """Otherwise a run would not see that another one had the lock, and left everything as it was."""
    with place.store().hold(holder("anna")) as late:
        place.store().unlock(_lock_id(place))
        with place.store().hold(holder("bert")):
            pass
        with refused("lock-lost"):
            late.fold(b"map\n", b"")


def test_a_lock_is_freed_only_by_its_name(place: Place) -> None:
    with refused("not-locked"):
        place.store().unlock("1-abc")
    with place.store().hold(holder()):
        with refused("other-lock") as caught:
            place.store().unlock("1-abc")
        assert "reconciler state lock-info" in caught.value.problem.hint
        assert place.store().holder() is not None
    with refused("not-locked"):
        place.store().unlock("1-abc")


def test_a_hold_that_cannot_renew_stops_and_may_recover(place: Place) -> None:
    with place.store(lease=1.5, is_disturbed=True).hold(holder()) as hold:
        place.proxy.fault = lambda method, path: refusal(403, "AccessDenied") if "head.json" in path else None
        began = passed()
        while passed() - began < 5:
            with suppress(InventoryError):
                hold.check()
                time.sleep(0.02)
                continue
            break
        with refused("lock-lost") as caught:
            hold.append(b"line\n")
        assert "AccessDenied" in caught.value.problem.detail
        place.proxy.fault = lambda method, path: None
        while passed() - began < 10:
            with suppress(InventoryError):
                hold.check()
                break
            time.sleep(0.02)
        hold.append(b"again\n")
    assert place.store().read().journal == b"again\n"


def test_the_variable_shortens_the_lease_only(s3_server: S3Server) -> None:
    for text, expected in (("2.5", 2.5), ("3600", LEASE), ("", LEASE)):
        address = s3_server.new_address()
        opened = open_store(address, {**s3_server.environ(), LEASE_VARIABLE: text})
        with opened.hold(holder()):
            owner = open_store(address, s3_server.environ())
            with pytest.raises(InventoryLocked) as caught, owner.hold(holder()):
                pass
            assert caught.value.problem.code == "inventory-locked"
        assert b'"lease": %.1f' % expected in _head(address, s3_server)


def _head(address: str, server: S3Server) -> bytes:
    from reconciler.inventory.stores.object_store.address import parse_address
    from reconciler.inventory.stores.object_store.bucket import Bucket

    found = Bucket(parse_address(address), server.environ()).get("head.json")
    assert found is not None
    return found.data


def _lock_id(place: Place) -> str:
    owner = place.store().holder()
    assert owner is not None
    return owner.lock_id


def test_a_late_request_of_the_run_itself_does_not_cost_it_the_lock(place: Place) -> None:
    bucket = place.bucket()
    with place.store().hold(holder()) as hold:
        found = bucket.get("head.json")
        assert found is not None
        late = replace(heads.decode(found.data), nonce="that of an earlier renewal")
        assert bucket.replace("head.json", heads.encode(late), found.revision)
        hold.fold(b"map\n", b"")
    assert place.store().read().map == b"map\n"


@pytest.mark.parametrize("data", [None, b"junk"])
def test_a_head_that_was_removed_or_overwritten_costs_the_lock(place: Place, data: bytes | None) -> None:
    bucket = place.bucket()
    with place.store().hold(holder()) as hold:
        found = bucket.get("head.json")
        assert found is not None
        if data is None:
            bucket.delete(["head.json"])
        else:
            assert bucket.replace("head.json", data, found.revision)
        with refused("lock-lost") as caught:
            hold.fold(b"map\n", b"")
        assert "removed or replaced" in caught.value.problem.summary


def test_a_server_that_refuses_each_change_of_the_head_is_not_asked_for_ever(place: Place) -> None:
    with place.store(is_disturbed=True).hold(holder()) as hold:
        place.proxy.fault = lambda method, path: (
            refusal(412, "PreconditionFailed") if method == "PUT" and "head.json" in path else None
        )
        with refused("lock-lost") as caught:
            hold.fold(b"map\n", b"")
        assert "without another run in sight" in caught.value.problem.summary
        place.proxy.fault = lambda method, path: None
        hold.fold(b"map\n", b"")
    assert place.store().read().map == b"map\n"


def test_an_append_that_the_journal_refuses_is_not_counted(place: Place) -> None:
    """Another run closed the journal, and this one knows nothing of it yet."""
    with place.store().hold(holder()) as hold:
        hold.append(b"one\n")
        place.bucket().create("journal/0000000001-000000001", b"")
        with refused("lock-lost"):
            hold.append(b"two\n")
        with refused("lock-lost"):
            hold.check()
    assert place.store().read().journal == b"one\n"


@pytest.mark.parametrize(("age", "is_safe"), [(0.0, True), (39.0, True), (41.0, False), (3600.0, False)])
def test_a_run_relies_on_its_lock_for_two_thirds_of_its_lease(
    place: Place, age: float, is_safe: bool
) -> None:
    head = heads.Head(fence=1, closed=0, lease=60.0, documents={})
    lease = Lease(place.bucket(), head, Revision(e_tag="x", version=None), at=passed() - age)
    if is_safe:
        lease.check()
        return
    with refused("lock-lost") as caught:
        lease.check()
    assert f"it was not renewed for {age:.0f} s" in caught.value.problem.summary


@pytest.mark.parametrize(("age", "is_over"), [(59.0, False), (60.5, False), (61.5, True)])
def test_a_lease_is_over_by_the_clock_of_the_server_alone(age: float, is_over: bool) -> None:
    """The times of objects are whole seconds, so a lease that ended less than a second ago may go on."""
    written = datetime(1999, 12, 31, tzinfo=UTC)  # this machine has another opinion
    clock = ServerClock(written=written, at=passed())
    assert clock.is_over(written - timedelta(seconds=age), 60.0) is is_over
