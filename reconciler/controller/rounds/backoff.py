"""Pauses after failures: of one resource, of all writes to the account, and of reads. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from reconciler.controller.state import Backoff
from reconciler.model.apply_events import ChangeResult, Outcome
from reconciler.model.errors import KeyRefused, Throttled, Unreachable
from reconciler.model.problem import Problem
from reconciler.model.sync.durations import FIRST_BACKOFF, MAX_BACKOFF
from reconciler.model.text import utc_text

ACCOUNT: Final = "account"
"""The key of failures that every write would have."""

READS: Final = "reads"
"""The key of reads that failed, so that there is no plan."""

Backoffs = Mapping[str, Backoff]


def after_failure(backoffs: Backoffs, key: str, problem: Problem, now: datetime) -> Backoffs:
    """Return the pauses with a longer one for this key."""
    failures = backoffs[key].failures + 1 if key in backoffs else 1
    seconds = min(FIRST_BACKOFF * 2.0 ** min(failures - 1, 16), MAX_BACKOFF)
    until = now + timedelta(seconds=seconds)
    pause = Backoff(failures=failures, until=until, code=problem.code, why=problem.summary)
    return {**backoffs, key: pause}


def after_results(backoffs: Backoffs, results: Iterable[ChangeResult], now: datetime) -> Backoffs:
    """Return the pauses after an apply. A failure that concerns every write counts once, for the account."""
    account: Problem | None = None
    for result in results:
        address = result.change.address
        if result.outcome is Outcome.DONE:
            backoffs = without(backoffs, address, ACCOUNT)
        elif result.problem is None:
            continue
        elif isinstance(result.error, KeyRefused | Throttled | Unreachable):
            account = result.problem
        elif result.outcome is not Outcome.NOT_ATTEMPTED:
            backoffs = after_failure(backoffs, address, result.problem, now)
    return after_failure(backoffs, ACCOUNT, account, now) if account else backoffs


def without(backoffs: Backoffs, *keys: str) -> Backoffs:
    """Return the pauses without those of these keys."""
    return {key: pause for key, pause in backoffs.items() if key not in keys}


def running(backoffs: Backoffs, now: datetime) -> Mapping[str, str]:
    """Return why a resource or the account is left alone now, by its key.

    A clock that was set back does not prolong a pause: none is longer than the longest.
    """
    return {
        key: f"{pause.why}; it is tried again at {utc_text(pause.until)}"
        for key, pause in backoffs.items()
        if now < pause.until <= now + timedelta(seconds=MAX_BACKOFF)
    }


def failures(backoffs: Backoffs) -> Mapping[str, Problem]:
    """Return the last failure for each subject that a person is told about."""
    return {
        ACCOUNT if key == READS else key: Problem(
            code=pause.code,
            summary=pause.why,
            hint=f"it is tried again after {utc_text(pause.until)}",
            address=key if "." in key else None,
        )
        for key, pause in backoffs.items()
    }
