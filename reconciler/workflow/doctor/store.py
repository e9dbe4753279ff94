"""The checks of a store that is not a file: what it says of itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from reconciler.model.errors import InventoryError
from reconciler.model.problem import Problem, Severity
from reconciler.model.run_report import Check, CheckStatus
from reconciler.workflow.runtime.context import Context

_STATUS: Final = {
    Severity.NOTE: CheckStatus.OK,
    Severity.WARNING: CheckStatus.WARN,
    Severity.ERROR: CheckStatus.FAIL,
}


def store_checks(context: Context) -> Iterator[Check]:
    """Yield a check for each fact of the store: reachable, can lock, version, clock difference."""
    try:
        yield from map(_check, context.store.examine())
    except InventoryError as error:
        yield from map(_check, error.problems)


def _check(problem: Problem) -> Check:
    return Check(
        name="store" if problem.is_error else problem.code.replace("-", " "),
        status=_STATUS[problem.severity],
        detail=problem.summary,
        hint="\n".join(filter(None, (problem.detail, problem.hint))),
    )
