"""The contract of a store, for each of them: the same bytes, and one writer."""

from __future__ import annotations

from typing import Final

import pytest

from reconciler.inventory.journal import encode_line
from reconciler.inventory.stores.base import APPROVED_PLAN, Content
from tests.stores.engines import StoreUnderTest, holder, open_store
from tests.stores.relay import Fate
from tests.stores.story import check_next_run, line, picture_of, tell
from tests.stores.writers import Failed, Writer

ODD: Final = b'{"b":1,"a":"\xc3\xa9 \\u0000","n":1.0}\n'
"""A line whose bytes a store would change if it read it as JSON."""


def test_the_bytes_are_the_same_in_each_store(under_test: StoreUnderTest) -> None:
    store, odd_line = under_test.store(), encode_line([ODD.rstrip()])
    assert store.read() == Content()
    assert store.read_history() == b""
    assert store.read_document(APPROVED_PLAN) is None
    with Writer(under_test) as writer:
        writer.do("hold")
        writer.do("append", odd_line)
        assert store.read() == Content(map=None, journal=odd_line)
        writer.do("append", line("x"))
        writer.do("fold", ODD * 3, ODD)
        writer.do("append_history", [("a", ODD), ("b", b"y\n")])
        writer.do("write_document", APPROVED_PLAN, b"\x00\xff" + ODD)
        writer.do("check")
        writer.do("release")
    again = under_test.store()
    assert again.read() == Content(map=ODD * 3, journal=ODD)
    assert again.read_history() == ODD + b"y\n"
    assert ODD in again.read_history({"a"})
    assert again.read_document(APPROVED_PLAN) == b"\x00\xff" + ODD
    assert again.label == under_test.address or under_test.name == "postgres"
    assert list(again.examine()) is not None


def test_the_story_ends_as_it_is_told(under_test: StoreUnderTest) -> None:
    with Writer(under_test) as writer:
        confirmed, _, verb = tell(writer)
    assert verb == ""
    assert picture_of(under_test) == confirmed
    check_next_run(under_test)


def test_a_second_run_is_refused_and_told_who_holds_the_lock(under_test: StoreUnderTest) -> None:
    with Writer(under_test, "anna") as first, Writer(under_test, "ben") as second:
        first.do("hold")
        with pytest.raises(Failed, match=r"anna|gitlab-user") as caught:
            second.do("hold")
        assert caught.value.code == "inventory-locked"
        found = under_test.store().holder()
        assert found is not None
        assert found.pid == first.pid or under_test.name == "http" or found.command == "apply"
        first.do("append", line("one"))
        first.do("release")
        second.do("hold", timeout=5)
        second.do("append", line("two"))
    assert picture_of(under_test)[1] == line("one") + line("two")


def test_a_reader_may_meet_the_first_writer(under_test: StoreUnderTest) -> None:
    """The first line is written before each request of a reader, who sees nothing, or that line."""
    relay = under_test.relay
    if relay is None:
        pytest.skip("a file is read without a request")

    def read() -> Content:
        return open_store(under_test.name, under_test.disturbed, under_test.disturbed_environ).read()

    assert read() == Content()
    for last in range(1, relay.pieces + 1):
        under_test.reset()

        def hook(number: int, last: int = last) -> Fate:
            if number == last:
                with under_test.store().hold(holder("first")) as hold:
                    hold.append(line("one"))
            return "arrives"

        relay.count_again(hook)
        assert read() in (Content(), Content(journal=line("one")))
        assert under_test.store().read() == Content(journal=line("one"))
