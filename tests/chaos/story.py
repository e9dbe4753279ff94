"""One seeded story: files are applied while everything goes wrong, and must come right in two calm runs.

Each step draws from dice of its own, so that what one step came to does not change what the next ones are.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Final

from reconciler.simulator import Server
from tests.chaos import commands, declared, edits, others
from tests.chaos.calm import calm
from tests.chaos.mood import KINDS_OF_FAULTS, READS, WRITES, Churn, profile
from tests.chaos.stage import Stage
from tests.fork_server import ForkServer


def edited_and_applied(stage: Stage, dice: Random) -> None:
    """What people do most."""
    edits.edit(stage, dice)
    commands.apply(stage, dice)


STEPS: Final[tuple[tuple[Callable[[Stage, Random], object], float], ...]] = (
    (edited_and_applied, 9),
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
    (others.stranger, 2),
    (others.delete_ours, 1),
    (others.change_ours, 1),
    (others.lose_the_inventory, 1),
)


def tell(seed: int, folder: Path, fork_server: ForkServer, counts: Counter[str]) -> None:
    """Live it through, counting what was mixed in; raises AssertionError when it does not come right."""
    dice = Random(seed)
    with Server(profile=profile(dice), seed=seed) as novita:
        stage = Stage(seed, folder, fork_server, novita)
        stage.counts = counts
        stage.model.stranger(name="stranger", appName="stranger")
        stage.edit(declared.world(dice))
        if dice.random() < 0.7:
            assert stage.runs.run("apply", "--yes") == 0, stage.report("the calm first apply failed")
            stage.model.edited(stage.files, stage.files)
        _trouble(stage, dice)
        calm(stage)


def _trouble(stage: Stage, dice: Random) -> None:
    """Some steps under faults."""
    kind = dice.choice(sorted(KINDS_OF_FAULTS))
    stage.novita.faults.at_random(
        seed=dice.randrange(10**9),
        rate=(rate := dice.choice([0.0, 0.05, 0.15])),
        faults=KINDS_OF_FAULTS[kind],
        operations=dice.choice([WRITES, WRITES + READS]),
    )
    stage.tell(f"faults: {kind if rate else 'none'}", f"at {rate}")
    churn = Churn(stage.novita.world, Random(stage.seed)) if dice.random() < 0.25 else None
    with churn or contextlib.nullcontext():
        if churn:
            stage.tell("churn")
        for number in range(dice.randrange(2, 7)):
            turn = Random(f"{stage.seed}/{number}")
            [step] = turn.choices([one for one, _ in STEPS], [weight for _, weight in STEPS])
            step(stage, turn)
    if churn:
        for left in churn.left:
            stage.model.is_of_others(left)
