"""The preflight of a plan as text, as JSON, and as rows for other reports."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from reconciler.model.plan import Plan
from reconciler.model.review.preflight import Preflight, PreflightCheck, Result
from reconciler.model.text import quantity
from reconciler.model.values import Json
from reconciler.reports.terminal.escape import plain
from reconciler.reports.terminal.style import Style

HEADING: Final = "Preflight"
NAME_WIDTH: Final = len("storage")
RESULT_WIDTH: Final = len(Result.NOT_CHECKED)


def shown_checks(plan: Plan) -> tuple[PreflightCheck, ...]:
    """Return the checks that reports for people show: all of them, if the user asked for a preflight."""
    return plan.preflight.checks if plan.preflight and plan.preflight.is_requested else ()


def preflight_lines(found: Preflight, style: Style) -> Iterator[str]:
    """Yield the block about the preflight, which begins with an empty line."""
    colors = {Result.OK: style.added, Result.WARN: style.changed, Result.FAIL: style.removed}
    yield ""
    yield style.bold(HEADING) + style.dim(f" ({counts_text(found.checks)}):")
    for check in found.checks:
        result = colors.get(check.result, style.dim)(check.result.value.ljust(RESULT_WIDTH))
        yield f"  {result}  {check.name:<{NAME_WIDTH}}  {plain(check.detail.removeprefix(f'{check.name} '))}"


def counts_text(checks: tuple[PreflightCheck, ...]) -> str:
    """Return how many checks had each result, such as `5 pass, 1 warn`."""
    counts = Counter(check.result for check in checks)
    return ", ".join(f"{counts[result]} {result.value}" for result in Result if counts[result])


def concerned_text(check: PreflightCheck) -> str:
    """Return what a check concerns: one resource, their number, or the account."""
    if len(check.addresses) == 1:
        return check.addresses[0]
    return quantity(len(check.addresses), "resource") if check.addresses else "the account"


def preflight_document(found: Preflight) -> list[Json]:
    """Return the checks as the reports in JSON have them."""
    return [
        {
            "check": check.name,
            "result": check.result.value,
            "detail": check.detail,
            "hint": check.hint or None,
            "addresses": list(check.addresses),
        }
        for check in found.checks
    ]
