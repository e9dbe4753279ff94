"""Passwords of registry credentials are rotated under faults: endpoints never lose their credential.

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

AUTH_WRITES: Final = ("auth_save", "auth_delete")
OPERATIONS: Final = (*WRITES, *READS, *AUTH_WRITES, "auths")
CONFIG: Final = {"novita": {"settle_seconds": 0.6}}
FOREIGN: Final = {"id": "foreign", "name": "hub", "username": "stranger", "password": "pw-of-a-stranger"}
USERS: Final = {"chat": "hub", "llm": "hub", "embed": "mirror"}
"""The endpoints, and the credential that each of them names."""


class Rotation(KindScenario):
    """Two credentials and three endpoints, whose passwords, users and images change from run to run."""

    writes = AUTH_WRITES
    operations = OPERATIONS

    def __init__(self, seed: int, folder: Path, fork_server: ForkServer, novita: Server) -> None:
        self.seed, self.folder, self.novita = seed, folder, novita
        self.runs = Runs(folder, fork_server, novita)
        self.passwords = {"hub": "pw-of-hub-0", "mirror": "pw-of-mirror-0"}
        self.every_password = {FOREIGN["password"], *self.passwords.values()}
        self.usernames = {"hub": "ada", "mirror": "bob"}
        self.images = dict.fromkeys(USERS, "ghcr.io/acme/chat:1")
        self.violations: list[str] = []
        self.steps: list[str] = []
        (folder / "specs.yaml").write_text(json.dumps(SPECS))
        (folder / "config.yaml").write_text(json.dumps(CONFIG))
        state = novita.world.dump()
        novita.world.load({**state, "auths": [FOREIGN]})

    def auths(self) -> list[dict[str, str]]:
        found: list[dict[str, str]] = self.novita.world.dump()["auths"]
        return found

    def watch(self) -> None:
        """Note each write that takes the credential of an endpoint away."""
        self.novita.faults.before("auth_delete", self._check_delete, nth=0)
        for operation in (*WRITES, *AUTH_WRITES):
            self.novita.faults.after(operation, self._check_references, nth=0)

    def _check_delete(self, request: Request) -> None:
        doomed = json.loads(request.body)["id"]
        users = [one["name"] for one in self.novita.world.endpoints if one["image"]["authId"] == doomed]
        if users:
            self.violations.append(f"{doomed} was to be deleted, and {users} use it")

    def _check_references(self, _request: Request) -> None:
        known = {one["id"] for one in self.auths()}
        for one in self.novita.world.endpoints:
            if one["image"]["authId"] not in known:
                self.violations.append(f"{one['name']} has {one['image']['authId']!r}, which does not exist")

    def declare(self) -> None:
        items = [
            {"endpoint": name, "specName": "small", "image": self.images[name], "imageAuth": auth}
            for name, auth in USERS.items()
        ]
        registries = [
            {"name": name, "username": username, "password": f"${{env:{name.upper()}_PASSWORD}}"}
            for name, username in self.usernames.items()
        ]
        text = json.dumps({"registries": registries, "endpoints": items})
        (self.folder / "endpoints.yaml").write_text(text)
        self.runs.environ = {f"{name.upper()}_PASSWORD": value for name, value in self.passwords.items()}

    def edit(self, rng: Random, number: int) -> None:
        """Rotate one or both passwords, and perhaps change a user or an image at the same time."""
        for name in rng.choice([("hub",), ("hub",), ("hub", "mirror")]):
            self.passwords[name] = f"pw-of-{name}-{number}"
            self.every_password.add(self.passwords[name])
        if rng.random() < 0.2:
            self.usernames["hub"] = f"ada-{number}"
        if rng.random() < 0.3:
            self.images[rng.choice(sorted(USERS))] = f"ghcr.io/acme/chat:{number}"
        self.declare()

    def report(self, what: str) -> str:
        log = self.runs.out.read_text(errors="replace")
        live = [f"{one['name']}: {one['image']['authId']}" for one in self.novita.world.endpoints]
        return "\n".join([f"seed {self.seed}: {what}", *self.steps, *live, f"{self.auths()}", log[-9000:]])

    def problems(self) -> list[str]:
        """Return what is not as it must be at the end."""
        found = list(dict.fromkeys(self.violations))
        by_name: dict[str, list[dict[str, str]]] = {}
        for one in self.auths():
            if one != FOREIGN:
                by_name.setdefault(one["name"], []).append(one)
        if FOREIGN not in self.auths():
            found.append("the credential of a stranger is gone or changed")
        for name, username in self.usernames.items():
            mine = [(one["username"], one["password"]) for one in by_name.pop(name, [])]
            if mine != [(username, self.passwords[name])]:
                found.append(f"{name} is {mine}, not once {username, self.passwords[name]}")
        found += [f"{name} was left" for name in by_name]
        names = {one["id"]: one["name"] for one in self.auths() if one != FOREIGN}
        users = {one["name"]: names.get(one["image"]["authId"]) for one in self.novita.world.endpoints}
        if users != USERS:
            found.append(f"the endpoints use {users}")
        log = self.runs.out.read_text(errors="replace")
        secrets = (*SECRETS, *self.every_password)
        found += [f"the log has {one}" for one in secrets if one in log]
        return [*found, *secrets_and_crashes(self.folder, log, secrets)]


def switches(rng: Random) -> dict[str, Any]:
    """Return a random behaviour of Novita about credentials. Its listing lags less than the settling time."""
    return {
        "auth_save_answer": rng.choice(["empty", "empty", "id"]),
        "reference_lag_seconds": rng.choice([0.0, 0.0, 0.2]),
        "in_use_lag_seconds": rng.choice([0.0, 0.0, 0.3]),
        "check_references": rng.choice([False, True]),
    }


def rotate(seed: int, folder: Path, fork_server: ForkServer, counts: Counter[str]) -> None:
    """Run one scenario. Raise AssertionError if a rule was broken, or if it does not converge."""
    rng = Random(seed)
    with Server(profile=replace(profile(rng), **switches(rng)), seed=seed) as novita:
        rotation = Rotation(seed, folder, fork_server, novita)
        rotation.declare()
        assert rotation.runs.run("apply", "--yes") == 0, rotation.report("the calm first apply failed")
        rotation.watch()
        rotation.disturb(rng)
        for number in range(1, rng.randrange(3, 6)):
            turn = Random(f"{seed}/{number}")
            if turn.random() < 0.8:
                time.sleep(novita.world.profile.reference_lag_seconds)
                rotation.edit(turn, number)
                counts["rotation"] += 1
            rotation.apply(turn, counts)
        rotation.check_convergence()


@pytest.mark.parametrize("seed", range(SEED, SEED + RUNS))
def test_a_rotation_survives_everything(
    seed: int, tmp_path: Path, fork_server: ForkServer, record_property: Callable[[str, object], None]
) -> None:
    """Never an endpoint with a deleted credential, never two credentials left, no password on disk."""
    counts: Counter[str] = Counter()
    try:
        rotate(seed, tmp_path, fork_server, counts)
    finally:
        record_property("chaos", dict(counts))
