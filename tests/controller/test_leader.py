"""Leadership on every store: one leads, the others wait, and the next one takes over."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from reconciler.controller.state import SYNC_STATE
from tests.controller.processes import SECONDS, Process, process
from tests.stores.engines import StoreUnderTest, holder


def eventually(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + SECONDS
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.01)


def acts(under_test: StoreUnderTest, who: str) -> None:
    """Wait until that process has acted."""
    store = under_test.store().sibling
    eventually(lambda: store.read_document(SYNC_STATE) == who.encode())


@contextmanager
def leading(under_test: StoreUnderTest, who: str, **options: Any) -> Iterator[Process]:
    """Start a process that leads at once."""
    with process(under_test, who, **options) as started:
        assert started.next() == ("leads",)
        yield started


def awaits(under_test: StoreUnderTest, first: Process, second: Process) -> str:
    """Return the hint that the second process gives while it waits for the first one."""
    acts(under_test, first.who)
    kind, summary, hint = second.next()
    assert kind == "waits"
    assert f"(pid {first.pid}, since " in summary
    assert f"waiting: {first.who} " in summary or under_test.name == "http"  # GitLab has its own names
    return hint


def test_the_next_one_leads_as_soon_as_the_leader_ends(under_test: StoreUnderTest) -> None:
    """SIGTERM frees the leadership at once, and ends a process that waits."""
    with (
        leading(under_test, "first") as first,
        process(under_test, "second") as second,
        process(under_test, "third") as third,
    ):
        for waiting in (second, third):
            assert waiting.next()[0] == "waits"
        third.send(signal.SIGTERM)
        began = time.monotonic()
        assert third.next() == ("ended",)
        assert time.monotonic() - began < 10
        acts(under_test, "first")
        first.send(signal.SIGTERM)
        began = time.monotonic()
        assert first.next() == ("ended",)
        assert second.next() == ("leads",)
        assert time.monotonic() - began < 15
        acts(under_test, "second")


def test_a_leader_that_was_killed_is_replaced_in_time(under_test: StoreUnderTest) -> None:
    with leading(under_test, "first") as first, process(under_test, "second") as second:
        hint = awaits(under_test, first, second)
        began = time.monotonic()
        first.kill()
        if under_test.keeps_lock:
            lock_id = under_test.store().sibling.holder().lock_id  # type: ignore[union-attr]
            assert f"if that one is dead, reconciler state unlock {lock_id}" in hint
            assert second.is_silent()
            under_test.store().sibling.unlock(lock_id)
            began = time.monotonic()
        assert second.next() == ("leads",)
        took = time.monotonic() - began
        assert took < under_test.takeover, took
        acts(under_test, "second")


def test_a_command_line_writes_beside_a_leader(under_test: StoreUnderTest) -> None:
    store = under_test.store()
    with leading(under_test, "leader"):
        acts(under_test, "leader")
        with store.hold(holder("anna")) as hold:
            hold.append(b"line\n")
        assert store.read().journal == b"line\n"
        assert not store.sibling.read().exists
        assert store.neighbors() == {}


def test_a_leader_that_was_stopped_does_nothing_when_it_wakes_up(under_test: StoreUnderTest) -> None:
    """Another leads after its time, or when the lock was freed by hand."""
    with (
        leading(under_test, "frozen", idle=1.0) as frozen,
        process(under_test, "second", idle=1.0) as second,
    ):
        awaits(under_test, frozen, second)
        frozen.send(signal.SIGSTOP)
        if under_test.name == "file":
            time.sleep(0.5)
            assert second.is_silent()
            frozen.send(signal.SIGCONT)  # its lock was kept, and is good
            acts(under_test, "frozen")
            return
        if under_test.keeps_lock:
            sibling = under_test.store().sibling
            sibling.unlock(sibling.holder().lock_id)  # type: ignore[union-attr]
        assert second.next() == ("leads",)
        acts(under_test, "second")
        frozen.send(signal.SIGCONT)
        assert frozen.next() == ("lost", "lock-lost")
        assert f"(pid {second.pid}, " in frozen.next()[1]
        acts(under_test, "second")


def test_an_inventory_in_the_place_of_the_sibling_is_refused(under_test: StoreUnderTest) -> None:
    with under_test.store().sibling.hold(holder("anna")) as hold:
        hold.fold(b'{"endpoints": {\n  "format": 1}}\n', b"")
    with process(under_test, "leader") as leader:
        kind, summary, hint = leader.next()
        assert kind == "waits"
        assert "is an inventory, and its place is that of the controller" in summary
        assert "reconciler state copy" in hint


@pytest.mark.parametrize("under_test", ["postgres", "s3"], indirect=True)
def test_one_leads_after_a_connection_was_lost_and_regained(under_test: StoreUnderTest) -> None:
    """In PostgreSQL the one that waits may be faster; elsewhere a lost connection means nothing."""
    assert under_test.relay
    with (
        leading(under_test, "first", is_disturbed=True) as first,
        process(under_test, "second") as second,
    ):
        awaits(under_test, first, second)
        sent = under_test.relay.pieces
        under_test.relay.drop()
        # one that does not lead sends far less in the time of a takeover
        eventually(lambda: not second.is_silent() or under_test.relay.pieces > sent + 100)
        acts(under_test, "first" if second.is_silent() else "second")
        if under_test.name == "postgres" and not second.is_silent():
            assert (first.next(), second.next()) == (("lost", "lock-lost"), ("leads",))
            assert f"(pid {second.pid}, " in first.next()[1]
        assert first.is_silent()
        assert second.is_silent()
