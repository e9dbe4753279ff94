"""One seeded scenario: files are applied under faults, and must converge in two undisturbed runs.

Each step has its own random numbers, so that the result of one step does not change the next ones.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Final

from reconciler.simulator import Server
from tests.chaos import commands, declarations, edits, other_users, store_faults
from tests.chaos.convergence import check_convergence
from tests.chaos.faults import KINDS_OF_FAULTS, READS, WRITES, Churn, profile
from tests.chaos.scenario import Scenario
from tests.fork_server import ForkServer
from tests.stores.engines import StoreUnderTest


def edit_and_apply(scenario: Scenario, rng: Random) -> None:
    """Edit the files and apply them; the most frequent step."""
    edits.edit(scenario, rng)
    commands.apply(scenario, rng)


STEPS: Final[tuple[tuple[Callable[[Scenario, Random], object], float], ...]] = (
    (edit_and_apply, 9),
    (commands.apply, 3),
    (edits.edit, 3),
    (commands.lease, 2),
    (commands.end_lease, 1),
    (commands.deploy, 2),
    (commands.update, 1),
    (commands.scale, 1),
    (commands.drain, 1),
    (commands.delete, 1),
    (commands.rollback, 1),
    (commands.resume, 2),
    (commands.save_a_plan, 2),
    (commands.apply_a_saved_plan, 2),
    (other_users.create_unmanaged, 2),
    (other_users.delete_managed, 1),
    (other_users.change_managed, 1),
    (other_users.delete_inventory, 1),
)


def run_scenario(
    seed: int, folder: Path, fork_server: ForkServer, under_test: StoreUnderTest, counts: Counter[str]
) -> None:
    """Run a scenario and count its steps. Raise AssertionError if it does not converge."""
    rng = Random(seed)
    with Server(profile=profile(rng), seed=seed) as novita:
        scenario = Scenario(seed, folder, fork_server, novita, under_test)
        scenario.counts = counts
        scenario.model.create_unmanaged(name="stranger", appName="stranger")
        scenario.edit(declarations.random_declarations(rng))
        if rng.random() < 0.7:
            assert scenario.runs.run("apply", "--yes") == 0, scenario.report("the calm first apply failed")
            scenario.model.edited(scenario.files, scenario.files)
        _disturb(scenario, rng)
        check_convergence(scenario)


def _disturb(scenario: Scenario, rng: Random) -> None:
    """Run some steps under faults."""
    kind = rng.choice(sorted(KINDS_OF_FAULTS))
    scenario.novita.faults.at_random(
        seed=rng.randrange(10**9),
        rate=(rate := rng.choice([0.0, 0.05, 0.15])),
        faults=KINDS_OF_FAULTS[kind],
        operations=rng.choice([WRITES, WRITES + READS]),
    )
    scenario.record_step(f"faults: {kind if rate else 'none'}", f"at {rate}")
    store_faults.disturb(scenario)
    churn = Churn(scenario.novita.world, Random(scenario.seed)) if rng.random() < 0.25 else None
    with churn or contextlib.nullcontext():
        if churn:
            scenario.record_step("churn")
        for number in range(rng.randrange(2, 7)):
            turn = Random(f"{scenario.seed}/{number}")
            [step] = turn.choices([one for one, _ in STEPS], [weight for _, weight in STEPS])
            step(scenario, turn)
    if churn:
        for left in churn.left:
            scenario.model.add_unmanaged(left)
