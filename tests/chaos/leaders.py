"""Two controllers of one account as processes, whose leader is killed while commits and drift arrive."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Final

from reconciler.inventory.session import load
from reconciler.simulator import Server
from tests.chaos.declarations import NAMES, SPECS, Declarations, Item, item
from tests.chaos.faults import WRITES
from tests.chaos.processes import Runs
from tests.fork_server import ForkServer
from tests.stores.engines import StoreUnderTest

CONFIG: Final = {
    "novita": {"settle_seconds": 0.3, "sync": {"apply": "auto", "drift": "revert", "prune": True}}
}
OPTIONS: Final = ("--poll", "0.05s", "--interval", "0.3s")
SECONDS: Final = 20
"""The longest wait for something that must happen."""


class Replicas:
    """Two replicas of `reconciler run`. `log`: what was done, for the message of a failure.

    takeovers: seconds from each kill until another replica leads.
    """

    def __init__(
        self, folder: Path, fork_server: ForkServer, novita: Server, under_test: StoreUnderTest, seed: int
    ) -> None:
        self.log: list[str] = []
        self.takeovers: list[float] = []
        self.counts: Counter[str] = Counter()
        self.store = under_test.store()
        self.runs = Runs(folder, fork_server, novita)
        self.runs.environ = dict(under_test.environ)
        self._folder, self._novita, self._rng = folder, novita, Random(seed)
        self._state = ("--state", under_test.address)
        self._pids: list[int] = []
        self._armed = threading.Lock()  # guards the three below
        self._victim = self._left = 0
        self._killed_at = 0.0
        for operation in WRITES:
            novita.faults.before(operation, lambda _: self._count("before"), nth=0)
            novita.faults.after(operation, lambda _: self._count("after"), nth=0)
        self._moment = ""
        (folder / "specs.yaml").write_text(json.dumps(SPECS))
        (folder / "config.yaml").write_text(json.dumps(CONFIG))
        self.declared: dict[str, Item] = {name: item(self._rng, name) for name in NAMES[:4]}
        self._commit()

    def start(self) -> None:
        self._pids.append(self.runs.start("run", *OPTIONS, *self._state))

    def leader(self) -> int:
        """Return the process that leads, 0 if there is none at the moment."""
        found = self.store.sibling.holder()
        return found.pid if found and found.pid in self._pids else 0

    def disturb(self) -> None:
        """Commit a change, or change the account behind the back of the controllers, or both."""
        kind = self._rng.choice(["commit", "commit", "drift", "delete by hand", "both"])
        self.counts[kind] += 1
        if kind != "commit":
            self._drift(is_deleted=kind == "delete by hand")
        if kind in ("commit", "both"):
            self._change()

    def kill_leader(self) -> None:
        """Kill the leader around one of its next writes, or at any moment. Start another replica."""
        victim = self._await(self.leader, "nobody leads")
        with self._armed:
            self._victim, self._left = victim, self._rng.choice([1, 1, 1, 2, 3])
            self._moment = self._rng.choice(["before", "after"])
            self._killed_at = 0.0
        self.disturb()
        end = time.monotonic() + self._rng.uniform(0.1, 1.5)
        while not self._killed_at and time.monotonic() < end:
            time.sleep(0.005)
        moment = f"{self._moment} a write" if self._killed_at else "between writes"
        self._kill()
        self.counts[f"killed {moment}"] += 1
        self.log.append(f"kill -9 {victim} {moment}")
        self._pids.remove(victim)
        self.runs.wait(victim)
        self._await(self.leader, "nobody took over")
        self.takeovers.append(time.monotonic() - self._killed_at)
        self.start()

    def command_line(self) -> None:
        """Apply by the command line, beside both replicas."""
        code = self.runs.run("apply", "--yes", "--lock-timeout", "20s", *self._state)
        self.log.append(f"apply by hand -> {code}")
        self.counts[f"apply by hand -> {code}"] += 1

    def settle(self) -> None:
        """Wait until nothing is left to do, and end both replicas."""
        self._await(lambda: not list(self.problems()), "the account is not as declared", seconds=90)
        leader = self._await(self.leader, "nobody leads")
        for pid in self._pids:
            os.kill(pid, signal.SIGTERM)
        codes = {pid: self.runs.wait(pid) for pid in self._pids}
        # The other one may have been started a moment ago, and has no handler of the signal yet.
        assert codes.pop(leader) == 0, "the leader did not end in an orderly way"
        assert set(codes.values()) <= {0, -signal.SIGTERM}, f"the other one ended with {codes}"

    def plan(self) -> int:
        return self.runs.run("plan", "--detailed-exitcode", *self._state)

    def problems(self) -> Iterator[str]:
        """Yield each difference between the declarations, the records and the account."""
        inventory, live = load(self.store), list(self._novita.world.endpoints)
        records = {record.name: record.id for record in inventory.every_record()}
        names = Counter(str(one["name"]) for one in live)
        yield from (f"a create is open: {intent.key}" for intent in inventory.every_intent())
        expected = {*self.declared, "stranger"}
        yield from (f"{name} is there {names[name]} times" for name in expected if names[name] != 1)
        yield from (f"nobody declares {name}" for name in names.keys() - expected)
        yield from (f"{name} is not recorded" for name in self.declared.keys() - records.keys())
        yield from (f"{name} is recorded and not declared" for name in records.keys() - self.declared.keys())
        for one in live:
            name = str(one["name"])
            if name in self.declared:
                if records.get(name) != one["id"]:
                    yield f"{name} is recorded as {records.get(name)}, and is {one['id']}"
                if one["image"]["image"] != self.declared[name]["image"]:
                    yield f"{name} has another image"
            elif name == "stranger" and one["image"]["image"] != "theirs:1":
                yield "the endpoint of others was changed"

    def report(self, what: object) -> str:
        log = self.runs.out.read_text(errors="replace")[-6000:]
        return "\n".join((str(what), *self.log[-20:], log))

    def _change(self) -> None:
        name = self._rng.choice(NAMES)
        if name in self.declared and len(self.declared) > 3 and self._rng.random() < 0.3:
            del self.declared[name]
        else:
            fresh = item(self._rng, name)
            self.declared[name] = {
                **self.declared.get(name, fresh),
                "image": fresh["image"],
                "env": fresh["env"],
            }
        self._commit()

    def _commit(self) -> None:
        self.log.append(
            f"now declared: {json.dumps({name: one['image'] for name, one in self.declared.items()})}"
        )
        temporary = self._folder / "next"
        temporary.mkdir(exist_ok=True)
        Declarations(items=self.declared).write(temporary)
        (temporary / "endpoints.yaml").replace(self._folder / "endpoints.yaml")

    def _drift(self, *, is_deleted: bool) -> None:
        world = self._novita.world
        recorded = {record.id for record in load(self.store).every_record()}
        # What nobody has recorded yet, and others have changed, is left to a person.
        ours = [one for one in world.endpoints if one["id"] in recorded]
        if len(ours) < 3:  # an inventory that leads nowhere is left to a person as well
            return
        one = self._rng.choice(ours)
        self.log.append(f"others {'delete' if is_deleted else 'change'} {one['name']}")
        if is_deleted:
            world.console_delete(str(one["id"]))
        else:
            world.console_update(str(one["id"]), image={"image": "drifted:1"})

    def _count(self, moment: str) -> None:
        with self._armed:
            if not self._victim or moment != self._moment:
                return
            self._left -= 1
            if self._left:
                return
        self._kill()

    def _kill(self) -> None:
        with self._armed:
            victim, self._victim = self._victim, 0
            if victim:
                os.kill(victim, signal.SIGKILL)
                self._killed_at = time.monotonic()

    def _await(self, value: Callable[[], int | bool], message: str, seconds: float = SECONDS) -> int:
        end = time.monotonic() + seconds
        while not (found := value()):
            assert time.monotonic() < end, self.report((message, list(self.problems())))
            time.sleep(0.005)
        return int(found)
