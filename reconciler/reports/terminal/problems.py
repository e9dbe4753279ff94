"""Problems as text: what happened, where, the line of the file, and a hint."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from reconciler.model.problem import Place, Problem, Severity, limit_problems
from reconciler.reports.terminal.escape import lines_of, plain
from reconciler.reports.terminal.style import PLAIN, Style
from reconciler.reports.terminal.table import cell_width

COMMANDS: Final = frozenset({"reconciler", "export"})
"""First words of commands in hints, which are not capitalized."""

TAB: Final = "    "
"""Shown for a tab."""


def problems_text(problems: Iterable[Problem], style: Style = PLAIN) -> str:
    """Return the problems, separated by empty lines; "" if there are none."""
    return "\n".join(problem_text(problem, style) for problem in limit_problems(tuple(problems)))


def problem_text(problem: Problem, style: Style = PLAIN) -> str:
    """Return one problem, ending in a newline."""
    colour = {Severity.ERROR: style.error, Severity.WARNING: style.changed, Severity.NOTE: style.dim}
    lines = [
        f"{colour[problem.severity](problem.severity.value.capitalize() + ':')} {plain(problem.summary)}"
    ]
    if problem.place:
        lines += [f"  {plain(str(problem.place))}", *_excerpt(problem.place, style)]
    for block in (capitalized(problem.detail), capitalized(problem.hint)):
        lines += [f"  {plain(line)}".rstrip() for line in lines_of(block)]
    return "\n".join(lines) + "\n"


def capitalized(text: str) -> str:
    """Return the text with a capital, unless it begins with a command, an address or a label."""
    first, _, _ = text.partition(" ")
    return text[:1].upper() + text[1:] if first.isalpha() and first not in COMMANDS else text


def marked_line(place: Place) -> tuple[str, str]:
    """Return the line of a place, and the line below it that points at the place."""
    at, end = place.column - 1, place.column - 1 + max(1, place.width)
    before, there, after = (
        plain(part.replace("\t", TAB)) for part in (place.text[:at], place.text[at:end], place.text[end:])
    )
    missing = end - max(at, len(place.text)) if end > len(place.text) else 0
    return f"{before}{there}{after}", f"{' ' * cell_width(before)}{'^' * max(1, cell_width(there) + missing)}"


def _excerpt(place: Place, style: Style) -> list[str]:
    if not place.text.strip():
        return []
    number, (line, pointer) = str(place.line), marked_line(place)
    blank = pointer[: pointer.index("^")]
    return [
        style.dim(f"  {number} | ") + line,
        style.dim(f"  {' ' * len(number)} | ") + blank + style.error(pointer.lstrip()),
    ]
