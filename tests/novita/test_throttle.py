"""The limit of concurrent calls is lowered by a 429 and raised by other answers."""

import threading

from reconciler.model.request import Request
from reconciler.model.secrets import Secret
from reconciler.novita.http.client import Client
from reconciler.novita.http.retry import Timing
from reconciler.novita.http.throttle import Throttle


def test_a_throttled_call_halves_the_limit() -> None:
    """Ten, five, two, one, and never none."""
    throttle = Throttle(10)
    limits = []
    for _ in range(5):
        with throttle.slot() as slot:
            slot.rate_limited()
        limits.append(throttle.limit)
    assert limits == [5, 2, 1, 1, 1]


def test_several_calls_that_meet_one_rate_limit_halve_it_once() -> None:
    """Calls that were under way together report the same limit."""
    throttle = Throttle(8)
    with throttle.slot() as first, throttle.slot() as second:
        first.rate_limited()
        second.rate_limited()
    assert throttle.limit == 4


def test_other_answers_raise_the_limit_to_its_maximum() -> None:
    """One more for each round of answers, and never above the start."""
    throttle = Throttle(4)
    with throttle.slot() as slot:
        slot.rate_limited()
    limits = []
    for _ in range(12):
        with throttle.slot() as slot:
            slot.answered()
        limits.append(throttle.limit)
    assert limits[0] == 2
    assert limits[-1] == 4
    assert limits == sorted(limits)


def test_no_more_calls_than_the_limit_are_active() -> None:
    """A call waits for its place."""
    throttle = Throttle(2)
    inside, most, guard = 0, 0, threading.Lock()
    both = threading.Barrier(2)

    def call() -> None:
        nonlocal inside, most
        with throttle.slot():
            with guard:
                inside += 1
                most = max(most, inside)
            both.wait(timeout=10)
            with guard:
                inside -= 1

    threads = [threading.Thread(target=call) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert most == 2


def test_the_client_lowers_its_limit_on_429_and_raises_it_after() -> None:
    """The next calls feel what one call was told."""
    answers = iter([(429, {}, b"")] + [(200, {}, b"{}")] * 40)
    with Client(
        "simulator",
        Secret(value="k", source="test"),
        parallelism=8,
        app=lambda *_: next(answers),
        timing=Timing(sleep=lambda _: None),
    ) as client:
        client.send(Request(method="GET", path="/x"))
        narrowed = client.concurrency_limit
        for _ in range(39):
            client.send(Request(method="GET", path="/x"))
        assert (narrowed, client.concurrency_limit) == (4, 8)


def test_a_raised_limit_lets_a_waiting_call_begin() -> None:
    """It does not wait until another call is over."""
    throttle = Throttle(2)
    with throttle.slot() as slot:
        slot.rate_limited()
    has_begun = threading.Event()

    def call() -> None:
        with throttle.slot():
            has_begun.set()

    thread = threading.Thread(target=call)
    with throttle.slot() as slot:
        thread.start()
        assert not has_begun.wait(0.05)
        slot.answered()
        assert has_begun.wait(20)
    thread.join(20)
