"""Where a story takes place: a folder, a Novita, the command line, and the person who edits the files."""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Final

from reconciler.simulator import Server
from tests.chaos import declared
from tests.chaos.declared import Declared
from tests.chaos.model import Model, fixed, fixed_of, goes_by
from tests.chaos.runs import Runs
from tests.fork_server import ForkServer

CONFIG: Final = {"novita": {"settle_seconds": 0.6}}


class Stage:
    """What each step of a story acts on, and the list of what was done."""

    def __init__(self, seed: int, folder: Path, fork_server: ForkServer, novita: Server) -> None:
        self.seed = seed
        self.folder = folder
        self.novita = novita
        self.runs = Runs(folder, fork_server, novita)
        self.model = Model(world=novita.world, inventory=folder / "state" / "novita.json")
        self.files = Declared()
        self.plans: list[str] = []
        self.told: list[str] = []
        self.counts: Counter[str] = Counter()
        (folder / "specs.yaml").write_text(json.dumps(declared.SPECS))
        (folder / "config.yaml").write_text(json.dumps(CONFIG))

    def tell(self, kind: str, more: str = "") -> None:
        self.counts[kind] += 1
        self.told.append(f"{kind} {more}".rstrip())

    def edit(self, after: Declared, moves: dict[str, str] | None = None) -> None:
        after = replace(after, removed=tuple(dict.fromkeys(after.removed)))
        # a person is slower than the listing: what nobody records can be found by its name alone
        time.sleep(self.novita.world.profile.list_lag_seconds)
        self.fit(after)
        self.model.edited(self.files, after, moves)
        self.files = after
        after.write(self.folder)
        self.told.append(f"  now declared: {json.dumps(after.items)}, let go of: {after.removed}")

    def fit(self, files: Declared) -> bool:
        """Make the files possible: no app name that another keeps, and what is to be adopted as it is."""
        live, unrecorded = self.model.live(), self.model.unrecorded()
        records = self.model.state().records.values()
        ours = {name for record in records if record.id in live for name in goes_by(record)}
        changed = False
        taken: set[str] = set()
        for name, one in files.items.items():
            namesake = next((other for other in unrecorded.values() if other["name"] == name), None)
            is_ours = not ours.isdisjoint({name, one.get("renamedFrom")})
            if namesake and not is_ours and fixed(one) != fixed_of(namesake):
                product = namesake["products"][0]["id"]
                one.update(appName=namesake["appName"], specName=declared.SPEC_OF[product])
                changed = True
            holder = next((other for other in live.values() if other["appName"] == one["appName"]), None)
            own = {name, one.get("renamedFrom")}
            if one["appName"] in taken or (holder and holder["name"] not in own):
                one["appName"] = f"{name}-{self.seed}-{len(self.told)}"
                changed = True
            taken.add(one["appName"])
        return changed

    def same_again(self) -> Declared:
        """The files as they are, to be made to fit."""
        return replace(self.files, items={name: dict(one) for name, one in self.files.items.items()})

    def takeable(self) -> set[str]:
        """The names by which an apply may take an endpoint."""
        hints = {one["renamedFrom"] for one in self.files.items.values() if "renamedFrom" in one}
        return set(self.files.items) | hints

    def report(self, what: str) -> str:
        log = self.runs.out.read_text(errors="replace")
        live = [
            f"  live: {one['name']} ({one['id']}, {one['appName']})" for one in self.novita.world.endpoints
        ]
        return "\n".join([f"seed {self.seed}: {what}", *self.told, *live, log[-9000:]])
