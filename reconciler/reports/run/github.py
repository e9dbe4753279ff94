"""Annotations of GitHub Actions: workflow commands, ordered by severity.

https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from reconciler.model.problem import Place, Problem, Severity
from reconciler.model.run_report import RunReport
from reconciler.reports.run.summary import all_problems, value_change
from reconciler.reports.terminal.escape import lines_of, plain
from reconciler.reports.terminal.problems import capitalized
from reconciler.reports.terminal.values import field_name

SHOWN: Final = 10
"""Maximum number of annotations of one level that GitHub shows per step."""

LEVELS: Final[Mapping[Severity, str]] = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.NOTE: "notice",
}


def annotation_lines(run: RunReport, path_of: Callable[[Place], str]) -> Iterator[str]:
    """Yield a command for each problem and for each endpoint with new drift, up to GitHub's limit.

    `path_of` returns the path of a place in the repository.
    """
    problems = (*all_problems(run), *_drift(run))
    for severity, level in LEVELS.items():
        of_level = [problem for problem in problems if problem.severity is severity]
        shown = of_level if len(of_level) <= SHOWN else of_level[: SHOWN - 1]
        for problem in shown:
            yield _command(level, problem, path_of)
        if more := len(of_level) - len(shown):
            yield f"::{level} title=reconciler::and {more} more: the job summary lists all of them"


def _drift(run: RunReport) -> Iterator[Problem]:
    """Yield a problem for each endpoint with new drift, at the place of its declaration."""
    changes = run.plan.changes if run.plan else ()
    places = {
        change.key: desired.place for change in changes if (desired := getattr(change, "desired", None))
    }
    for alarm in run.drift_report.alarms if run.drift_report else ():
        if alarm.has_new_drift:
            drift = alarm.drift
            moved = [f"{field_name(field)}: {value_change(field)}" for field in drift.fields]
            yield Problem(
                code="drift",
                summary=f"{drift.key} "
                + ("was changed outside of reconciler" if drift.live else "was deleted"),
                detail="\n".join(moved),
                place=places.get(drift.key),
            )


def _command(level: str, problem: Problem, path_of: Callable[[Place], str]) -> str:
    place = problem.place
    properties: dict[str, str] = {}
    if place:
        properties = {"file": _path(path_of(place)), "line": str(place.line), "col": str(place.column)}
    properties["title"] = plain(problem.address or f"reconciler: {problem.code}")
    blocks = (problem.summary, capitalized(problem.detail), capitalized(problem.hint))
    message = "\n".join(plain(line) for block in blocks for line in lines_of(block))
    encoded = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{level} {encoded}::{_data(message)}"


def _path(path: str) -> str:
    """Return an escaped path; characters that end a line or a property are encoded later."""
    return re.sub("[^\r\n:]+", lambda part: plain(part[0]), path)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
