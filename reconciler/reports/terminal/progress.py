"""An apply while it runs: a line an event, and on a terminal a bar below them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from reconciler.model.apply_events import (
    ApplyEvent,
    ApplyReport,
    ApplyStarted,
    ChangeEnded,
    ChangeServing,
    ChangeStarted,
    ChangeWaiting,
    Outcome,
)
from reconciler.model.plan import Action
from reconciler.reports.terminal.escape import lines_of, plain
from reconciler.reports.terminal.problems import capitalized
from reconciler.reports.terminal.progress_bar import ProgressBar
from reconciler.reports.terminal.style import PLAIN, Style

BEGINNING: Final[Mapping[Action, str]] = {
    Action.CREATE: "Creating...",
    Action.UPDATE: "Modifying...",
    Action.SCALE: "Scaling...",
    Action.REPLACE: "Replacing...",
    Action.DELETE: "Destroying...",
    Action.ADOPT: "Importing...",
    Action.FORGET: "Forgetting...",
}

ENDING: Final[Mapping[Action, str]] = {
    Action.CREATE: "Creation complete",
    Action.UPDATE: "Modifications complete",
    Action.SCALE: "Scaling complete",
    Action.REPLACE: "Replacement complete",
    Action.DELETE: "Destruction complete",
    Action.ADOPT: "Import complete",
    Action.FORGET: "Forgotten",
}


def event_line(event: ApplyEvent, style: Style = PLAIN) -> str | None:
    """What is said about an event; None for those that only a bar shows."""
    match event:
        case ApplyStarted():
            return None
        case ChangeStarted(change=change):
            return f"{plain(change.address)}: {BEGINNING[change.action]}"
        case ChangeWaiting(change=change, why=why):
            return style.dim(plain(f"{change.address}: Waiting: {why}"))
        case ChangeServing(change=change, seconds=seconds):
            return f"{plain(change.address)}: Serving after {duration_text(seconds)}"
        case ChangeEnded(result=result):
            where = plain(result.change.address)
            if result.outcome is Outcome.DONE:
                known = f" [id={plain(result.id)}]" if result.id else ""
                return f"{where}: {ENDING[result.change.action]} after {duration_text(result.seconds)}{known}"
            if result.outcome is Outcome.NOT_ATTEMPTED:
                return None
            word = "Failed" if result.outcome is Outcome.FAILED else "Unresolved"
            why = f": {plain(result.problem.summary)}" if result.problem else ""
            return style.error(f"{where}: {word} after {duration_text(result.seconds)}") + why


class Lines:
    """Plain lines, for pipes and CI."""

    def __init__(self, write: Callable[[str], None], style: Style = PLAIN) -> None:
        self._write = write
        self._style = style

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __call__(self, event: ApplyEvent) -> None:
        if (line := event_line(event, self._style)) is not None:
            self._write(line)


class BarProgress:
    """The same lines on a terminal, with a bar of what is done below them.

    `begin` makes the bar, with the first event and not before, for until then the terminal belongs to the
    plan and the question; `end` takes it away.
    """

    def __init__(
        self,
        write: Callable[[str], None],
        begin: Callable[[int], ProgressBar],
        end: Callable[[], None],
        style: Style = PLAIN,
    ) -> None:
        self._lines = Lines(write, style)
        self._begin = begin
        self._end = end
        self._progress_bar: ProgressBar | None = None

    def __enter__(self) -> BarProgress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._progress_bar is not None:
            self._end()

    def __call__(self, event: ApplyEvent) -> None:
        if isinstance(event, ApplyStarted) and event.total:
            self._progress_bar = self._begin(event.total)
        self._lines(event)
        if isinstance(event, ChangeEnded) and self._progress_bar is not None:
            self._progress_bar.done += 1


def apply_report_text(report: ApplyReport, style: Style = PLAIN, *, is_destroy: bool = False) -> str:
    """How the apply ended, ending in a newline; where not all was done, with what became of the rest."""
    line = report_line(report, is_destroy=is_destroy)
    if report.exit_code == 0:
        return style.bold(line) + "\n"
    what, _, counts = line.partition(": ")
    lines = [f"{style.error(what + ': ')}{counts}"]
    for result in report.results:
        if result.outcome is not Outcome.DONE:
            lines.append(
                f"  {plain(result.change.address)}: {result.change.action.value} {result.outcome.value}"
            )
            if result.problem and result.outcome is not Outcome.NOT_ATTEMPTED:
                problem = result.problem
                said = (problem.summary, capitalized(problem.detail), capitalized(problem.hint))
                lines += [f"    {plain(line)}" for text in said for line in lines_of(text)]
    return "\n".join(lines) + "\n"


def report_line(report: ApplyReport, *, is_destroy: bool = False) -> str:
    """How the apply ended in one line: Terraform's, or honest counts when not all was done."""
    if report.exit_code == 0:
        return _complete(report, is_destroy=is_destroy)
    counts = [
        f"{len(found)} {outcome.value}"
        for outcome in (Outcome.FAILED, Outcome.UNRESOLVED, Outcome.NOT_ATTEMPTED)
        if (found := report.with_outcome(outcome))
    ]
    what = "Destroy" if is_destroy else "Apply"
    word = "interrupted" if report.interrupted else "incomplete"
    return f"{what} {word}: {', '.join([f'{len(report.with_outcome(Outcome.DONE))} done', *counts])}."


def report_counts(report: ApplyReport) -> tuple[int, int, int, int]:
    """How many were (imported, added, changed, destroyed)."""
    overwritten = sum(
        bool(one.change.fields)
        for one in report.with_outcome(Outcome.DONE)
        if one.change.action is Action.ADOPT
    )
    return (
        report.count_done(Action.ADOPT),
        report.count_done(Action.CREATE, Action.REPLACE),
        report.count_done(Action.UPDATE, Action.SCALE) + overwritten,
        report.count_done(Action.DELETE, Action.REPLACE),
    )


def _complete(report: ApplyReport, *, is_destroy: bool) -> str:
    imported, added, changed, destroyed = report_counts(report)
    if is_destroy:
        return f"Destroy complete! Resources: {destroyed} destroyed."
    start = f"{imported} imported, " if imported else ""
    return f"Apply complete! Resources: {start}{added} added, {changed} changed, {destroyed} destroyed."


def duration_text(seconds: float) -> str:
    """A time that passed, as Terraform writes it."""
    return f"{seconds:.0f}s" if seconds < 120 else f"{seconds / 60:.0f}m{seconds % 60:02.0f}s"
