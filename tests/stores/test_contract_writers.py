"""Several writers: two, ten, and one that is stopped for so long that another takes the lock over."""

from __future__ import annotations

import json
import threading
import time
from contextlib import ExitStack
from typing import Any, Final

import pytest

from reconciler.model.errors import InventoryError
from tests.stores.engines import StoreUnderTest
from tests.stores.relay import Fate
from tests.stores.story import line, picture_of
from tests.stores.writers import Failed, Writer

VERBS: Final[dict[str, tuple[Any, ...]]] = {
    "append": (line("late"),),
    "fold": (b"late map\n", b""),
    "append_history": ([("a", b"late\n")],),
    "write_document": ("approved", b"late\n"),
}


EACH_VERB: Final = [pytest.param(verb, marks=[] if verb == "append" else pytest.mark.slow) for verb in VERBS]


@pytest.mark.parametrize(("number", "times"), [(2, 3), (10, 1)])
def test_no_line_of_concurrent_writers_is_lost(under_test: StoreUnderTest, number: int, times: int) -> None:
    """Each of them reads under the lock how many lines there are, and writes that number."""
    with ExitStack() as stack:
        writers = [stack.enter_context(Writer(under_test, f"w{one}")) for one in range(number)]
        for writer in writers:
            writer.start("count_up", times)
        for writer in writers:
            writer.result()
    lines = [entry_of(one) for one in picture_of(under_test)[1].splitlines()]
    assert [one[0] for one in lines] == list(range(number * times))
    assert sorted(one[1] for one in lines) == sorted(f"w{one}" for one in range(number) for _ in range(times))


def entry_of(whole_line: bytes) -> list[Any]:
    """Return the entry that a line of a journal carries beside its checksum."""
    [found] = [value for value in json.loads(whole_line).values() if isinstance(value, list)]
    [entry] = found
    assert isinstance(entry, list)
    return entry


def take_over(under_test: StoreUnderTest, second: Writer, *, by_hand: bool) -> None:
    """Let a second writer take the lock of one that is stopped: after its time, if it has one, or by hand."""
    if under_test.name == "s3" and not by_hand:
        second.do("hold", timeout=under_test.takeover + 5)
        return
    with pytest.raises(Failed) as caught:
        second.do("hold")
    assert caught.value.code == "inventory-locked"
    store = under_test.store()
    found = store.holder()
    assert found is not None
    if not under_test.can_unlock:
        with pytest.raises(InventoryError, match="not locked by"):
            store.unlock("any")
        return
    store.unlock(found.lock_id)
    second.do("hold", timeout=5)


@pytest.mark.parametrize("verb", EACH_VERB)
def test_a_writer_that_was_stopped_writes_nothing_after_a_takeover(
    under_test: StoreUnderTest, verb: str
) -> None:
    with (
        Writer(under_test, "frozen", **under_test.soon_over) as frozen,
        Writer(under_test, "second") as second,
    ):
        frozen.do("hold")
        frozen.do("append", line("one"))
        frozen.stop()
        take_over(under_test, second, by_hand=verb != "append")
        if not under_test.can_unlock:
            frozen.go_on()  # its lock was kept, and is good
            frozen.do("append", line("two"))
            assert picture_of(under_test)[1] == line("one") + line("two")
            return
        second.do("append", line("two"))
        frozen.go_on()
        with pytest.raises(Failed) as caught:
            frozen.do(verb, *VERBS[verb])
        assert caught.value.code == "lock-lost", caught.value
        with pytest.raises(Failed):
            frozen.do("check")
        second.do("append", line("three"))
        frozen.do("release")
        second.do("fold", b"map\n", line("four"))
        second.do("release")
    assert picture_of(under_test) == (b"map\n", line("four"), b"", b"")


@pytest.mark.parametrize("verb", EACH_VERB)
def test_a_write_that_arrives_after_a_takeover_changes_nothing(under_test: StoreUnderTest, verb: str) -> None:
    """The writer is stopped when it has sent a request, and the request arrives when another has the lock."""
    if under_test.relay is None:
        pytest.skip("a file is written without a request")
    relay, is_sent, may_arrive = under_test.relay, threading.Event(), threading.Event()
    with (
        Writer(under_test, "frozen", is_disturbed=True, **under_test.soon_over) as frozen,
        Writer(under_test, "second") as second,
    ):
        frozen.do("hold")
        frozen.do("append", line("one"))

        def hook(number: int) -> Fate:
            if number == 1:
                frozen.stop()
                is_sent.set()
                assert may_arrive.wait(30)
            return "arrives"

        relay.count_again(hook)
        frozen.start(verb, *VERBS[verb])
        assert is_sent.wait(60)
        take_over(under_test, second, by_hand=verb != "append")
        before = picture_of(under_test)
        second.do("append", line("two"))
        may_arrive.set()
        frozen.go_on()
        with pytest.raises(Failed):
            frozen.result()
        assert picture_of(under_test) == (before[0], before[1] + line("two"), *before[2:])
        second.do("fold", b"map\n", b"")
        second.do("release")
    assert picture_of(under_test) == (b"map\n", b"", *before[2:])
    assert before[:2] == (b"", line("one"))


def test_the_lock_of_a_killed_writer_is_free_in_time(under_test: StoreUnderTest) -> None:
    with Writer(under_test, **under_test.soon_over) as dead, Writer(under_test, "next") as following:
        dead.do("hold")
        dead.do("append", line("one"))
        dead.signal_kill()
        began = time.monotonic()
        if under_test.keeps_lock:
            with pytest.raises(Failed, match="locked by"):
                following.do("hold")
            under_test.free_lock()
        following.do("hold", timeout=30)
        assert time.monotonic() - began < under_test.takeover
        following.do("append", line("two"))
    assert picture_of(under_test)[1] == line("one") + line("two")
