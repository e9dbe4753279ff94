"""The stream of an apply while many threads write to it, and the heart that beats for what takes long."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from reconciler.cli.event_stream import EventStream
from reconciler.cli.heartbeat import Heartbeat
from reconciler.model.apply_events import (
    ChangeEnded,
    ChangeResult,
    ChangeServing,
    ChangeStarted,
    ChangeWaiting,
    Outcome,
)
from reconciler.model.plan import Change
from tests.builders import change, endpoint
from tests.reports import samples

WITHIN = 20.0
"""Seconds that a test waits for what must come."""


def new(name: str) -> Change:
    return change(endpoint(name), None, None)


def ended(made: Change) -> ChangeEnded:
    return ChangeEnded(result=ChangeResult(change=made, outcome=Outcome.DONE, id="id"))


class Written:
    """What was written so far, and a wait for what is to come."""

    def __init__(self) -> None:
        self.text = ""
        self._grown = threading.Condition()

    def __call__(self, text: str) -> None:
        with self._grown:
            self.text += text
            self._grown.notify_all()

    @property
    def messages(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]

    def has(self, wanted: Callable[[list[dict[str, Any]]], bool]) -> None:
        with self._grown:
            assert self._grown.wait_for(lambda: wanted(self.messages), WITHIN), self.text


def beats(messages: list[dict[str, Any]]) -> list[str]:
    return [m["hook"]["resource"]["resource_name"] for m in messages if m["type"] == "apply_progress"]


def test_a_message_is_a_line_with_terraforms_keys() -> None:
    """The first is the version, and nothing but ASCII stands in any."""
    written = Written()
    with EventStream(written) as stream:
        stream(ChangeStarted(change=new("chat")))
        stream(ended(new("chat")))
    assert written.text.isascii()
    assert [list(one)[:5] for one in written.messages] == [
        ["@level", "@message", "@module", "@timestamp", "type"]
    ] * 3
    assert [one["type"] for one in written.messages] == ["version", "apply_start", "apply_complete"]
    assert written.messages[0]["@timestamp"].endswith("Z")


def test_threads_never_write_into_each_others_lines() -> None:
    """However many there are, and while the heart beats as fast as it can."""
    pieces: list[str] = []

    def write(line: str) -> None:
        pieces.extend(letter for letter in line)  # so that another thread has every opportunity

    names = [f"n{number}" for number in range(8)]
    with EventStream(write, interval=0.001) as stream:

        def work(name: str) -> None:
            for _ in range(20):
                stream(ChangeStarted(change=new(name)))
                stream(ended(new(name)))

        threads = [threading.Thread(target=work, args=(name,)) for name in names]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(WITHIN)
    messages = [json.loads(line) for line in "".join(pieces).splitlines()]
    assert sum(one["type"] == "apply_complete" for one in messages) == 160


def test_what_takes_long_shows_signs_of_life_until_it_ends() -> None:
    """More than one, each with more time that passed, and none after the end."""
    written = Written()
    with EventStream(written, interval=0.01) as stream:
        stream(ChangeStarted(change=new("slow")))
        written.has(lambda messages: len(beats(messages)) >= 3)
        stream(ended(new("slow")))
        count = len(beats(written.messages))
        stream(ChangeStarted(change=new("other")))
        written.has(lambda messages: beats(messages).count("other") >= 3)
    assert beats(written.messages).count("slow") == count
    progress = [one for one in written.messages if one["type"] == "apply_progress"][:count]
    elapsed = [one["hook"]["elapsed_seconds"] for one in progress]
    assert elapsed == sorted(elapsed)


def test_a_wait_for_service_beats_too() -> None:
    """It counts from when the change began; what serves is waited for no more."""
    written = Written()
    with EventStream(written, interval=0.01) as stream:
        made = new("chat")
        stream(ChangeStarted(change=made))
        stream(ended(made))
        stream(ChangeWaiting(change=made, why="no worker yet"))
        written.has(lambda messages: len(beats(messages)) >= 3)
        stream(ChangeServing(change=made, seconds=1.0))
        count = len(beats(written.messages))
        stream(ChangeStarted(change=new("other")))
        written.has(lambda messages: beats(messages).count("other") >= 2)
    assert beats(written.messages).count("chat") == count


def test_the_first_sign_of_life_comes_after_one_interval() -> None:
    """By the clock that it is given; no thread is left when it is over."""
    now = [100.0]
    beaten: list[tuple[str, float]] = []
    came = threading.Event()

    def beat(made: Change, elapsed: float) -> None:
        beaten.append((made.name, elapsed))
        came.set()

    before = threading.active_count()
    with Heartbeat(beat, interval=10.0, now=lambda: now[0]) as heart:
        heart.begin(new("a"))
        heart.begin(new("a"))
        now[0] = 109.0
        heart.begin(new("b"))
        assert beaten == []
        now[0] = 110.0
        heart.begin(new("c"))
        assert came.wait(WITHIN)
        assert (heart.elapsed(new("b")), heart.elapsed(new("unknown"))) == (1.0, 0.0)
    assert beaten == [("a", 10.0)]
    assert threading.active_count() == before


def test_a_reader_who_has_left_stops_nothing() -> None:
    """What cannot be written is not, and the rest goes on."""

    def write(_line: str) -> None:
        raise BrokenPipeError

    with EventStream(write, interval=0.001) as stream:
        stream(ChangeStarted(change=new("a")))
        stream(ended(new("a")))
        stream.finish(samples.applied(Outcome.DONE))


def test_a_plan_is_told_once() -> None:
    """Also when the end comes back to it."""
    written = Written()
    found = samples.applied(Outcome.DONE)
    assert found.plan
    stream = EventStream(written)
    stream.write_plan(found.plan)
    stream.finish(found)
    assert [one["type"] for one in written.messages].count("planned_change") == 7


@pytest.mark.parametrize(("code", "line"), [(1, "Apply incomplete"), (130, "Apply interrupted")])
def test_a_run_that_breaks_off_counts_what_was_done(code: int, line: str) -> None:
    """Nobody reports on it, and what had ended had ended."""
    written = Written()
    stream = EventStream(written)
    stream(ended(new("a")))
    failed = ChangeResult(change=new("b"), outcome=Outcome.FAILED, problem=samples.REFUSAL)
    stream(ChangeEnded(result=failed))
    stream.finish(samples.failed(samples.GUARD, code=code))
    last = written.messages[-1]
    assert last["@message"] == f"{line}: 1 done, 1 failed."
    assert last["changes"]["add"] == 1
