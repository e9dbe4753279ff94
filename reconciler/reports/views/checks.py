"""The checks of `doctor` as text: one line each, with hints below it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from reconciler.model.run_report import Check, CheckStatus
from reconciler.model.text import quantity
from reconciler.reports.terminal.escape import lines_of, plain
from reconciler.reports.terminal.style import PLAIN, Style

WIDTH = 15
"""Length of the longest name of a check."""


def check_text(check: Check, style: Style = PLAIN) -> str:
    """Return one check, ending in a newline."""
    colours = {
        CheckStatus.OK: style.added,
        CheckStatus.WARN: style.changed,
        CheckStatus.FAIL: style.error,
        CheckStatus.SKIP: style.dim,
    }
    grade = colours[check.status](check.status.value.ljust(4))
    lines = [f"{grade}  {check.name.ljust(WIDTH)}  {plain(check.detail)}"]
    margin = " " * (WIDTH + 8)
    lines += [f"{margin}{plain(line)}".rstrip() for line in lines_of(check.hint)]
    return "\n".join(lines) + "\n"


def summary_text(checks: Iterable[Check], style: Style = PLAIN) -> str:
    """Return the number of failures and warnings in one line."""
    counts = Counter(check.status for check in checks)
    if not counts[CheckStatus.FAIL] and not counts[CheckStatus.WARN]:
        return style.added("No problems found.") + "\n"
    parts = [
        quantity(counts[status], word)
        for status, word in ((CheckStatus.FAIL, "failure"), (CheckStatus.WARN, "warning"))
        if counts[status]
    ]
    paint = style.error if counts[CheckStatus.FAIL] else style.changed
    return paint(", ".join(parts) + ".") + "\n"
