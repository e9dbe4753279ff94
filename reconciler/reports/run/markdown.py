"""A run as Markdown, for a comment on a pull request and for the summary of a job.

The report contains counts, problems, a table of changes, and the fields of each change in a collapsed
section. If the report is too long for a comment, these sections are omitted first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

from reconciler.model.apply_events import ChangeResult, Outcome
from reconciler.model.plan import Action, Change, Drift, FieldChange, Plan
from reconciler.model.problem import Problem
from reconciler.model.resource import key_of
from reconciler.model.review.preflight import PreflightCheck
from reconciler.model.run_report import RunReport
from reconciler.model.values import ABSENT
from reconciler.planning.explain import Explanation, explain
from reconciler.planning.review.disruption import effect_of, effects_of
from reconciler.reports.run.before_after import resource_id, shown_fields
from reconciler.reports.run.drift import drift_state_text
from reconciler.reports.run.effects import effect_text, followers_text
from reconciler.reports.run.markdown_escape import code, text
from reconciler.reports.run.outputs import NO_URL, EndpointOutput, outputs_of
from reconciler.reports.run.preflight import HEADING, concerned_text, shown_checks
from reconciler.reports.run.size_limit import Section, fit_to_limit
from reconciler.reports.run.summary import (
    action_counts,
    all_problems,
    causes,
    change_summary,
    drift_state_counts,
    exit_code_text,
    followers_in,
    headline,
    severity_counts,
    shortened,
    shown_changes,
    value_change,
    verification_texts,
)
from reconciler.reports.run.text import DRIFT_HEADING, NO_CALLS, action_symbol, field_remarks, unmanaged_line
from reconciler.reports.terminal.problems import capitalized
from reconciler.reports.terminal.values import before_and_after, field_name, in_reading_order, plain

LIMIT: Final = 65_000
"""Bytes. GitHub rejects a comment of more than 65,536 characters."""

MAX_DETAIL: Final = 2_000
"""Maximum number of characters of a value or a text."""


def markdown_text(run: RunReport, limit: int = LIMIT) -> str:
    """Return the report, in at most `limit` bytes of UTF-8 (at least 4,000)."""
    return fit_to_limit(_head(run), _sections(run), limit)


def _head(run: RunReport) -> str:
    numbers = [f"{code(symbol)} {count:,} {what}".strip() for symbol, count, what in action_counts(run)]
    if run.drift_report is not None:
        numbers = [f"{count:,} {state.value}" for count, state in drift_state_counts(run)]
    lines = [f"## reconciler {run.title}", f"**{headline(run)}**"]
    lines += [" · ".join(numbers)] if numbers else []
    lines.append(f"<sub>{run.timestamp} · {exit_code_text(run)}</sub>")
    return "\n\n".join(lines) + "\n"


def _sections(run: RunReport) -> Iterator[Section]:
    problems = all_problems(run)
    yield Section(
        opening=f"\n### {severity_counts(problems).capitalize()}\n\n",
        rows=[_problem(problem) for problem in problems],
        rank=1,
        share=0.5,
        left_out=_omitted("problems"),
    )
    if run.plan is None:
        return
    explanations = explain(run.plan) if run.explained else {}
    if run.drift_report is not None:
        drifted = [alarm.drift for alarm in run.drift_report.alarms]
        marks = {
            (alarm.drift.key, item.field.path if item.field else ()): drift_state_text(item)
            for alarm in run.drift_report.alarms
            for item in alarm.items
        }
    else:
        shown = shown_changes(run)
        yield _changes(run, run.plan, shown)
        if run.plan.cost is not None:
            from reconciler.reports.run.markdown_cost import cost_section

            yield cost_section(run.plan.cost, _omitted("costs"))
        yield _preflight(run.plan)
        yield _outputs(run)
        yield _all_details(shown, explanations)
        drifted, marks = list(run.plan.drift), {}
    yield Section(
        opening=f"\n### {DRIFT_HEADING.removeprefix('Note: ')}\n\n"
        f"| | Endpoint | Field | Change | Cause{', state' if marks else ''} |\n|-|-|-|-|-|\n",
        rows=[row for drift in drifted for row in _drift(drift, marks)],
        rank=3,
        left_out=_omitted("drifted fields"),
    )
    if run.drift_report is not None and explanations:
        keys = {drift.key for drift in drifted}
        yield _all_details([change for change in run.plan.pending if change.key in keys], explanations)
    yield Section(
        opening=f"\n<details><summary>{unmanaged_line(run.plan.unmanaged)}</summary>\n\n",
        closing="\n</details>\n",
        rows=[f"- {code(key_of(live.name, live.kind))} {code(live.id)}\n" for live in run.plan.unmanaged],
        rank=4,
        left_out=_omitted("unmanaged endpoints"),
    )


def _changes(run: RunReport, plan: Plan, changes: Sequence[Change]) -> Section:
    followers, effects = followers_in(run), effects_of(plan)
    results = {result.change.key: result for result in run.report.results} if run.report else {}
    ended = "Outcome | " if results else ""
    return Section(
        opening=f"\n### Changes\n\n| | Endpoint | Action | What changes | Workers | Cause | {ended}\n"
        f"|-|-|-|-|-|-|{'-|' if ended else ''}\n",
        rows=[
            _row(
                change,
                results.get(change.key),
                followers_text(found, effects) if (found := followers.get(change.address)) else "",
            )
            for change in changes
        ],
        rank=2,
        left_out=_omitted("changes"),
    )


def _preflight(plan: Plan) -> Section:
    return Section(
        opening=f"\n### {HEADING}\n\n| Check | Result | | Concerns |\n|-|-|-|-|\n",
        rows=[_check(check) for check in shown_checks(plan)],
        rank=3,
        left_out=_omitted("checks"),
    )


def _check(check: PreflightCheck) -> str:
    concerned = code(concerned_text(check))
    return f"| {check.name} | {check.result.value} | {text(check.detail)} | {concerned} |\n"


def _outputs(run: RunReport) -> Section:
    return Section(
        opening="\n### Outputs\n\n| Endpoint | URL | ID |\n|-|-|-|\n",
        rows=[_output(output) for output in outputs_of(run)],
        rank=3,
        left_out=_omitted("URLs"),
    )


def _output(output: EndpointOutput) -> str:
    url = code(output.url) if output.url else text(NO_URL)
    ids = " → ".join(code(object_id) for object_id in (output.replaced_id, output.id) if object_id)
    return f"| {code(output.name)} | {url} | {ids} |\n"


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


def _omitted(what: str) -> Callable[[int, int], str]:
    return lambda missing, of: f"\n_{missing:,} of {of:,} {what} are not shown._\n"


def _problem(problem: Problem) -> str:
    where = [code(str(problem.place))] if problem.place else []
    where += [code(problem.address)] if problem.address else []
    lines = [f"**{problem.severity.value.capitalize()}:** {text(shortened(problem.summary, MAX_DETAIL))}"]
    lines += [" · ".join(where)] if where else []
    paragraphs = (capitalized(problem.detail), capitalized(problem.hint))
    lines += [text(shortened(paragraph, MAX_DETAIL)) for paragraph in paragraphs if paragraph]
    return f"- {'<br>'.join(lines)}\n"


def _row(change: Change, result: ChangeResult | None, followers: str) -> str:
    cells = [
        code(action_symbol(change)),
        code(change.key),
        change.action.value,
        text("; ".join(filter(None, [change_summary(change), followers]))),
        effect_text(effect) if (effect := effect_of(change)) else "",
        causes(change),
    ]
    if result is not None:
        is_begun = result.outcome is not Outcome.NOT_ATTEMPTED
        seconds = [f"{result.seconds:.1f} s"] if is_begun else []
        cells.append(", ".join([result.outcome.value, *seconds, *verification_texts(result)]))
    return f"| {' | '.join(cells)} |\n"


def _drift(drift: Drift, marks: Mapping[tuple[str, tuple[str, ...]], str]) -> Iterator[str]:
    if drift.live is None:
        mark = text(marks.get((drift.key, ()), ""))
        yield f"| {code('-')} | {code(drift.key)} | | deleted ({code(drift.id or 'no ID')}) | {mark} |\n"
        return
    for field in in_reading_order(drift.fields):
        mark = text(", ".join([field.cause.value, *filter(None, [marks.get((drift.key, field.path))])]))
        path = code(field_name(field))
        yield f"| {code('~')} | {code(drift.key)} | {path} | {code(value_change(field))} | {mark} |\n"


def _details(change: Change, explanation: Explanation | None) -> str:
    known = f" {code(resource_id(change))}" if resource_id(change) else ""
    summary = f"{code(action_symbol(change))} {code(change.key)} {change.action.value}{known}"
    is_new = change.action is Action.CREATE
    lines = "".join(_field(field, () if is_new else field_remarks(field)) for field in shown_fields(change))
    # each line begins with + or -, so that no value can end the code block
    fields = f"```diff\n{lines}```\n\n" if lines else ""
    return f"<details><summary>{summary}</summary>\n\n{fields}{_explained(explanation)}</details>\n\n"


def _field(field: FieldChange, remarks: Sequence[str]) -> str:
    name = field_name(field)
    before, after = (shortened(value, MAX_DETAIL) for value in before_and_after(field))
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
