"""The leader of two controllers is killed; `make chaos STORE=postgres RUNS=300` does it 300 times."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.simulator import Profile, Server
from tests.chaos.leaders import Replicas
from tests.fork_server import ForkServer
from tests.stores.under_test import under_test

SEED = int(os.environ.get("CHAOS_SEED", "1"))
KILLS = int(os.environ.get("LEADER_KILLS", "5"))
"""Times that the leader is killed; the promise was tried with 300."""


@pytest.mark.timeout(120 + 10 * KILLS)
@pytest.mark.parametrize("store", ["postgres"])
def test_a_leader_that_is_killed_is_replaced_and_nothing_is_lost(
    store: str,
    tmp_path: Path,
    fork_server: ForkServer,
    request: pytest.FixtureRequest,
    record_property: Callable[[str, object], None],
) -> None:
    """No duplicate, no orphan, no lost record, and the second plan is empty."""
    profile = Profile(latency_seconds=0.02, list_lag_seconds=0.1, update_lag_seconds=0.05)
    with under_test(store, request, tmp_path) as place, Server(seed=SEED, profile=profile) as novita:
        novita.world.console_create(name="stranger", appName="stranger", image={"image": "theirs:1"})
        replicas = Replicas(tmp_path, fork_server, novita, place, SEED)
        replicas.start()
        replicas.start()
        for number in range(KILLS):
            replicas.kill_leader()
            if number % 5 == 4:
                replicas.command_line()
        replicas.settle()
        assert replicas.plan() == 0, replicas.report("the second plan is not empty")
        assert list(replicas.problems()) == []
        takeovers = sorted(replicas.takeovers)
        replicas.counts["longest takeover (ms)"] = round(takeovers[-1] * 1000)
        replicas.counts["median takeover (ms)"] = round(takeovers[len(takeovers) // 2] * 1000)
        record_property("chaos", dict(replicas.counts))
