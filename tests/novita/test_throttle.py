"""Concurrency shrinks when Novita says that it is too much, and grows back."""

import threading

from reconciler.model.request import Request
from reconciler.model.secrets import Secret
from reconciler.novita.http.client import Client
from reconciler.novita.http.retry import Timing
from reconciler.novita.http.throttle import Throttle


def test_a_throttled_call_halves_the_width() -> None:
    """Ten, five, two, one, and never none."""
    gate = Throttle(10)
    widths = []
    for _ in range(5):
        with gate.passing() as turn:
            turn.throttled()
        widths.append(gate.width)
    assert widths == [5, 2, 1, 1, 1]


def test_a_round_that_meets_one_limit_narrows_once() -> None:
    """Calls that were under way together tell of the same limit."""
    gate = Throttle(8)
    with gate.passing() as first, gate.passing() as second:
        first.throttled()
        second.throttled()
    assert gate.width == 4


def test_calm_calls_widen_again_up_to_where_it_began() -> None:
    """One more for each round of answers, and never above the start."""
    gate = Throttle(4)
    with gate.passing() as turn:
        turn.throttled()
    widths = []
    for _ in range(12):
        with gate.passing() as turn:
            turn.calm()
        widths.append(gate.width)
    assert widths[0] == 2
    assert widths[-1] == 4
    assert widths == sorted(widths)


def test_no_more_than_the_width_are_inside() -> None:
    """A call waits for its place."""
    gate = Throttle(2)
    inside, most, guard = 0, 0, threading.Lock()
    both = threading.Barrier(2)

    def call() -> None:
        nonlocal inside, most
        with gate.passing():
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
        thread.join(10)
    assert most == 2


def test_the_client_narrows_on_429_and_widens_after() -> None:
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
        narrowed = client.width
        for _ in range(39):
            client.send(Request(method="GET", path="/x"))
        assert (narrowed, client.width) == (4, 8)
