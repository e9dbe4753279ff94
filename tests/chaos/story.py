"""One seeded story: a world is applied while everything goes wrong, and must come right in two more runs."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from reconciler.simulator import Profile, Server
from tests.nursery import Nursery

KEY = "sk-chaos-7f3a9c"
TOKEN = "hf-chaos-51ab02"

SPECS = """\
specs:
  - name: small
    resources: {gpu: "1", ephemeralStorage: "100"}
    platforms: {novita: {productId: SL-serverless-3, region: us-dallas-nas-2}}
  - name: large
    resources: {gpu: "2", ephemeralStorage: "100"}
    platforms: {novita: {productId: SL-serverless-4, region: us-dallas-nas-2}}
"""

CONFIG = "novita: {settle_seconds: 0.6}\n"

WRITES = ("create", "update", "delete")
READS = ("list", "get")


@dataclass
class Told:
    """What happened, for the reader of a failure."""

    seed: int
    lines: list[str] = field(default_factory=list)

    def add(self, line: str) -> None:
        self.lines.append(line)


def endpoint(dice: Random, name: str) -> dict[str, Any]:
    """A declared endpoint with a few fields that a later world may change."""
    spec = dice.choice(["small", "small", "small", "large"])
    return {
        "endpoint": name,
        "appName": dice.choice([name, f"{name}-{spec}"]),
        "specName": spec,
        "image": f"ghcr.io/acme/{name}:{dice.randrange(3)}",
        "minReplicas": 0,
        "maxReplicas": dice.randrange(1, 4),
        "env": {"A": str(dice.randrange(2)), "TOKEN": "${env:TOKEN}"},
    }


def world(dice: Random) -> list[dict[str, Any]]:
    """Two to five of six names."""
    return [endpoint(dice, f"ep-{n}") for n in sorted(dice.sample(range(6), dice.randrange(2, 6)))]


def profile(dice: Random) -> Profile:
    """A Novita of some mood; its listing lags less than the settling time."""
    return Profile(
        number_style=dice.choice(["string", "int"]),
        page_base=dice.choice([0, 1]),
        max_page_size=dice.choice([2, 100]),
        past_end=dice.choice(["empty", "repeat"]),
        list_lag_seconds=dice.choice([0.0, 0.0, 0.2]),
        update_lag_seconds=dice.choice([0.0, 0.0, 0.1]),
        terminating_seconds=dice.choice([0.0, 0.0, 0.2]),
        env_order=dice.choice(["kept", "reversed"]),
        healthy_null=dice.choice([False, True]),
        tombstones=dice.choice([False, True]),
    )


class Story:
    """A folder, a Novita and a nursery, and what must hold in the end."""

    def __init__(self, seed: int, folder: Path, nursery: Nursery) -> None:
        self.dice = Random(seed)
        self.told = Told(seed)
        self.folder = folder
        self.nursery = nursery
        self.out = folder / "out.log"
        (folder / "specs.yaml").write_text(SPECS)
        (folder / "config.yaml").write_text(CONFIG)

    def tell(self) -> None:
        """Live it through; raises AssertionError when it does not come right."""
        with Server(profile=profile(self.dice), seed=self.told.seed) as novita:
            self.novita = novita
            stranger = novita.world.console_create(name="stranger", appName="stranger")
            if self.dice.random() < 0.6:
                self.declare(world(self.dice))
                assert self.run() == 0, self.report("the calm first apply failed")
            wanted = self.trouble()
            novita.faults.clear()
            novita.faults.at_random(seed=0, rate=0.0)
            codes = [self.run(), self.run()]
            self.told.add(f"then calm runs: {codes}")
            code = self.run("plan", "--detailed-exitcode")
            assert code == 0, self.report(f"the plan after two calm runs is not empty: exit {code}")
            self.check({one["endpoint"] for one in wanted}, stranger)

    def trouble(self) -> list[dict[str, Any]]:
        """One to three runs under faults, each perhaps killed, perhaps beside another, perhaps edited since.

        Returns what is declared in the end.
        """
        wanted = world(self.dice)
        self.declare(wanted)
        self.novita.faults.at_random(
            seed=self.dice.randrange(10**9),
            rate=self.dice.choice([0.0, 0.05, 0.15]),
            operations=self.dice.choice([WRITES, WRITES + READS]),
        )
        for _ in range(self.dice.randrange(1, 4)):
            pids: list[int] = []
            if self.dice.random() < 0.7:
                self.arrange_a_kill(pids)
            pids.append(self.start("apply"))
            second = self.start("apply") if self.dice.random() < 0.25 else None
            code = self.nursery.wait(pids[0])
            self.told.add(f"troubled run: {code}")
            if second is not None:
                self.told.add(f"  a second run beside it: {self.nursery.wait(second)}")
            if self.dice.random() < 0.4:
                wanted = world(self.dice)
                self.declare(wanted)
                self.told.add("the files are edited")
        return wanted

    def arrange_a_kill(self, pids: list[int]) -> None:
        """SIGKILL right before or after Novita acts on the nth write, or at a random moment."""

        def kill(*_: object) -> None:
            if pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pids[0], signal.SIGKILL)

        if self.dice.random() < 0.3:
            delay = self.dice.random() * 0.25
            timer = threading.Timer(delay, kill)
            timer.daemon = True
            timer.start()
            self.told.add(f"kill after {delay:.3f} s")
            return
        operation, nth = self.dice.choice(WRITES), self.dice.randrange(1, 4)
        when = self.dice.choice(["before", "after"])
        hook: Callable[..., None] = getattr(self.novita.faults, when)
        hook(operation, kill, nth=nth)
        self.told.add(f"kill {when} Novita acts on {operation} {nth}")

    def declare(self, endpoints: list[dict[str, Any]]) -> None:
        (self.folder / "endpoints.yaml").write_text(json.dumps({"endpoints": endpoints}))

    def start(self, command: str, *more: str) -> int:
        arguments = [command, *more]
        if command == "apply":
            arguments += ["--yes", *self.dice.choice([[], ["--create-first"]])]
        return self.nursery.start(
            arguments,
            cwd=self.folder,
            env={"NOVITA_BASE_URL": self.novita.url, "NOVITA_API_KEY": KEY, "TOKEN": TOKEN, "CI": "true"},
            out=self.out,
        )

    def run(self, command: str = "apply", *more: str) -> int:
        return self.nursery.wait(self.start(command, *more))

    def check(self, wanted: set[str], stranger: str) -> None:
        """No duplicate, no orphan, no lost record, no secret on disk, nothing left open."""
        live = {one["id"]: one["name"] for one in self.novita.world.endpoints}
        assert live.pop(stranger, None) == "stranger", self.report("an endpoint of others was touched")
        assert sorted(live.values()) == sorted(wanted), self.report(f"live is {sorted(live.values())}")
        records = json.loads((self.folder / "state" / "novita.json").read_text())["endpoints"]
        assert {record["id"]: name for name, record in records.items()} == live, self.report("records differ")
        journal = self.folder / "state" / "novita.json.journal"
        assert not journal.exists() or not journal.read_bytes(), self.report("something is left open")
        for path in self.folder.rglob("*"):
            if path.is_file():
                data = path.read_bytes()
                assert KEY.encode() not in data, self.report(f"the key is in {path.name}")
                assert TOKEN.encode() not in data, self.report(f"a secret is in {path.name}")

    def report(self, what: str) -> str:
        log = self.out.read_text(errors="replace") if self.out.exists() else ""
        return "\n".join([f"seed {self.told.seed}: {what}", *self.told.lines, log[-6000:]])
