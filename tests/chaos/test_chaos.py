"""A slice of the chaos for every test run; `make chaos RUNS=1000 SEED=1` runs it longer."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.chaos.story import tell
from tests.fork_server import ForkServer

RUNS = int(os.environ.get("CHAOS_RUNS", "24"))
SEED = int(os.environ.get("CHAOS_SEED", "1"))


@pytest.mark.parametrize("seed", range(SEED, SEED + RUNS))
def test_whatever_happens_two_calm_runs_set_it_right(
    seed: int, tmp_path: Path, fork_server: ForkServer, record_property: Callable[[str, object], None]
) -> None:
    """No duplicate, no orphan, no lost record, nothing of others touched, no secret on disk."""
    counts: Counter[str] = Counter()
    try:
        tell(seed, tmp_path, fork_server, counts)
    finally:
        record_property("chaos", dict(counts))
