"""A run as Markdown, for a comment on a pull request and for the summary of a job.

Counts come first, then what is wrong, then a row a change; fields are folded away, and left out first where
all of it would be too much for a comment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

from reconciler.model.apply_events import ChangeResult, Outcome
from reconciler.model.plan import Action, Change, Drift, FieldChange
from reconciler.model.problem import Problem
from reconciler.model.run_report import RunReport
from reconciler.model.values import ABSENT
from reconciler.planning.explain import Explanation, explain
from reconciler.reports.run.drift import drift_state_text
from reconciler.reports.run.markdown_escape import code, text
from reconciler.reports.run.sides import id_of
from reconciler.reports.run.size_limit import Section, fit_to_limit
from reconciler.reports.run.summary import (
    causes,
    change_summary,
    clipped,
    counts,
    ending,
    headline,
    standings,
    step,
    tally,
    told,
)
from reconciler.reports.run.text import DRIFT_HEADING, NO_CALLS, action_symbol, field_remarks
from reconciler.reports.terminal.problems import capitalized
from reconciler.reports.terminal.values import before_and_after, dotted_path, plain

LIMIT: Final = 65_000
"""Bytes. GitHub takes 65,536 characters in a comment and refuses the whole of a longer one."""

SHOWN_DETAIL: Final = 2_000
"""Characters of one value or of one text that are shown at most."""


def markdown_text(found: RunReport, limit: int = LIMIT) -> str:
    """The whole report, never longer than `limit` bytes of UTF-8 (4,000 at least)."""
    return fit_to_limit(_head(found), _sections(found), limit)


def _head(found: RunReport) -> str:
    numbers = [f"{code(symbol)} {count:,} {what}".strip() for symbol, count, what in counts(found)]
    if found.drift_report is not None:
        numbers = [f"{count:,} {standing.value}" for count, standing in standings(found)]
    lines = [f"## reconciler {found.command}", f"**{headline(found)}**"]
    lines += [" · ".join(numbers)] if numbers else []
    lines.append(f"<sub>{found.timestamp} · {ending(found)}</sub>")
    return "\n\n".join(lines) + "\n"


def _sections(found: RunReport) -> Iterator[Section]:
    problems = told(found)
    yield Section(
        opening=f"\n### {tally(problems).capitalize()}\n\n",
        rows=[_problem(problem) for problem in problems],
        rank=1,
        share=0.5,
        left_out=_missing("problems"),
    )
    if found.plan is None:
        return
    explanations = explain(found.plan) if found.explained else {}
    if found.drift_report is not None:
        drifted = [alarm.drift for alarm in found.drift_report.alarms]
        marks = {
            (alarm.drift.name, one.field.path if one.field else ()): drift_state_text(one)
            for alarm in found.drift_report.alarms
            for one in alarm.items
        }
    else:
        yield _changes(found, found.plan.pending)
        yield _all_details(found.plan.pending, explanations)
        drifted, marks = list(found.plan.drift), {}
    yield Section(
        opening=f"\n### {DRIFT_HEADING.removeprefix('Note: ')}\n\n"
        f"| | Endpoint | Field | Change | Cause{', state' if marks else ''} |\n|-|-|-|-|-|\n",
        rows=[row for drift in drifted for row in _drift(drift, marks)],
        rank=3,
        left_out=_missing("drifted fields"),
    )
    if found.drift_report is not None and explanations:
        names = {drift.name for drift in drifted}
        yield _all_details([one for one in found.plan.pending if one.name in names], explanations)
    yield Section(
        opening="\n### Not managed by this configuration\n\n",
        rows=[f"- {code(live.name)} {code(live.id)}\n" for live in found.plan.unmanaged],
        rank=4,
        left_out=_missing("unmanaged endpoints"),
    )


def _changes(found: RunReport, changes: Sequence[Change]) -> Section:
    results = {result.change.name: result for result in found.report.results} if found.report else {}
    ended = "Outcome | " if results else ""
    return Section(
        opening=f"\n### Changes\n\n| | Endpoint | Action | What changes | Cause | {ended}\n"
        f"|-|-|-|-|-|{'-|' if ended else ''}\n",
        rows=[_row(change, results.get(change.name)) for change in changes],
        rank=2,
        left_out=_missing("changes"),
    )


def _all_details(changes: Iterable[Change], explanations: Mapping[str, Explanation]) -> Section:
    return Section(
        opening="\n### Details\n\n",
        rows=[
            _details(change, explanations.get(change.key))
            for change in changes
            if change.fields or explanations
        ],
        rank=5,
        left_out=lambda missing, of: f"\n_The details of {missing:,} of {of:,} changes are not shown._\n",
    )


def _missing(what: str) -> Callable[[int, int], str]:
    return lambda missing, of: f"\n_{missing:,} of {of:,} {what} are not shown._\n"


def _problem(problem: Problem) -> str:
    where = [code(str(problem.place))] if problem.place else []
    where += [code(problem.address)] if problem.address else []
    lines = [f"**{problem.severity.value.capitalize()}:** {text(clipped(problem.summary, SHOWN_DETAIL))}"]
    lines += [" · ".join(where)] if where else []
    said = (capitalized(problem.detail), capitalized(problem.hint))
    lines += [text(clipped(one, SHOWN_DETAIL)) for one in said if one]
    return f"- {'<br>'.join(lines)}\n"


def _row(change: Change, result: ChangeResult | None) -> str:
    cells = [
        code(action_symbol(change)),
        code(change.name),
        change.action.value,
        text(change_summary(change)),
        causes(change),
    ]
    if result is not None:
        is_begun = result.outcome is not Outcome.NOT_ATTEMPTED
        cells.append(result.outcome.value + (f", {result.seconds:.1f} s" if is_begun else ""))
    return f"| {' | '.join(cells)} |\n"


def _drift(drift: Drift, marks: Mapping[tuple[str, tuple[str, ...]], str]) -> Iterator[str]:
    if drift.live is None:
        mark = text(marks.get((drift.name, ()), ""))
        yield f"| {code('-')} | {code(drift.name)} | | deleted ({code(drift.id or 'no ID')}) | {mark} |\n"
        return
    for field in drift.fields:
        mark = text(", ".join([field.cause.value, *filter(None, [marks.get((drift.name, field.path))])]))
        path = code(dotted_path(field.path))
        yield f"| {code('~')} | {code(drift.name)} | {path} | {code(step(field))} | {mark} |\n"


def _details(change: Change, explanation: Explanation | None) -> str:
    known = f" {code(id_of(change))}" if id_of(change) else ""
    summary = f"{code(action_symbol(change))} {code(change.name)} {change.action.value}{known}"
    is_new = change.action is Action.CREATE
    lines = "".join(_field(field, () if is_new else field_remarks(field)) for field in change.fields)
    # each line begins with a mark of ours, so that none can end the fence
    fields = f"```diff\n{lines}```\n\n" if lines else ""
    return f"<details><summary>{summary}</summary>\n\n{fields}{_explained(explanation)}</details>\n\n"


def _field(field: FieldChange, remarks: Sequence[str]) -> str:
    name = dotted_path(field.path)
    before, after = (clipped(value, SHOWN_DETAIL) for value in before_and_after(field))
    lines = [f"- {name} = {before}"] if field.before is not ABSENT else []
    lines += [f"+ {name} = {after}"] if field.after is not ABSENT else []
    lines[-1] += f"  # {', '.join(remarks)}" if remarks else ""
    return "".join(f"{plain(line)}\n" for line in lines)


def _explained(explanation: Explanation | None) -> str:
    if explanation is None:
        return ""
    calls = [f"{code(f'{call.method} {call.path}')} {text(call.purpose)}" for call in explanation.calls]
    lines = [
        *(f"- **Why:** {text(why)}" for why in explanation.why),
        f"- **Rule:** {text(explanation.rule)}",
        *(f"- **Call:** {call}" for call in calls or [NO_CALLS]),
    ]
    return "\n".join(lines) + "\n\n"
