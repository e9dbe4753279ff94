"""The time of an account and of a run, as one."""

from __future__ import annotations

import pytest

from reconciler.apply.clock import SystemClock
from tests.e2e.sandbox import Sandbox


@pytest.fixture
def moments(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time of the account and of the waits, which passes only while a run waits.

    A wait takes a millisecond at least, because a number of this size cannot grow by much less.
    """
    now = [1_800_000_000.0]
    account = sandbox.sim.world._account
    account.clock = sandbox.sim.world._clock = lambda: now[0]

    def wait(_: SystemClock, seconds: float) -> None:
        now[0] += max(seconds, 0.001)

    monkeypatch.setattr(SystemClock, "now", lambda _self: now[0])
    monkeypatch.setattr(SystemClock, "wait", wait)
    return now
