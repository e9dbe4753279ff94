"""A writer is killed after each verb, and at each request to its store: nothing confirmed is lost."""

from __future__ import annotations

from typing import Final

import pytest

from tests.stores.engines import StoreUnderTest
from tests.stores.relay import Fate, Hook
from tests.stores.story import STORY, Picture, after, check_next_run, picture_of, tell
from tests.stores.writers import Writer

FATES: Final[tuple[Fate, ...]] = ("arrives", "is lost", "answer is lost")


@pytest.mark.slow
@pytest.mark.parametrize("number", range(1, len(STORY)))
def test_a_writer_may_be_killed_after_each_verb(under_test: StoreUnderTest, number: int) -> None:
    with Writer(under_test) as writer:
        confirmed: Picture = (b"", b"", b"", b"")
        for verb, arguments in STORY[:number]:
            writer.do(verb, *arguments)
            confirmed = after(confirmed, verb, arguments)[0]
        writer.signal_kill()
    assert picture_of(under_test) == confirmed
    check_next_run(under_test)


def pieces_of_the_story(under_test: StoreUnderTest) -> int:
    """Return how many pieces a writer sends to tell the story."""
    assert under_test.relay
    under_test.relay.count_again(lambda _: "arrives")
    with Writer(under_test, is_disturbed=True) as writer:
        tell(writer)
    return under_test.relay.pieces


def killing(writer: Writer, last: int, fate: Fate) -> Hook:
    """Return a hook that kills the writer when it has sent that piece."""

    def hook(number: int) -> Fate:
        if number == last:
            writer.signal_kill()
        return fate if number == last else "arrives"

    return hook


def check_kill(under_test: StoreUnderTest, last: int, fate: Fate) -> None:
    """Kill a writer at a piece of the story, and check what is left."""
    assert under_test.relay
    with Writer(under_test, is_disturbed=True) as writer:
        under_test.relay.count_again(killing(writer, last, fate))
        confirmed, possible, verb = tell(writer)
    under_test.relay.calm()
    if verb in ("hold", "release", ""):
        possible = [*possible, confirmed]
    found = picture_of(under_test)
    assert found in [confirmed, *possible], (verb, last, fate)
    check_next_run(under_test)


def check_kill_of_file_writer(under_test: StoreUnderTest, last: int) -> bool:
    """Kill a writer before an operation of its disk. Return whether it died."""
    with Writer(under_test, LAST_OPERATION=str(last)) as writer:
        confirmed, possible, verb = tell(writer)
    assert picture_of(under_test) in [confirmed, *possible], (verb, last)
    check_next_run(under_test)
    return verb != ""


@pytest.mark.parametrize("part", range(6))
def test_a_writer_may_be_killed_at_a_request(under_test: StoreUnderTest, part: int) -> None:
    """Six of the requests. The test below tries all of them."""
    if under_test.relay is None:
        check_kill_of_file_writer(under_test, 5 * part + 2)
    else:
        pieces = pieces_of_the_story(under_test)
        under_test.reset()
        check_kill(under_test, 1 + pieces * part // 6, FATES[part % 3])


@pytest.mark.slow
def test_a_writer_may_be_killed_at_each_request(under_test: StoreUnderTest) -> None:
    """Each request, with one fate after the other."""
    if under_test.relay is None:
        last = 1
        while check_kill_of_file_writer(under_test, last):
            under_test.reset()
            last += 1
        assert last > 20
        return
    pieces = pieces_of_the_story(under_test)
    for last in range(1, pieces + 1):
        under_test.reset()
        check_kill(under_test, last, FATES[last % 3])
