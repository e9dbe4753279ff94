"""A slice of the fuzzing for every test run; `make fuzz RUNS=2000 SEED=1` runs each target longer."""

from __future__ import annotations

import os
from collections.abc import Iterator
from random import Random

import pytest

from reconciler.simulator import Server
from tests.fuzz.estate import Estate
from tests.fuzz.targets import TARGETS
from tests.nursery import Nursery

RUNS = int(os.environ.get("FUZZ_RUNS", "40"))
SEED = int(os.environ.get("FUZZ_SEED", "1"))
CHUNK = 40
"""Runs of one test."""


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    with Nursery() as nursery, Server(seed=1) as server:
        yield Estate(tmp_path_factory.mktemp("fuzz"), nursery, server)


@pytest.mark.parametrize("first", range(SEED, SEED + RUNS, CHUNK))
@pytest.mark.parametrize("target", TARGETS)
def test_damage_ends_in_no_crash_no_write_and_no_secret_out(target: str, first: int, estate: Estate) -> None:
    """Each seed is one damaged document and one command."""
    found = []
    for seed in range(first, min(first + CHUNK, SEED + RUNS)):
        dice = Random(f"{target} {seed}")
        estate.answers.begin(None)
        arguments = TARGETS[target](dice, estate)
        ran = estate.run(arguments)
        if complaints := estate.complaints(ran, arguments):
            found.append(
                "\n  ".join((f"SEED={seed} RUNS=1, {arguments!r:.300}:", *complaints, ran.err[-600:]))
            )
    assert not found, f"{len(found)} of {CHUNK} runs of {target}:\n" + "\n".join(found[:10])
