"""A few seeds of each target in every test run; `make fuzz RUNS=2000 SEED=1` runs more."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from reconciler.simulator import Server
from tests.fork_server import ForkServer
from tests.fuzz.targets import TARGETS
from tests.fuzz.workspace import KEY, TOKEN, CommandResult, Workspace

RUNS = int(os.environ.get("FUZZ_RUNS", "40"))
SEED = int(os.environ.get("FUZZ_SEED", "1"))
CHUNK = 40
"""Runs of one test."""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory, fork_server: ForkServer) -> Iterator[Workspace]:
    with Server(seed=1) as server:
        yield Workspace(tmp_path_factory.mktemp("fuzz"), fork_server, server)


@pytest.mark.parametrize("first", range(SEED, SEED + RUNS, CHUNK))
@pytest.mark.parametrize("target", TARGETS)
def test_damage_causes_no_crash_no_write_and_no_leak(target: str, first: int, workspace: Workspace) -> None:
    """Each seed is one damaged document and one command."""
    found = []
    for seed in range(first, min(first + CHUNK, SEED + RUNS)):
        rng = Random(f"{target} {seed}")
        workspace.answers.begin(None)
        arguments = TARGETS[target](rng, workspace)
        ran = workspace.run(arguments)
        if problems := workspace.problems(ran, arguments):
            found.append("\n  ".join((f"SEED={seed} RUNS=1, {arguments!r:.300}:", *problems, ran.err[-600:])))
    assert not found, f"{len(found)} of {CHUNK} runs of {target}:\n" + "\n".join(found[:10])


WRITE = ("delete", "id-1", "")
FAULTS: dict[str, dict[str, Any]] = {
    "it ended with -14": {"code": -14},
    "it ended with 130": {"code": 130},
    "it says `has a bug`": {"err": "reconciler has a bug: ValueError"},
    "it says `Traceback`": {"out": "Traceback (most recent call last)"},
    f"it shows {TOKEN}": {"out": f"image: x:{TOKEN}"},
    f"it sent {KEY}": {"bodies": KEY.encode()},
    f"it sent {WRITE}": {"writes": (WRITE,)},
}


@pytest.mark.parametrize("problem", FAULTS)
def test_each_fault_would_be_seen(problem: str, workspace: Workspace) -> None:
    workspace.restore("calm")
    good = CommandResult(code=0, out="", err="", writes=(), bodies=b"")
    assert workspace.problems(good, ["plan"]) == []
    assert problem in workspace.problems(replace(good, **FAULTS[problem]), ["plan"])


def test_a_secret_on_disk_and_an_unshown_write_would_be_seen(workspace: Workspace) -> None:
    workspace.restore("calm")
    (workspace.root / "state" / "note").write_text(f"key: {KEY}")
    shown = {"resource_changes": [{"action": "update", "name": "a", "id": "id-1"}]}
    ran = CommandResult(
        code=0, out=json.dumps(shown), err="", writes=(WRITE, ("update", "id-1", "")), bodies=b""
    )
    assert workspace.problems(ran, ["apply", "--yes", "--json"]) == [
        f"it sent {WRITE}, which it had not shown",
        f"{KEY} is in state/note",
    ]


@pytest.mark.parametrize("target", TARGETS)
def test_a_seed_is_always_the_same_damage(target: str, workspace: Workspace) -> None:
    def made() -> tuple[list[str], dict[Path, bytes]]:
        arguments = TARGETS[target](Random("7"), workspace)
        return arguments, {path: path.read_bytes() for path in workspace.root.rglob("*") if path.is_file()}

    assert made() == made()
