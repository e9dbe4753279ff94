"""The rows of `doctor` that all engines share. Each row is a problem, whose severity says how it stands."""

from __future__ import annotations

from reconciler.inventory.lock_holder import LockHolder
from reconciler.model.durations import CLOCK_TOLERANCE
from reconciler.model.problem import Problem, Severity


def fact(code: str, summary: str) -> Problem:
    """Return the row of a fact that is as it should be."""
    return Problem(code=code, severity=Severity.NOTE, summary=summary)


def owner_row(owner: LockHolder, run: str = "") -> Problem:
    """Return the row about the run that holds the lock. run: more about it."""
    return fact("store-owner", f"{owner.described(run)} holds the lock {owner.lock_id}")


def clock_row(seconds: float, summary: str, detail: str, *, summary_if_close: str = "") -> Problem:
    """Return the row about the clock of the store: a warning if it differs by too many seconds.

    detail: why locks are safe all the same. summary_if_close: the text of a small difference, unless it is
    the same.
    """
    if abs(seconds) <= CLOCK_TOLERANCE:
        return fact("store-clock", summary_if_close or summary)
    return Problem(
        code="store-clock",
        severity=Severity.WARNING,
        summary=summary,
        detail=detail,
        hint="Set the clock of this machine",
    )
