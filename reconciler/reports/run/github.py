"""What GitHub Actions shows beside the lines of a file: workflow commands, the most important first.

https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from reconciler.model.problem import Place, Problem, Severity
from reconciler.model.run_report import RunReport
from reconciler.reports.run.summary import step, told
from reconciler.reports.terminal.escape import lines_of, plain
from reconciler.reports.terminal.problems import capitalized
from reconciler.reports.terminal.values import dotted_path

SHOWN: Final = 10
"""Annotations of one level that GitHub shows of a step."""

LEVELS: Final[Mapping[Severity, str]] = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.NOTE: "notice",
}


def annotation_lines(found: RunReport, path_of: Callable[[Place], str]) -> Iterator[str]:
    """A line for each problem and for each endpoint whose drift rings, as many as GitHub shows.

    `path_of` gives the file of a place as the repository knows it.
    """
    problems = (*told(found), *_drift(found))
    for severity, level in LEVELS.items():
        of_level = [problem for problem in problems if problem.severity is severity]
        shown = of_level if len(of_level) <= SHOWN else of_level[: SHOWN - 1]
        for problem in shown:
            yield _command(level, problem, path_of)
        if more := len(of_level) - len(shown):
            yield f"::{level} title=reconciler::and {more} more: the job summary lists all of them"


def _drift(found: RunReport) -> Iterator[Problem]:
    """The endpoints that ring as problems, at the place where they are declared."""
    changes = found.plan.changes if found.plan else ()
    places = {
        change.name: desired.place for change in changes if (desired := getattr(change, "desired", None))
    }
    for alarm in found.drift_report.alarms if found.drift_report else ():
        if alarm.has_new_drift:
            drift = alarm.drift
            moved = [f"{dotted_path(field.path)}: {step(field)}" for field in drift.fields]
            yield Problem(
                code="drift",
                summary=f"{drift.name} "
                + ("was changed outside of reconciler" if drift.live else "was deleted"),
                detail="\n".join(moved),
                place=places.get(drift.name),
            )


def _command(level: str, problem: Problem, path_of: Callable[[Place], str]) -> str:
    place = problem.place
    properties: dict[str, str] = {}
    if place:
        properties = {"file": _path(path_of(place)), "line": str(place.line), "col": str(place.column)}
    properties["title"] = plain(problem.address or f"reconciler: {problem.code}")
    said = (problem.summary, capitalized(problem.detail), capitalized(problem.hint))
    message = "\n".join(plain(line) for block in said for line in lines_of(block))
    given = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{level} {given}::{_data(message)}"


def _path(path: str) -> str:
    """A path that GitHub finds again: what ends a line or a property is encoded later."""
    return re.sub("[^\r\n:]+", lambda part: plain(part[0]), path)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
