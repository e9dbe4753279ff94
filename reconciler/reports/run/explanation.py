"""What `--explain` adds below a change, for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from reconciler.planning.explain import Explanation
from reconciler.reports.terminal.style import PLAIN, Style
from reconciler.reports.terminal.values import plain

NO_CALLS: Final = "none; only the inventory is written"


def explanation_lines(found: Explanation, style: Style = PLAIN) -> Iterator[str]:
    """Why, rule and calls, each under its word."""
    calls = [
        f"{call.method:<4} {plain(call.path)}{style.faint(f'  # {call.purpose}')}" for call in found.calls
    ]
    for word, lines in (("why", found.why), ("rule", (found.rule,)), ("calls", calls or (NO_CALLS,))):
        for number, line in enumerate(lines):
            label = style.faint(word.ljust(5)) if number == 0 else " " * 5
            yield f"      {label}  {line if word == 'calls' else plain(line)}"
