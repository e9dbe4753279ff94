"""Problems for people: what happened, where, the line itself, and the next thing to type."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from reconciler.model.problem import Place, Problem, Severity, limit_problems
from reconciler.reports.terminal.escape import lines_of, plain
from reconciler.reports.terminal.style import PLAIN, Style
from reconciler.reports.terminal.table import cells

COMMANDS: Final = frozenset({"reconciler", "export"})
"""What a command that is to be typed begins with."""

TAB: Final = "    "
"""What a tab of a line is shown as."""


def problems_text(problems: Iterable[Problem], style: Style = PLAIN) -> str:
    """The problems that are listed, an empty line between two of them; "" when there are none."""
    return "\n".join(problem_text(problem, style) for problem in limit_problems(tuple(problems)))


def problem_text(problem: Problem, style: Style = PLAIN) -> str:
    """One problem, ending in a newline."""
    colour = {Severity.ERROR: style.error, Severity.WARNING: style.changed, Severity.NOTE: style.dim}
    lines = [
        f"{colour[problem.severity](problem.severity.value.capitalize() + ':')} {plain(problem.summary)}"
    ]
    if problem.place:
        lines += [f"  {plain(str(problem.place))}", *_excerpt(problem.place, style)]
    for block in (sentence(problem.detail), sentence(problem.hint)):
        lines += [f"  {plain(line)}".rstrip() for line in lines_of(block)]
    return "\n".join(lines) + "\n"


def sentence(text: str) -> str:
    """With a capital, unless it begins with a command to type, an address or a label."""
    first, _, _ = text.partition(" ")
    return text[:1].upper() + text[1:] if first.isalpha() and first not in COMMANDS else text


def marked(place: Place) -> tuple[str, str]:
    """The line of a place, and below it what points at the place, both as a terminal shows them."""
    at, end = place.column - 1, place.column - 1 + max(1, place.width)
    before, there, after = (
        plain(part.replace("\t", TAB)) for part in (place.text[:at], place.text[at:end], place.text[end:])
    )
    missing = end - max(at, len(place.text)) if end > len(place.text) else 0
    return f"{before}{there}{after}", f"{' ' * cells(before)}{'^' * max(1, cells(there) + missing)}"


def _excerpt(place: Place, style: Style) -> list[str]:
    if not place.text.strip():
        return []
    number, (line, pointer) = str(place.line), marked(place)
    blank = pointer[: pointer.index("^")]
    return [
        style.dim(f"  {number} | ") + line,
        style.dim(f"  {' ' * len(number)} | ") + blank + style.error(pointer.lstrip()),
    ]
