"""A store that loses connections, has no space, is slow, answers nonsense or 503."""

from __future__ import annotations

from typing import Final

import pytest

from tests.stores.engines import StoreUnderTest
from tests.stores.relay import Fate
from tests.stores.story import STORY, after, check_next_run, line, picture_of
from tests.stores.writers import Failed, Writer

ANSWERS: Final = {
    "503": b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    "bytes": b"\x00\xff<html>a login page</html>\r\n\r\n",
    "page": b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\n<html>ok\n",
    "nothing": b"",
}

FATES: Final[tuple[Fate, ...]] = ("is lost", "answer is lost")

SECRETS: Final = ("test-secret-access-key", "a-token-that-nobody-may-see")


@pytest.mark.parametrize("answer", ANSWERS)
def test_a_store_that_answers_wrongly_is_named(under_test: StoreUnderTest, answer: str) -> None:
    """A reader and a writer say so in plain words. Nothing is written, and the next run works."""
    if under_test.relay is None:
        pytest.skip("a file does not answer")
    with Writer(under_test) as before:
        before.do("hold")
        before.do("append", line("one"))
        before.do("release")
    under_test.relay.answer = ANSWERS[answer]
    with Writer(under_test, is_disturbed=True) as writer:
        for verb in ("read", "hold"):
            check_failure(writer, verb)
    under_test.relay.calm()
    assert picture_of(under_test)[1] == line("one")
    check_next_run(under_test)


def test_a_slow_store_is_waited_for(under_test: StoreUnderTest) -> None:
    if under_test.relay is None:
        pytest.skip("a file does not answer")
    under_test.relay.delay = 0.03
    with Writer(under_test, is_disturbed=True) as writer:
        for verb, arguments in STORY:
            writer.do(verb, *arguments)
    check_next_run(under_test)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(1, len(STORY) - 1))
def test_a_lost_connection_loses_no_line(under_test: StoreUnderTest, number: int) -> None:
    """A verb that meets it succeeds, or fails and has written nothing or all."""
    if under_test.relay is None:
        pytest.skip("a file has no connection")
    for fate in FATES:
        under_test.reset()
        check_lost_connection(under_test, number, fate)


def check_lost_connection(under_test: StoreUnderTest, number: int, fate: Fate) -> None:
    """Lose the first request of a verb or its answer, together with the connection."""
    assert under_test.relay
    verb, arguments = STORY[number]
    with Writer(under_test, is_disturbed=True) as writer:
        for before, its_arguments in STORY[:number]:
            writer.do(before, *its_arguments)
        before_it = picture_of(under_test)
        possible = [before_it, *after(before_it, verb, arguments)]
        under_test.relay.count_again(lambda piece: fate if piece == 1 else "arrives")
        try:
            writer.do(verb, *arguments)
        except Failed as failed:
            code, text = failed.code, str(failed)
        else:
            code, text, possible = "", "", possible[1:2]
        assert code in ("", "store-unavailable", "lock-lost"), text
        assert picture_of(under_test) in possible
    under_test.relay.calm()
    check_next_run(under_test)


def test_a_full_disk_loses_no_line(under_test: StoreUnderTest) -> None:
    if under_test.fill_disk is None and under_test.relay:
        pytest.skip("its server has no limit to set")
    with Writer(under_test) as writer:
        writer.do("hold")
        writer.do("append", line("one"))
        writer.do("fold", b"map\n", line("one"))
        if under_test.fill_disk is None:
            writer.do("limit", len(line("one")) + 3)
            check_full_disk(writer)
            writer.do("limit", -1)
        else:
            with under_test.fill_disk():
                check_full_disk(writer)
        assert picture_of(under_test) == (b"map\n", line("one"), b"", b"")
        writer.do("fold", b"map 2\n", line("two"))
        writer.do("append", line("three"))
        writer.do("release")
    assert picture_of(under_test) == (b"map 2\n", line("two") + line("three"), b"", b"")
    check_next_run(under_test)


def check_full_disk(writer: Writer) -> None:
    check_failure(writer, "append", line("two"))
    check_failure(writer, "fold", b"a map that is longer than the limit\n" * 9, b"")


def test_a_store_that_cannot_be_reached_is_named(under_test: StoreUnderTest) -> None:
    if under_test.relay is None:
        pytest.skip("a file is reached without a network")
    under_test.relay.hook = lambda _: "is lost"
    with Writer(under_test, is_disturbed=True) as writer:
        check_failure(writer, "read")


def check_failure(writer: Writer, verb: str, *arguments: object) -> None:
    """Check that a verb fails with an InventoryError, whose text has no credential."""
    with pytest.raises(Failed) as caught:
        writer.do(verb, *arguments)
    assert "-" in caught.value.code, caught.value  # the code of a problem, not the name of an exception
    assert not any(secret in str(caught.value) for secret in SECRETS)
