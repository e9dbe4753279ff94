"""The edits of the files between two runs."""

from __future__ import annotations

from random import Random
from typing import Final

from tests.chaos import declarations
from tests.chaos.declarations import NAMES, Declarations
from tests.chaos.model import names_of
from tests.chaos.scenario import Scenario

EDITS: Final = {"world": 3, "tweak": 4, "rename": 3, "swap": 2, "chain": 2, "release": 3, "empty": 0.3}


def edit(scenario: Scenario, rng: Random) -> None:
    [kind] = rng.choices(list(EDITS), list(EDITS.values()))
    owned = sorted(set(scenario.model.owned()) & set(scenario.files.items))
    used = {one["name"] for one in scenario.model.live().values()} | set(scenario.model.state().records)
    free = [name for name in NAMES if name not in used and name not in scenario.files.items]
    moves: dict[str, str] | None = None
    if kind in ("swap", "chain") and len(owned) < 2:
        kind = "rename"
    if kind in ("rename", "chain") and not (owned and free):
        kind = "tweak"
    ours = [names_of(record) for record in scenario.model.state().records.values() if names_of(record)]
    if kind == "release" and not ours:
        kind = "tweak"
    if kind == "rename":
        moves = {rng.choice(owned): free[0]}
    elif kind == "swap":
        a, b = rng.sample(owned, 2)
        moves = {a: b, b: a}
    elif kind == "chain":
        a, b = rng.sample(owned, 2)
        moves = {a: b, b: free[0]}
    scenario.record_step(f"edit: {kind}", str(moves or ""))
    if moves:
        after = declarations.renamed(scenario.files, moves)
    elif kind == "release":
        freed = rng.sample(ours, min(len(ours), rng.choice([1, 1, 2])))
        words = [rng.choice(sorted(names)) for names in freed]
        after = declarations.released(scenario.files, words, set().union(*freed))
    elif kind == "empty":
        after = Declarations(removed=scenario.files.removed)
    elif kind == "tweak":
        after = declarations.with_changed_fields(rng, scenario.files)
    else:
        after = declarations.random_declarations(rng)
    scenario.edit(after, moves)
