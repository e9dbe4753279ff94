"""Progress of a running apply: one line per event, and a progress bar on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from reconciler.model.apply_events import (
    ApplyEvent,
    ApplyReport,
    ApplyStarted,
    ChangeEnded,
    ChangeProbed,
    ChangeServing,
    ChangeStarted,
    ChangeWaiting,
    ImageWarming,
    Outcome,
    WaitStarted,
)
from reconciler.model.plan import Action, Change
from reconciler.model.probe import ProbeResult
from reconciler.reports.terminal.escape import lines_of, plain
from reconciler.reports.terminal.problems import capitalized
from reconciler.reports.terminal.progress_bar import ProgressBar
from reconciler.reports.terminal.style import PLAIN, Style

STARTED_TEXT: Final[Mapping[Action, str]] = {
    Action.CREATE: "Creating...",
    Action.UPDATE: "Modifying...",
    Action.SCALE: "Scaling...",
    Action.REPLACE: "Replacing...",
    Action.DELETE: "Destroying...",
    Action.ADOPT: "Importing...",
    Action.FORGET: "Forgetting...",
}

DONE_TEXT: Final[Mapping[Action, str]] = {
    Action.CREATE: "Creation complete",
    Action.UPDATE: "Modifications complete",
    Action.SCALE: "Scaling complete",
    Action.REPLACE: "Replacement complete",
    Action.DELETE: "Destruction complete",
    Action.ADOPT: "Import complete",
    Action.FORGET: "Forgotten",
}


def event_line(event: ApplyEvent, style: Style = PLAIN) -> str | None:
    """Return the line for an event; None for an event that only the progress bar shows."""
    match event:
        case ApplyStarted() | WaitStarted():
            return None
        case ChangeStarted(change=change):
            return f"{plain(change.address)}: {STARTED_TEXT[change.action]}"
        case ChangeWaiting(change=change, why=why):
            return style.dim(plain(f"{change.address}: Waiting: {why}"))
        case ImageWarming(image=image, state=state):
            return style.dim(plain(f"{image}: {state}"))
        case ChangeServing(change=change, idle=idle) if idle:
            return f"{plain(change.address)}: {plain(idle)}"
        case ChangeServing(change=change, seconds=seconds):
            return f"{plain(change.address)}: Serving after {duration_text(seconds)}"
        case ChangeProbed(change=change, probe=probe):
            return _probe_line(change, probe, style)
        case ChangeEnded(result=result):
            where = plain(result.change.address)
            if result.outcome is Outcome.DONE:
                known = f" [id={plain(result.id)}]" if result.id else ""
                return (
                    f"{where}: {DONE_TEXT[result.change.action]} after {duration_text(result.seconds)}{known}"
                )
            if result.outcome is Outcome.NOT_ATTEMPTED:
                return None
            word = "Failed" if result.outcome is Outcome.FAILED else "Unresolved"
            why = f": {plain(result.problem.summary)}" if result.problem else ""
            return style.error(f"{where}: {word} after {duration_text(result.seconds)}") + why


def _probe_line(change: Change, probe: ProbeResult, style: Style) -> str:
    where = plain(change.address)
    if probe.passed:
        words = f"{where}: Probe passed after {duration_text(probe.seconds)}"
        return f"{words}: {plain(probe.request)}: status {probe.status}"
    words = style.error(f"{where}: Probe failed after {duration_text(probe.seconds)}")
    return f"{words}: {plain(probe.request)}: expected {plain(probe.expected)}, got {plain(probe.got)}"


class LineProgress:
    """Writes one line per event, for pipes and CI."""

    def __init__(self, write: Callable[[str], None], style: Style = PLAIN) -> None:
        self._write = write
        self._style = style

    def __enter__(self) -> LineProgress:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __call__(self, event: ApplyEvent) -> None:
        if (line := event_line(event, self._style)) is not None:
            self._write(line)


class BarProgress:
    """Writes one line per event to a terminal, with a progress bar below the lines.

    `begin` creates the bar at the first event, after the plan was shown and approved; `end` removes it. The
    bar counts the changes that have ended and then, with `--wait`, the endpoints that are ready.
    """

    def __init__(
        self,
        write: Callable[[str], None],
        begin: Callable[[int], ProgressBar],
        end: Callable[[], None],
        style: Style = PLAIN,
    ) -> None:
        self._lines = LineProgress(write, style)
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
        if self._progress_bar is None:
            return
        if isinstance(event, WaitStarted):
            self._progress_bar.count("Serving", event.total)
        elif isinstance(event, ChangeEnded | ChangeServing):
            self._progress_bar.done += 1


def apply_report_text(report: ApplyReport, style: Style = PLAIN, *, is_destroy: bool = False) -> str:
    """Return the result of an apply, ending in a newline, with each change that was not completed."""
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
                texts = (problem.summary, capitalized(problem.detail), capitalized(problem.hint))
                lines += [f"    {plain(line)}" for text in texts for line in lines_of(text)]
    return "\n".join(lines) + "\n"


def report_line(report: ApplyReport, *, is_destroy: bool = False) -> str:
    """Return the result of an apply in one line: Terraform's, or counts if it is incomplete."""
    if report.exit_code == 0:
        return _complete_line(report, is_destroy=is_destroy)
    counts = [
        f"{len(results)} {outcome.value}"
        for outcome in (Outcome.FAILED, Outcome.UNRESOLVED, Outcome.NOT_ATTEMPTED)
        if (results := report.with_outcome(outcome))
    ]
    if report.unproven:
        counts.append(f"{len(report.unproven)} not serving")
    done = sum(result.change.action is not Action.NO_OP for result in report.with_outcome(Outcome.DONE))
    what = "Destroy" if is_destroy else "Apply"
    word = "interrupted" if report.interrupted else "incomplete"
    return f"{what} {word}: {', '.join([f'{done} done', *counts])}."


def report_counts(report: ApplyReport) -> tuple[int, int, int, int]:
    """Return how many endpoints were imported, added, changed and destroyed."""
    overwritten = sum(
        bool(result.change.fields)
        for result in report.with_outcome(Outcome.DONE)
        if result.change.action is Action.ADOPT
    )
    return (
        report.count_done(Action.ADOPT),
        report.count_done(Action.CREATE, Action.REPLACE),
        report.count_done(Action.UPDATE, Action.SCALE) + overwritten,
        report.count_done(Action.DELETE, Action.REPLACE),
    )


def _complete_line(report: ApplyReport, *, is_destroy: bool) -> str:
    imported, added, changed, destroyed = report_counts(report)
    if is_destroy:
        return f"Destroy complete! Resources: {destroyed} destroyed."
    start = f"{imported} imported, " if imported else ""
    return f"Apply complete! Resources: {start}{added} added, {changed} changed, {destroyed} destroyed."


def duration_text(seconds: float) -> str:
    """Return a duration as Terraform writes it: `59s`, `2m40s`, `1h0m5s`."""
    minutes, left = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes}m{left}s"
    return f"{minutes}m{left}s" if minutes else f"{left}s"
