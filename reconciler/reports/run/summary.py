"""The summary of a run that all reports share: its result, its problems, and its changes in short."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Final

from reconciler.model.apply_events import ChangeResult, Outcome
from reconciler.model.drift import DriftState
from reconciler.model.plan import Action, Change, FieldChange
from reconciler.model.problem import ExitCode, Place, Problem, Severity
from reconciler.model.run_report import RunReport
from reconciler.model.text import quantity
from reconciler.model.values import ABSENT
from reconciler.planning.dependencies.order import followers_of
from reconciler.reports.run.drift import drift_line
from reconciler.reports.run.text import SYMBOLS, plan_line, unchanged_line
from reconciler.reports.terminal.progress import report_line
from reconciler.reports.terminal.values import before_and_after, field_name, in_reading_order, plain

EXIT_CODE_TEXTS: Final[Mapping[int, str]] = {
    ExitCode.ERROR: "error",
    ExitCode.CHANGES: "changes are pending",
    ExitCode.GUARD: "refused by a guard",
    ExitCode.INCOMPLETE: "some changes failed",
    ExitCode.UNRESOLVED: "the result of a create is unknown",
    ExitCode.STALE: "the saved plan is out of date",
    ExitCode.LOCKED: "another run holds the lock",
    ExitCode.REFUSED: "the API key was rejected, or the account is blocked",
    ExitCode.USAGE: "invalid command line",
    ExitCode.INTERRUPTED: "interrupted",
}

SHOWN_FIELDS: Final = 3
SHOWN_VALUE: Final = 40


class Tone(StrEnum):
    """The overall result of a run: successful, with pending changes, or failed."""

    GOOD = "good"
    NEWS = "news"
    BAD = "bad"


def headline(run: RunReport) -> str:
    """Return the result of a run in one line, as Terraform writes it where it has such a line."""
    if run.drift_report is not None:
        return drift_line(run.drift_report)
    if run.report is not None and (run.report.results or run.report.exit_code != ExitCode.OK):
        return report_line(run.report, is_destroy=run.is_destroy)
    if run.plan is None:
        errors = sum(problem.is_error for problem in run.problems)
        return (
            "Interrupted."
            if run.exit_code == ExitCode.INTERRUPTED
            else f"Failed: {quantity(errors, 'error')}."
        )
    if run.plan.pending:
        return plan_line(run.plan)
    failures = sum(problem.exit_code == 1 for problem in run.plan.errors)
    return f"Planning failed: {quantity(failures, 'error')}." if failures else unchanged_line(run.plan)


def exit_code_text(run: RunReport) -> str:
    """Return the exit code with its meaning."""
    if run.drift_report is not None and run.exit_code == ExitCode.CHANGES:
        return f"exit code {run.exit_code}: drift was found"
    words = EXIT_CODE_TEXTS.get(run.exit_code)
    return f"exit code {run.exit_code}" + (f": {words}" if words else "")


def tone(run: RunReport) -> Tone:
    if run.exit_code not in (ExitCode.OK, ExitCode.CHANGES) or (
        run.drift_report and run.drift_report.has_new_drift
    ):
        return Tone.BAD
    is_ahead = run.plan is not None and bool(run.plan.pending) and not (run.report or run.drift_report)
    return Tone.NEWS if is_ahead else Tone.GOOD


def action_counts(run: RunReport) -> tuple[tuple[str, int, str], ...]:
    """Return (symbol, count, name) of each planned action, no-ops last."""
    if run.plan is None:
        return ()
    return tuple(
        (SYMBOLS.get(action, ""), count, "unchanged" if action is Action.NO_OP else action.value)
        for action, count in run.plan.counts().items()
        if count
    )


def drift_state_counts(run: RunReport) -> tuple[tuple[int, DriftState], ...]:
    """Return (count, state) of the drift items."""
    if run.drift_report is None:
        return ()
    return tuple((count, state) for state in DriftState if (count := run.drift_report.count(state)))


def all_problems(run: RunReport) -> tuple[Problem, ...]:
    """Return all problems of a run: errors, then warnings, then notes.

    A problem of a change has the place of the endpoint's declaration.
    """
    met = [
        replace(result.problem, address=result.change.address, place=_place(result))
        for result in (run.report.results if run.report else ())
        if result.problem and result.outcome is not Outcome.NOT_ATTEMPTED
    ]
    weights = list(Severity)
    return tuple(sorted((*met, *run.problems), key=lambda problem: weights.index(problem.severity)))


def _place(result: ChangeResult) -> Place | None:
    desired = getattr(result.change, "desired", None)
    return result.problem.place if result.problem and result.problem.place else desired and desired.place


def severity_counts(problems: tuple[Problem, ...]) -> str:
    """Return the number of problems by severity, such as `2 errors, 1 note`."""
    counts_by_severity = [
        (sum(p.severity is severity for p in problems), severity.value) for severity in Severity
    ]
    return ", ".join(quantity(count, word) for count, word in counts_by_severity if count)


def followers_in(run: RunReport) -> Mapping[str, Sequence[Change]]:
    """Return the changes that only follow a rotation, by the address of what is rotated.

    A report shows them with the rotation. One that failed or was not attempted, or that is to be explained,
    is shown by itself.
    """
    if run.plan is None or run.explained:
        return {}
    results = run.report.results if run.report else ()
    failed = {result.change.key for result in results if result.outcome is not Outcome.DONE}
    followers = {
        address: [change for change in found if change.key not in failed]
        for address, found in followers_of(run.plan).items()
    }
    return {address: found for address, found in followers.items() if found}


def shown_changes(run: RunReport) -> Sequence[Change]:
    """Return the pending changes that a report shows by themselves."""
    if run.plan is None:
        return ()
    hidden = {change.key for found in followers_in(run).values() for change in found}
    return [change for change in run.plan.pending if change.key not in hidden]


def change_summary(change: Change) -> str:
    """Return the changed fields of an endpoint, for one cell of a table."""
    if change.action is Action.CREATE or not change.fields:
        return change.reason
    fields = in_reading_order(change.fields)
    if len(fields) <= SHOWN_FIELDS - 1:
        return "; ".join(f"{field_name(field)}: {value_change(field)}" for field in fields)
    names = [field_name(field) for field in fields[:SHOWN_FIELDS]]
    more = len(fields) - SHOWN_FIELDS
    return ", ".join(names) + (f" and {more} more" if more > 0 else "")


def value_change(field: FieldChange) -> str:
    """Return the values of a field before and after a change, shortened."""
    before, after = (shortened(plain(value), SHOWN_VALUE) for value in before_and_after(field))
    if field.before is ABSENT:
        return f"+ {after}"
    return f"- {before}" if field.after is ABSENT else f"{before} → {after}"


def causes(change: Change) -> str:
    """Return the causes of a change, each once."""
    return ", ".join(dict.fromkeys(field.cause.value for field in change.fields)) or "—"


def shortened(text: str, length: int) -> str:
    """Return the text, or its start and its end: the end of an image contains its tag."""
    head = length // 3
    return text if len(text) <= length else f"{text[:head]}…{text[head + 1 - length :]}"


def verification_texts(result: ChangeResult) -> list[str]:
    """Return the result of the probe of a change, and the version that it was rolled back to."""
    texts = []
    if result.probe is not None:
        texts.append("probe passed" if result.probe.passed else "probe failed")
    if result.rolled_back_to is not None:
        texts.append(f"rolled back to version {result.rolled_back_to}")
    return texts
