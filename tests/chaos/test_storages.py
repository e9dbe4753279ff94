"""Network storages grow, are renamed and are deleted under faults: the data of a protected one is never lost.

A few seeds run in every test run; `make chaos RUNS=200` runs more.
"""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any, Final

import pytest

from reconciler.simulator import Request, Server
from tests.chaos.checks import secrets_and_crashes
from tests.chaos.declarations import SPECS
from tests.chaos.faults import READS, WRITES, profile
from tests.chaos.kind_scenario import KindScenario
from tests.chaos.processes import SECRETS, Runs
from tests.fork_server import ForkServer

RUNS = int(os.environ.get("CHAOS_RUNS", "4"))
SEED = int(os.environ.get("CHAOS_SEED", "1"))

STORAGE_WRITES: Final = ("storage_create", "storage_update", "storage_delete")
OPERATIONS: Final = (*WRITES, *READS, *STORAGE_WRITES, "storages")
CONFIG: Final = {"novita": {"settle_seconds": 0.6}}
REGION: Final = SPECS["specs"][0]["platforms"]["novita"]["region"]
FOREIGN: Final = {
    "storageId": "foreign",
    "storageName": "theirs",
    "storageSize": 50,
    "clusterId": REGION,
    "clusterName": REGION,
    "price": "200",
}


