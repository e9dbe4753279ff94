"""The event stream of an apply with many threads, and its periodic progress messages."""

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
"""Seconds that a test waits for a message."""


def new(name: str) -> Change:
    return change(endpoint(name), None, None)


def ended(made: Change) -> ChangeEnded:
    return ChangeEnded(result=ChangeResult(change=made, outcome=Outcome.DONE, id="id"))


class Written:
    """Collects the written lines, and waits for further ones."""

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


def test_a_message_is_one_line_with_terraforms_keys() -> None:
    """The first message is the version, and every message is ASCII."""
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


def test_lines_of_different_threads_are_not_mixed() -> None:
    """This holds for many threads and for very frequent progress messages."""
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


def test_a_long_change_sends_progress_until_it_ends() -> None:
    """The elapsed time grows with each message, and no message follows the end."""
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


def test_waiting_for_service_sends_progress_too() -> None:
    """The elapsed time counts from the start of the change; messages end when the endpoint serves."""
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


def test_the_first_progress_comes_after_one_interval() -> None:
    """The first message follows after one interval of the given clock; no thread remains."""
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


def test_a_closed_pipe_does_not_stop_the_apply() -> None:
    """Messages that cannot be written are dropped."""

    def write(_line: str) -> None:
        raise BrokenPipeError

    with EventStream(write, interval=0.001) as stream:
        stream(ChangeStarted(change=new("a")))
        stream(ended(new("a")))
        stream.finish(samples.applied(Outcome.DONE))


def test_a_plan_is_written_once() -> None:
    """The messages of a plan are not repeated at the end."""
    written = Written()
    found = samples.applied(Outcome.DONE)
    assert found.plan
    stream = EventStream(written)
    stream.write_plan(found.plan)
    stream.finish(found)
    assert [one["type"] for one in written.messages].count("planned_change") == 7


@pytest.mark.parametrize(("code", "line"), [(1, "Apply incomplete"), (130, "Apply interrupted")])
def test_an_aborted_run_counts_completed_changes(code: int, line: str) -> None:
    """The last message counts the changes that were completed."""
    written = Written()
    stream = EventStream(written)
    stream(ended(new("a")))
    failed = ChangeResult(change=new("b"), outcome=Outcome.FAILED, problem=samples.REFUSAL)
    stream(ChangeEnded(result=failed))
    stream.finish(samples.failed(samples.GUARD, code=code))
    last = written.messages[-1]
    assert last["@message"] == f"{line}: 1 done, 1 failed."
    assert last["changes"]["add"] == 1
