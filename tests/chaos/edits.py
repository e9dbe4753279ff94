"""What a person does to the files between two runs."""

from __future__ import annotations

from random import Random
from typing import Final

from tests.chaos import declared
from tests.chaos.declared import NAMES, Declared
from tests.chaos.model import goes_by
from tests.chaos.stage import Stage

EDITS: Final = {"world": 3, "tweak": 4, "rename": 3, "swap": 2, "chain": 2, "release": 3, "empty": 0.3}


def edit(stage: Stage, dice: Random) -> None:
    [kind] = dice.choices(list(EDITS), list(EDITS.values()))
    owned = sorted(set(stage.model.owned()) & set(stage.files.items))
    used = {one["name"] for one in stage.model.live().values()} | set(stage.model.state().records)
    free = [name for name in NAMES if name not in used and name not in stage.files.items]
    moves: dict[str, str] | None = None
    if kind in ("swap", "chain") and len(owned) < 2:
        kind = "rename"
    if kind in ("rename", "chain") and not (owned and free):
        kind = "tweak"
    ours = [goes_by(record) for record in stage.model.state().records.values() if goes_by(record)]
    if kind == "release" and not ours:
        kind = "tweak"
    if kind == "rename":
        moves = {dice.choice(owned): free[0]}
    elif kind == "swap":
        a, b = dice.sample(owned, 2)
        moves = {a: b, b: a}
    elif kind == "chain":
        a, b = dice.sample(owned, 2)
        moves = {a: b, b: free[0]}
    stage.tell(f"edit: {kind}", str(moves or ""))
    if moves:
        after = declared.renamed(stage.files, moves)
    elif kind == "release":
        freed = dice.sample(ours, min(len(ours), dice.choice([1, 1, 2])))
        words = [dice.choice(sorted(names)) for names in freed]
        after = declared.released(stage.files, words, set().union(*freed))
    elif kind == "empty":
        after = Declared(removed=stage.files.removed)
    elif kind == "tweak":
        after = declared.tweaked(dice, stage.files)
    else:
        after = declared.world(dice)
    stage.edit(after, moves)
