"""A run as JUnit XML: one test case per endpoint, and one for the run as a whole."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final
from xml.etree import ElementTree as ET

from reconciler.model.apply_events import ChangeResult, Outcome
from reconciler.model.drift import Alarm, DriftState
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.plan import Change, Plan
from reconciler.model.problem import Problem
from reconciler.model.resource import address
from reconciler.model.review.preflight import Result
from reconciler.model.run_report import RunReport
from reconciler.reports.run.drift import drift_state_text
from reconciler.reports.run.preflight import concerned_text, shown_checks
from reconciler.reports.run.summary import change_summary, headline, value_change
from reconciler.reports.run.text import action_phrase
from reconciler.reports.terminal.escape import plain_lines
from reconciler.reports.terminal.problems import problems_text
from reconciler.reports.terminal.values import field_name

_NOT_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 does not allow, not even escaped (section 2.2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """One test case, with its output, the problems that made it fail, and the reason if it was skipped.

    `is_run` marks the case of the run as a whole, whose failures are errors in JUnit.
    """

    name: str
    is_run: bool = False
    output: str = ""
    problems: Sequence[Problem] = ()
    skipped: str | None = None
    seconds: float = 0.0


def junit_text(run: RunReport) -> str:
    """Return the report in the format that Jenkins and GitLab read."""
    cases = tuple(_cases(run))
    suites = ET.Element("testsuites", _counts("reconciler", cases))
    suite = ET.SubElement(suites, "testsuite", _counts(f"reconciler {run.title}", cases))
    suite.set("timestamp", run.timestamp.removesuffix("Z"))
    for case in cases:
        _write(suite, case, f"reconciler.{run.command.replace(' ', '.')}")
    ET.indent(suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(suites, encoding="unicode")}\n'


def _cases(run: RunReport) -> Iterator[_Case]:
    changes = {change.address: change for change in run.plan.changes} if run.plan else {}
    alarms = {alarm.drift.address: alarm for alarm in run.drift_report.alarms} if run.drift_report else {}
    results = {result.change.address: result for result in run.report.results} if run.report else {}
    errors: dict[str | None, list[Problem]] = {}
    for problem in run.problems:
        if problem.is_error:
            errors.setdefault(problem.address, []).append(problem)
    yield _Case(name="the run", is_run=True, output=headline(run), problems=errors.pop(None, []))
    if run.plan and not run.drift_report:
        yield from _preflight(run.plan)
    for at in dict.fromkeys((*changes, *alarms, *filter(None, errors))):
        problems = errors.get(at, [])
        if at in alarms:
            yield _of_alarm(alarms[at], problems)
        elif at in results:
            yield _of_result(results[at], problems)
        else:
            change = None if run.drift_report else changes.get(at)
            yield _Case(name=_name(at), output=_planned(change) if change else "", problems=problems)


def _preflight(plan: Plan) -> Iterator[_Case]:
    """Yield the case of each check of a preflight that the user asked for; a warning passes."""
    for check in shown_checks(plan):
        failure = Problem(code=f"preflight-{check.name}", summary=check.detail, hint=check.hint)
        yield _Case(
            name=f"preflight {check.name}: {concerned_text(check)}",
            output=f"{check.result.value}: {check.detail}",
            problems=(failure,) if check.result is Result.FAIL else (),
            skipped=check.detail if check.result is Result.NOT_CHECKED else None,
        )


def _planned(change: Change) -> str:
    return (
        f"{action_phrase(change)}: {change_summary(change)}"
        if change.fields
        else f"{change.action.value}: {change.reason}"
    )


def _of_result(result: ChangeResult, problems: Iterable[Problem]) -> _Case:
    own = (result.problem,) if result.problem else ()
    if result.outcome is Outcome.NOT_ATTEMPTED:
        return _Case(name=result.change.key, skipped=own[0].summary if own else "not attempted")
    return _Case(
        name=result.change.key,
        output=f"{result.change.action.value}: {change_summary(result.change)}",
        problems=(*own, *problems),
        seconds=result.seconds,
    )


def _of_alarm(alarm: Alarm, problems: Sequence[Problem]) -> _Case:
    """Return the case of an endpoint with drift: new drift fails, known passes, ignored is skipped."""
    lines = []
    for item in alarm.items:
        what = f"{field_name(item.field)}: {value_change(item.field)}" if item.field else "deleted"
        lines.append(f"{what} ({drift_state_text(item)})")
    output = "\n".join(lines)
    if alarm.has_new_drift:
        what = "was changed outside of reconciler" if alarm.drift.live else "was deleted"
        drift_problem = Problem(code="drift", summary=f"`{alarm.drift.key}` {what}", detail=output)
        problems = (drift_problem, *problems)
    is_ignored = all(item.state is DriftState.IGNORED for item in alarm.items)
    return _Case(
        name=alarm.drift.key,
        output=output,
        problems=problems,
        skipped=lines[0] if is_ignored and not problems else None,
    )


def _counts(name: str, cases: Sequence[_Case]) -> dict[str, str]:
    return {
        "name": name,
        "tests": str(len(cases)),
        "failures": str(sum(bool(case.problems) for case in cases if not case.is_run)),
        "errors": str(sum(bool(case.problems) for case in cases if case.is_run)),
        "skipped": str(sum(case.skipped is not None for case in cases)),
        "time": f"{sum(case.seconds for case in cases):.3f}",
    }


def _write(suite: ET.Element, case: _Case, family: str) -> None:
    names = {"name": _clean(case.name), "classname": family, "time": f"{case.seconds:.3f}"}
    element = ET.SubElement(suite, "testcase", names)
    if case.skipped is not None:
        ET.SubElement(element, "skipped", {"message": _clean(case.skipped)})
    elif case.problems:
        # JUnit allows one failure per case, so its text contains all problems
        first = case.problems[0]
        failure = ET.SubElement(
            element,
            "error" if case.is_run else "failure",
            {"type": first.code, "message": _clean(first.summary)},
        )
        failure.text = _clean(problems_text(case.problems))
    if case.output:
        ET.SubElement(element, "system-out").text = _clean(case.output)


def _name(at: str) -> str:
    return at.removeprefix(address(""))


def _clean(text: str) -> str:
    return plain_lines(_NOT_XML.sub("\ufffd", text))
