"""How many calls of a command follow one another; calls at the same time count once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from benchmarks.measure import in_series
from reconciler.simulator import Request
from tests.e2e.registries.credentials import PASSWORD, credential
from tests.e2e.sandbox import API, Sandbox, item
from tests.e2e.storages.support import storage

LATENCY = 0.3
"""Seconds. More than a command needs between two calls, so that calls which could overlap do."""


class Calls:
    """The begin and the end of each call (s) at a server that takes a while to answer."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.times: list[tuple[float, float]] = []
        handle = sandbox.sim.world.handle

        def timed(request: Request) -> object:
            began = time.monotonic()
            response = handle(request)
            self.times.append((began, time.monotonic()))
            return response

        sandbox.monkeypatch.setattr(sandbox.sim.world, "handle", timed)
        sandbox.sim.world.switch(latency_seconds=LATENCY)


def nothing(_sandbox: Sandbox) -> None:
    pass


def changed(sandbox: Sandbox) -> None:
    sandbox.declare(item("a", taskTimeout=77), item("b"), item("c"))


@pytest.mark.parametrize(
    ("arguments", "prepare", "expected"),
    [
        (["plan"], nothing, 1),
        (["drift"], nothing, 1),
        (["list"], nothing, 1),
        (["status"], nothing, 1),
        (["get", "a"], nothing, 1),
        (["status", "a"], nothing, 1),
        (["plan"], changed, 1),
        (["preview"], changed, 1),
        (["import", "--all", "--out", "new.yaml"], nothing, 1),
        (["state", "rebuild"], nothing, 1),
        (["doctor"], nothing, 2),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else getattr(value, "__name__", str(value)),
)
def test_commands_that_read_wait_once(
    sandbox: Sandbox, arguments: list[str], prepare: Callable[[Sandbox], None], expected: int
) -> None:
    sandbox.declare(item("a"), item("b"))
    sandbox.apply()
    prepare(sandbox)
    calls = Calls(sandbox)
    assert sandbox.run(*arguments).code in (0, 2)
    assert in_series(calls.times) == expected


@pytest.mark.parametrize("arguments", [["plan"], ["drift"], ["preview"]], ids=" ".join)
def test_the_listings_of_all_kinds_are_read_at_the_same_time(sandbox: Sandbox, arguments: list[str]) -> None:
    sandbox.monkeypatch.setenv("HUB_PASSWORD", PASSWORD)
    sandbox.declare(item("a"), item("b"), storages=[storage()], registries=[credential()])
    sandbox.apply()
    calls = Calls(sandbox)
    assert sandbox.run(*arguments).code == 0
    assert in_series(calls.times) == 1
    assert {request.path.removeprefix(API) for request in sandbox.sim.requests} >= {
        "/endpoints",
        "/networkstorages/list",
        "/repository/auths",
    }


def test_an_apply_reads_the_limits_beside_the_first_page(sandbox: Sandbox) -> None:
    """Even if nothing turns out to change: only the files would tell, and they are read meanwhile."""
    sandbox.declare(item("a"))
    sandbox.apply()
    limits_read = threading.Event()
    sandbox.sim.faults.before("limit", lambda _: limits_read.set())
    sandbox.sim.faults.before("list", lambda _: limits_read.wait(20), nth=0)
    sandbox.apply()
    assert limits_read.is_set()


def test_an_apply_of_creates_waits_three_times(sandbox: Sandbox) -> None:
    """For the listing and the limits, for the creates, and for what reads them back."""
    sandbox.declare(*(item(f"svc-{number}") for number in range(10)))
    calls = Calls(sandbox)
    assert sandbox.run("apply", "--auto-approve").code == 0
    assert in_series(calls.times) == 3
