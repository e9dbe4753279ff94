"""The parts of a scenario: a folder, a simulated account, the command line, and edits of the files."""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Final

from reconciler.simulator import Server
from tests.chaos import declarations
from tests.chaos.declarations import Declarations
from tests.chaos.model import Model, fixed, fixed_of, names_of
from tests.chaos.processes import Runs
from tests.fork_server import ForkServer
from tests.stores.engines import StoreUnderTest

CONFIG: Final = {"novita": {"settle_seconds": 0.6}}


class Scenario:
    """The objects that the steps of a scenario use, and the list of the steps so far."""

    def __init__(
        self, seed: int, folder: Path, fork_server: ForkServer, novita: Server, under_test: StoreUnderTest
    ) -> None:
        self.seed = seed
        self.folder = folder
        self.novita = novita
        self.runs = Runs(folder, fork_server, novita)
        self.under_test = under_test
        self.store_dice = Random(f"store {seed}")
        self.store_rate = 0.0
        """The share of the requests to the store that are lost."""
        if under_test.relay:
            self.runs.environ = dict(under_test.disturbed_environ)
            self.runs.options = ("--state", under_test.disturbed)
        self.model = Model(world=novita.world, store=under_test.store())
        self.files = Declarations()
        self.plans: list[str] = []
        self.steps: list[str] = []
        self.counts: Counter[str] = Counter()
        (folder / "specs.yaml").write_text(json.dumps(declarations.SPECS))
        (folder / "config.yaml").write_text(json.dumps(CONFIG))

    def record_step(self, kind: str, more: str = "") -> None:
        self.counts[kind] += 1
        self.steps.append(f"{kind} {more}".rstrip())

    def edit(self, after: Declarations, moves: dict[str, str] | None = None) -> None:
        after = replace(after, removed=tuple(dict.fromkeys(after.removed)))
        # a person is slower than the listing: what nobody records can be found by its name alone
        time.sleep(self.novita.world.profile.list_lag_seconds)
        self.fit(after)
        self.model.edited(self.files, after, moves)
        self.files = after
        after.write(self.folder)
        self.steps.append(f"  now declared: {json.dumps(after.items)}, let go of: {after.removed}")

    def fit(self, files: Declarations) -> bool:
        """Make the files valid: no app name that is taken, and no adoption that needs a replacement."""
        live, unrecorded = self.model.live(), self.model.unrecorded()
        records = self.model.state().records.values()
        ours = {name for record in records if record.id in live for name in names_of(record)}
        changed = False
        taken: set[str] = set()
        for name, one in files.items.items():
            namesake = next((other for other in unrecorded.values() if other["name"] == name), None)
            is_ours = not ours.isdisjoint({name, one.get("renamedFrom")})
            if namesake and not is_ours and fixed(one) != fixed_of(namesake):
                product = namesake["products"][0]["id"]
                one.update(appName=namesake["appName"], specName=declarations.SPEC_OF[product])
                changed = True
            holder = next((other for other in live.values() if other["appName"] == one["appName"]), None)
            own = {name, one.get("renamedFrom")}
            if one["appName"] in taken or (holder and holder["name"] not in own):
                one["appName"] = f"{name}-{self.seed}-{len(self.steps)}"
                changed = True
            taken.add(one["appName"])
        return changed

    def copy_of_files(self) -> Declarations:
        """Return a copy of the files."""
        return replace(self.files, items={name: dict(one) for name, one in self.files.items.items()})

    def adoptable_names(self) -> set[str]:
        """Return the names by which an apply may adopt an endpoint."""
        hints = {one["renamedFrom"] for one in self.files.items.values() if "renamedFrom" in one}
        return set(self.files.items) | hints

    def report(self, what: str) -> str:
        log = self.runs.out.read_text(errors="replace")
        live = [
            f"  live: {one['name']} ({one['id']}, {one['appName']})" for one in self.novita.world.endpoints
        ]
        return "\n".join([f"seed {self.seed}: {what}", *self.steps, *live, log[-9000:]])
