"""A few seeds of the chaos in every test run; `make chaos RUNS=1000 SEED=1` runs more."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.chaos.runner import run_scenario
from tests.fork_server import ForkServer

RUNS = int(os.environ.get("CHAOS_RUNS", "24"))
SEED = int(os.environ.get("CHAOS_SEED", "1"))


@pytest.mark.parametrize("seed", range(SEED, SEED + RUNS))
def test_two_undisturbed_runs_converge(
    seed: int, tmp_path: Path, fork_server: ForkServer, record_property: Callable[[str, object], None]
) -> None:
    """No duplicate, no orphan, no lost record, nothing of others touched, no secret on disk."""
    counts: Counter[str] = Counter()
    try:
        run_scenario(seed, tmp_path, fork_server, counts)
    finally:
        record_property("chaos", dict(counts))
