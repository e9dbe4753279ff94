"""A few seeds of the chaos in every test run; `make chaos RUNS=1000 SEED=1 STORE=postgres` runs more."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.chaos.runner import run_scenario
from tests.fork_server import ForkServer
from tests.stores.under_test import STORES, under_test

SEED = int(os.environ.get("CHAOS_SEED", "1"))
RUNS = {name: int(os.environ.get("CHAOS_RUNS", "24" if name == "file" else "4")) for name in STORES}
SEEDS = [(name, seed) for name in STORES for seed in range(SEED, SEED + RUNS[name])]


@pytest.mark.parametrize(("store", "seed"), SEEDS)
def test_two_undisturbed_runs_converge(
    store: str,
    seed: int,
    tmp_path: Path,
    fork_server: ForkServer,
    request: pytest.FixtureRequest,
    record_property: Callable[[str, object], None],
) -> None:
    """No duplicate, no orphan, no lost record, nothing of others touched, no secret on disk."""
    counts: Counter[str] = Counter()
    try:
        with under_test(store, request, tmp_path) as place:
            run_scenario(seed, tmp_path, fork_server, place, counts)
    finally:
        record_property("chaos", dict(counts))
