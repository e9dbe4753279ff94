"""The preflight of a plan as HTML: a list with the result of each check."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from reconciler.model.plan import Plan
from reconciler.model.review.preflight import Result
from reconciler.reports.html.cards import escape
from reconciler.reports.run.preflight import concerned_text, shown_checks

BADGES: Final[Mapping[Result, str]] = {Result.OK: "good", Result.FAIL: "bad"}
"""Classes of badges; others are quiet."""


def preflight_list(plan: Plan) -> list[str]:
    """Return a definition list in a list, or an empty list if no preflight was asked for."""
    rows = "".join(
        f'<dt><span class="badge {BADGES.get(check.result, "quiet")}">{check.result.value}</span>'
        f" {check.name}"
        f"<dd>{escape(check.detail)} <code>{escape(concerned_text(check))}</code>"
        for check in shown_checks(plan)
    )
    return [f'<dl class="outputs">{rows}</dl>\n'] if rows else []
