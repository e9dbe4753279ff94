"""The parts of a scenario about one kind of resource: an apply under faults, and the calm end."""

from __future__ import annotations

import time
from collections import Counter
from random import Random

from reconciler.simulator import Server
from tests.chaos.faults import KINDS_OF_FAULTS, WRITES
from tests.chaos.processes import ENDED, Interruption, Runs


class KindScenario:
    """The runs in one folder against one simulated account."""

    seed: int
    novita: Server
    runs: Runs
    steps: list[str]
    writes: tuple[str, ...]
    operations: tuple[str, ...]

    @property
    def command(self) -> tuple[str, ...]:
        return ("apply", "--yes")

    def report(self, what: str) -> str:
        raise NotImplementedError

    def problems(self) -> list[str]:
        raise NotImplementedError

    def apply(self, rng: Random, counts: Counter[str]) -> int:
        """Apply, most often with an interruption. Return the exit code."""
        interruption = None
        if rng.random() < 0.6:
            interruption = Interruption(rng, self.novita, (*WRITES, *self.writes))
            self.steps.append(interruption.description)
        pid = self.runs.start(*self.command)
        if interruption:
            interruption.set_process(pid)
        code = self.runs.wait(pid)
        if interruption:
            interruption.process_ended()
        self.steps.append(f"apply -> {code}")
        counts[f"apply -> {code}"] += 1
        assert code in ENDED, self.report(f"a run ended with {code}")
        return code

    def disturb(self, rng: Random) -> None:
        self.novita.faults.at_random(
            seed=rng.randrange(10**9),
            rate=rng.choice([0.0, 0.05, 0.15]),
            faults=KINDS_OF_FAULTS[rng.choice(sorted(KINDS_OF_FAULTS))],
            operations=self.operations,
        )

    def check_convergence(self) -> None:
        """Stop the faults, apply twice, and check that a plan is empty and nothing is wrong."""
        self.novita.faults.at_random(seed=0, rate=0.0)
        self.steps.append("calm")
        self._wait_for_pending_writes()
        codes = [self.runs.run(*self.command) for _ in range(2)]
        assert codes == [0, 0], self.report(f"the calm runs ended with {codes}")
        code = self.runs.run("plan", "--detailed-exitcode")
        assert code == 0, self.report(f"the plan after two calm runs is not empty: exit {code}")
        found = self.problems()
        assert not found, self.report("; ".join(found))

    def _wait_for_pending_writes(self) -> None:
        deadline = time.monotonic() + 60
        while self.novita.connections:
            assert time.monotonic() < deadline, "a connection stays open"
            time.sleep(0.005)
        lags = self.novita.world.profile
        time.sleep(lags.update_lag_seconds + lags.reference_lag_seconds + lags.in_use_lag_seconds)
