"""The planner's table as values: which row of it made a change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, assert_never

from reconciler.model.plan import (
    Action,
    Adopt,
    Change,
    Create,
    Delete,
    Forget,
    NoOp,
    Replace,
    Scale,
    Update,
)


@dataclass(frozen=True, slots=True)
class Rule:
    """One row: what is so in the YAML, the inventory and the account, and what follows from it."""

    when: str
    then: Action

    def __str__(self) -> str:
        return f"{self.when} -> {self.then.value}"


NEW: Final = Rule("declared, not recorded, none live of that name", Action.CREATE)
LOST: Final = Rule("declared, recorded, its ID is gone, none live of that name", Action.CREATE)
FOUND: Final = Rule("declared, not recorded, one live of that name", Action.ADOPT)
FOUND_AGAIN: Final = Rule("declared, recorded, its ID is gone, one live of that name", Action.ADOPT)
SAME: Final = Rule("declared, recorded, live by its ID; no field differs", Action.NO_OP)
FIXED: Final = Rule("declared, recorded, live by its ID; an immutable field differs", Action.REPLACE)
WORKERS: Final = Rule("declared, recorded, live by its ID; only worker counts differ", Action.SCALE)
FIELDS: Final = Rule("declared, recorded, live by its ID; fields differ that can be changed", Action.UPDATE)
UNWANTED: Final = Rule("not wanted, recorded, live by its ID under that name", Action.DELETE)
GONE: Final = Rule("not wanted, recorded, its ID is gone", Action.FORGET)
RENAMED: Final = Rule("not wanted, recorded, live by its ID under another name", Action.FORGET)


def rule_of(change: Change) -> Rule:
    """The row of the planner's table that made this change."""
    match change:
        case Create():
            return LOST if change.gone else NEW
        case Adopt():
            return FOUND_AGAIN if change.gone else FOUND
        case NoOp():
            return SAME
        case Replace():
            return FIXED
        case Scale():
            return WORKERS
        case Update():
            return FIELDS
        case Delete():
            return UNWANTED
        case Forget():
            return RENAMED if change.live_name else GONE
        case _:
            assert_never(change)
