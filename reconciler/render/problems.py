"""Problems for people: what happened, where, the line itself, and the next thing to type."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from reconciler.model.problem import Place, Problem, Severity
from reconciler.render.plain import plain
from reconciler.render.style import PLAIN, Style

COMMANDS: Final = frozenset({"reconciler", "export"})
"""What a command that is to be typed begins with."""


def problems_text(problems: Iterable[Problem], style: Style = PLAIN) -> str:
    """All problems, an empty line between two of them; "" when there are none."""
    return "\n".join(problem_text(problem, style) for problem in problems)


def problem_text(problem: Problem, style: Style = PLAIN) -> str:
    """One problem, ending in a newline."""
    colour = {Severity.ERROR: style.wrong, Severity.WARNING: style.changed, Severity.NOTE: style.faint}
    lines = [
        f"{colour[problem.severity](problem.severity.value.capitalize() + ':')} {plain(problem.summary)}"
    ]
    if problem.place:
        lines += [f"  {problem.place}", *_excerpt(problem.place, style)]
    for block in (sentence(problem.detail), sentence(problem.hint)):
        lines += [f"  {plain(line)}".rstrip() for line in block.splitlines()]
    return "\n".join(lines) + "\n"


def sentence(text: str) -> str:
    """With a capital, unless it begins with a command to type, an address or a label."""
    first, _, _ = text.partition(" ")
    return text[:1].upper() + text[1:] if first.isalpha() and first not in COMMANDS else text


def _excerpt(place: Place, style: Style) -> list[str]:
    if not place.text.strip():
        return []
    number = str(place.line)
    blank = " " * (place.column - 1)
    return [
        style.faint(f"  {number} | ") + place.text,
        style.faint(f"  {' ' * len(number)} | ") + blank + style.wrong("^" * max(1, place.width)),
    ]