class Storages(KindScenario):
    """A protected storage that two endpoints mount, and scratch storages that come and go."""

    writes = STORAGE_WRITES
    operations = OPERATIONS

    def __init__(self, seed: int, folder: Path, fork_server: ForkServer, novita: Server) -> None:
        self.seed, self.folder, self.novita = seed, folder, novita
        self.runs = Runs(folder, fork_server, novita)
        self.kept = {"name": "weights", "region": REGION, "sizeGb": 100}
        self.kept_id = ""
        self.scratch = ""
        self.every_scratch: list[str] = []
        self.violations: list[str] = []
        self.steps: list[str] = []
        (folder / "specs.yaml").write_text(json.dumps(SPECS))
        (folder / "config.yaml").write_text(json.dumps(CONFIG))
        novita.world.load({**novita.world.dump(), "storages": [FOREIGN]})

    def live(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.novita.world.dump()["storages"]
        return found

    def mounts(self) -> dict[str, list[str]]:
        """Return the IDs of the storages that each live endpoint mounts."""
        return {
            one["name"]: sorted(mount["id"] for mount in one["volumeMounts"])
            for one in self.novita.world.endpoints
        }

    def watch(self) -> None:
        """Note each delete that loses data or takes a storage away from an endpoint."""
        (kept,) = (one for one in self.live() if one != FOREIGN)
        self.kept_id = kept["storageId"]
        self.novita.faults.before("storage_delete", self._check_delete, nth=0)

    def _check_delete(self, request: Request) -> None:
        doomed = json.loads(request.body)["storageId"]
        if doomed in (self.kept_id, FOREIGN["storageId"]):
            self.violations.append(f"{doomed} was to be deleted")
        users = [name for name, ids in self.mounts().items() if doomed in ids]
        if users:
            self.violations.append(f"{doomed} was to be deleted, and {users} mount it")

    def declare(self) -> None:
        storages = [self.kept]
        mounts = [{"type": "network", "name": self.kept["name"], "mountPath": "/weights"}]
        endpoints = [{"endpoint": "chat", "specName": "small", "image": "x/y:1", "storage": list(mounts)}]
        if self.scratch:
            lifecycle = {"preventDestroy": False}
            storages.append({"name": self.scratch, "region": REGION, "sizeGb": 10, "lifecycle": lifecycle})
            mounts.append({"type": "network", "name": self.scratch, "mountPath": "/scratch"})
        endpoints.append({"endpoint": "llm", "specName": "small", "image": "x/y:1", "storage": mounts})
        text = json.dumps({"storages": storages, "endpoints": endpoints})
        (self.folder / "endpoints.yaml").write_text(text)

    def edit(self, rng: Random, number: int, *, may_rename: bool) -> None:
        """Grow or rename the protected storage, and add, exchange or drop the scratch storage."""
        kinds = rng.sample(["grow", "rename", "scratch"], rng.choice([1, 1, 2, 3]))
        if "grow" in kinds:
            self.kept["sizeGb"] += rng.choice([1, 50])
        if "rename" in kinds and may_rename:
            self.kept.update(renamedFrom=self.kept["name"], name=f"weights-{number}")
        if "scratch" in kinds:
            self.scratch = "" if self.scratch and rng.random() < 0.6 else f"scratch-{number}"
            self.every_scratch += [self.scratch] if self.scratch else []
        self.steps.append(f"edit {kinds}: {self.kept} and {self.scratch or 'no scratch'}")
        self.declare()

    @property
    def command(self) -> tuple[str, ...]:
        """Return an apply that may delete every scratch storage."""
        consent = [word for name in self.every_scratch for word in ("--allow-storage-delete", name)]
        return ("apply", "--yes", *consent)

    def report(self, what: str) -> str:
        log = self.runs.out.read_text(errors="replace")
        return "\n".join([f"seed {self.seed}: {what}", *self.steps, f"{self.live()}", log[-9000:]])

    def problems(self) -> list[str]:
        """Return what is not as it must be at the end."""
        found = list(dict.fromkeys(self.violations))
        live = {one["storageName"]: one for one in self.live()}
        if len(live) != len(self.live()):
            found.append("two storages have one name")
        wanted = {"theirs": 50, self.kept["name"]: self.kept["sizeGb"]}
        if self.scratch:
            wanted[self.scratch] = 10
        sizes = {name: one["storageSize"] for name, one in live.items()}
        if sizes != wanted:
            found.append(f"the storages are {sizes}, not {wanted}")
        else:
            ids = [live[self.kept["name"]]["storageId"]]
            if ids != [self.kept_id]:
                found.append(f"the protected storage is {ids}, not {self.kept_id}")
            both = sorted([*ids, live[self.scratch]["storageId"]] if self.scratch else ids)
            if self.mounts() != {"chat": ids, "llm": both}:
                found.append(f"the endpoints mount {self.mounts()}")
        log = self.runs.out.read_text(errors="replace")
        return [*found, *secrets_and_crashes(self.folder, log, SECRETS)]


def switches(rng: Random) -> dict[str, Any]:
    """Return a random behaviour of Novita about storages. Its listing lags less than the settling time."""
    return {
        "storage_create_answer": rng.choice(["string", "string", "object"]),
        "reference_lag_seconds": rng.choice([0.0, 0.0, 0.2]),
        "in_use_lag_seconds": rng.choice([0.0, 0.0, 0.3]),
        "check_references": True,
    }


def keep_data(seed: int, folder: Path, fork_server: ForkServer, counts: Counter[str]) -> None:
    """Run one scenario. Raise AssertionError if a rule was broken, or if it does not converge."""
    rng = Random(seed)
    with Server(profile=replace(profile(rng), **switches(rng)), seed=seed) as novita:
        storages = Storages(seed, folder, fork_server, novita)
        storages.declare()
        assert storages.runs.run("apply", "--yes") == 0, storages.report("the calm first apply failed")
        storages.watch()
        storages.disturb(rng)
        code = 0
        for number in range(1, rng.randrange(3, 6)):
            turn = Random(f"{seed}/{number}")
            if turn.random() < 0.8:
                time.sleep(novita.world.profile.reference_lag_seconds)
                # a name that was never applied cannot be the former one
                storages.edit(turn, number, may_rename=code == 0)
                counts["edit"] += 1
            code = storages.apply(turn, counts)
        storages.check_convergence()


@pytest.mark.parametrize("seed", range(SEED, SEED + RUNS))
def test_no_data_is_lost(
    seed: int, tmp_path: Path, fork_server: ForkServer, record_property: Callable[[str, object], None]
) -> None:
    """No protected storage is deleted, none that is mounted, and none is made twice."""
    counts: Counter[str] = Counter()
    try:
        keep_data(seed, tmp_path, fork_server, counts)
    finally:
        record_property("chaos", dict(counts))
