"""A run in a few words, the same in every report: how it ended, what is to be said, what changes in short."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Final

from reconciler.model.apply_events import ChangeResult, Outcome
from reconciler.model.drift import DriftState
from reconciler.model.plan import Action, Change, FieldChange
from reconciler.model.problem import ExitCode, Place, Problem, Severity
from reconciler.model.run_report import RunReport
from reconciler.model.values import ABSENT
from reconciler.reports.run.drift import drift_line
from reconciler.reports.run.text import NO_CHANGES, SYMBOLS, plan_line
from reconciler.reports.terminal.progress import report_line
from reconciler.reports.terminal.values import before_and_after, dotted_path, plain

ENDINGS: Final[Mapping[int, str]] = {
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
    """How a run is to be looked at."""

    GOOD = "good"
    NEWS = "news"
    BAD = "bad"


def headline(found: RunReport) -> str:
    """The one line that says how the run ended; where tools know one of Terraform's, that."""
    if found.drift_report is not None:
        return drift_line(found.drift_report)
    if found.report is not None and (found.report.results or found.report.exit_code != ExitCode.OK):
        return report_line(found.report, is_destroy=found.is_destroy)
    if found.plan is None:
        errors = sum(problem.is_error for problem in found.problems)
        return (
            "Interrupted."
            if found.exit_code == ExitCode.INTERRUPTED
            else f"Failed: {_many(errors, 'error')}."
        )
    if found.plan.pending:
        return plan_line(found.plan)
    failures = sum(problem.exit_code == 1 for problem in found.plan.errors)
    return f"Planning failed: {_many(failures, 'error')}." if failures else NO_CHANGES


def ending(found: RunReport) -> str:
    """The exit code with its meaning."""
    if found.drift_report is not None and found.exit_code == ExitCode.CHANGES:
        return f"exit code {found.exit_code}: drift was found"
    words = ENDINGS.get(found.exit_code)
    return f"exit code {found.exit_code}" + (f": {words}" if words else "")


def tone(found: RunReport) -> Tone:
    if found.exit_code not in (ExitCode.OK, ExitCode.CHANGES) or (
        found.drift_report and found.drift_report.has_new_drift
    ):
        return Tone.BAD
    is_ahead = (
        found.plan is not None and bool(found.plan.pending) and not (found.report or found.drift_report)
    )
    return Tone.NEWS if is_ahead else Tone.GOOD


def counts(found: RunReport) -> tuple[tuple[str, int, str], ...]:
    """(symbol, how many, what) of each action that occurs, no-ops last."""
    if found.plan is None:
        return ()
    return tuple(
        (SYMBOLS.get(action, ""), count, "unchanged" if action is Action.NO_OP else action.value)
        for action, count in found.plan.counts().items()
        if count
    )


def standings(found: RunReport) -> tuple[tuple[int, DriftState], ...]:
    """(how many, standing) of the things that moved."""
    if found.drift_report is None:
        return ()
    return tuple((count, one) for one in DriftState if (count := found.drift_report.count(one)))


def told(found: RunReport) -> tuple[Problem, ...]:
    """All that is to be said: errors, then warnings, then notes.

    What a change ran into is among it, at the place where the endpoint is declared.
    """
    met = [
        replace(result.problem, address=result.change.address, place=_place(result))
        for result in (found.report.results if found.report else ())
        if result.problem and result.outcome is not Outcome.NOT_ATTEMPTED
    ]
    weights = list(Severity)
    return tuple(sorted((*met, *found.problems), key=lambda problem: weights.index(problem.severity)))


def _place(result: ChangeResult) -> Place | None:
    desired = getattr(result.change, "desired", None)
    return result.problem.place if result.problem and result.problem.place else desired and desired.place


def tally(problems: tuple[Problem, ...]) -> str:
    """How many there are of each severity, such as `2 errors, 1 note`."""
    found = [(sum(p.severity is severity for p in problems), severity.value) for severity in Severity]
    return ", ".join(_many(count, word) for count, word in found if count)


def change_summary(change: Change) -> str:
    """What changes about an endpoint, for one cell of a table."""
    if change.action is Action.CREATE or not change.fields:
        return change.reason
    if len(change.fields) <= SHOWN_FIELDS - 1:
        return "; ".join(f"{plain(dotted_path(field.path))}: {step(field)}" for field in change.fields)
    names = [plain(dotted_path(field.path)) for field in change.fields[:SHOWN_FIELDS]]
    more = len(change.fields) - SHOWN_FIELDS
    return ", ".join(names) + (f" and {more} more" if more > 0 else "")


def step(field: FieldChange) -> str:
    """A field before and after, in few characters."""
    before, after = (clipped(plain(value), SHOWN_VALUE) for value in before_and_after(field))
    if field.before is ABSENT:
        return f"+ {after}"
    return f"- {before}" if field.after is ABSENT else f"{before} → {after}"


def causes(change: Change) -> str:
    """Who moved it, each once."""
    return ", ".join(dict.fromkeys(field.cause.value for field in change.fields)) or "—"


def clipped(text: str, length: int) -> str:
    """The text, or its start and its end: an image's tag, which tells two apart, stands at the end."""
    head = length // 3
    return text if len(text) <= length else f"{text[:head]}…{text[head + 1 - length :]}"


def _many(count: int, word: str) -> str:
    return f"{count:,} {word}" + ("" if count == 1 else "s")
