"""Show, ask, perform, report: the course that apply and destroy share."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TYPE_CHECKING

from reconciler.cli.output import Output, timestamp
from reconciler.cli.signals import was_interrupted
from reconciler.model.errors import InventoryError
from reconciler.model.problem import ExitCode, Problem
from reconciler.reports.terminal.escape import plain
from reconciler.reports.terminal.progress import BarProgress, LineProgress, apply_report_text
from reconciler.workflow.apply import ApplyResult, apply
from reconciler.workflow.plan import APPLY, Goal, PlanResult
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.saved_plan.file import SavedPlan, approve_if_unchanged

if TYPE_CHECKING:
    from reconciler.cli.event_stream import Stream

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C, the end of a CI job, and a terminal that is closed."""

CHECKPOINT_TIMEOUT = 1.5
"""Seconds that a second signal leaves for the fold; GitHub's runner kills 2.5 s after it."""


def run_apply(
    out: Output,
    context: Context,
    *,
    approved: bool = False,
    saved: SavedPlan | None = None,
    goal: Goal = APPLY,
    wait: float | None = None,
) -> int:
    """Plan, ask unless approval was given, perform, report; returns the exit code."""
    is_destroy = goal.is_destroy
    command = context.command.removeprefix("reconciler ")
    stop = threading.Event()
    shown: list[PlanResult] = []
    refusals: list[Problem] = []

    def approve(planned: PlanResult) -> bool:
        if out.stream is not None:
            out.stream.planned(planned.plan)
        if saved is not None:
            return approve_if_unchanged(saved, refusals.append)(planned)
        shown.append(planned)
        if len(shown) > 1:
            out.line("\nThe account or the inventory has changed in the meantime. The new plan:\n")
        if not out.as_json:
            out.plan(planned.run_report(command, timestamp()))
        if not planned.plan.pending:
            return True
        if approved:
            out.tell("" if out.is_for_programs else "\n")
            return True
        if out.as_json:
            out.plan_for_approval(planned.plan)
        return _ask(out, refusals.append, _question(goal))

    folds: list[Callable[[], None]] = []
    with _graceful(out, stop, folds) as begin, _progress(out) as progress:
        applied = apply(
            context,
            lambda planned: approve(planned) and begin(),
            progress,
            goal=goal,
            stop=stop,
            wait=wait,
            on_locked=folds.append,
        )
    return _conclude(out, applied, command, shown, refusals, saved, is_destroy=is_destroy)


def _conclude(
    out: Output,
    applied: ApplyResult,
    command: str,
    shown: list[PlanResult],
    refusals: list[Problem],
    saved: SavedPlan | None,
    *,
    is_destroy: bool,
) -> int:
    planned, report = applied.planned, applied.report
    if report is not None:
        code = applied.exit_code
        found = planned.run_report(
            command, timestamp(), exit_code=code, report=report, refusals=applied.problems
        )
        if out.as_json or (saved is not None and not report.results):
            out.plan(found)
            return code
        out.keep(found)
        if report.results:
            out.result("\n" + apply_report_text(report, out.style, is_destroy=is_destroy))
        if applied.problems:
            out.tell("\n")
            out.problems(applied.problems)
        return code
    moved = saved.staleness(planned) if saved is not None and not refusals else None
    told = [*refusals, *([moved] if moved else [])]
    code = max((problem.exit_code for problem in told), default=int(planned.blocked or ExitCode.OK))
    found = planned.run_report(command, timestamp(), exit_code=code, refusals=told)
    if out.as_json or planned not in shown:
        out.plan(found)
    else:
        out.keep(found)
        out.problems(told)
    return code


def _end(folds: tuple[Callable[[], None], ...]) -> None:
    """Fold, if that can be done at once, and end the process."""

    def fold() -> None:
        for one in folds:
            with suppress(InventoryError, OSError):
                one()

    folding = threading.Thread(target=fold, daemon=True)
    folding.start()
    folding.join(CHECKPOINT_TIMEOUT)
    os._exit(ExitCode.INTERRUPTED)


def _question(goal: Goal) -> str:
    if goal.is_destroy and goal.imperative is not None:
        return f"Do you really want to delete {plain(goal.imperative.name)}?"
    if goal.is_destroy:
        return "Do you really want to destroy all resources?"
    return "Do you want to perform these actions?"


def _ask(out: Output, refuse: Callable[[Problem], None], question: str) -> bool:
    if not sys.stdin.isatty() and os.environ.get("CI"):
        refuse(_unapproved("there is no interactive input to approve the plan"))
        return False
    out.tell(
        f"\n{out.error_style.bold(question)}\n"
        "  reconciler will perform the actions described above.\n"
        "  Only 'yes' will be accepted to approve.\n\n"
        f"  {out.error_style.bold('Enter a value:')} "
    )
    answer = sys.stdin.readline()
    out.tell("\n")
    if answer.strip() == "yes":
        return True
    refuse(
        _unapproved(
            "approval was declined" if answer else "there is no interactive input to approve the plan"
        )
    )
    return False


def _unapproved(summary: str) -> Problem:
    return Problem(
        code="not-approved",
        summary=f"nothing was changed: {summary}",
        hint="to apply without interactive approval, pass --auto-approve or a plan saved with `plan --out`",
        exit_code=ExitCode.ERROR,
    )


def _progress(out: Output) -> Stream | BarProgress | LineProgress:
    if out.stream is not None:
        return out.stream
    if out.is_watched:
        return BarProgress(out.line, lambda total: out.begin("", total), out.end, out.error_style)
    return LineProgress(out.line, out.error_style)


@contextmanager
def _graceful(
    out: Output, stop: threading.Event, folds: list[Callable[[], None]]
) -> Iterator[Callable[[], bool]]:
    """From `begin()` on, the first of these signals stops what has not begun, and the second stops all.

    Stopping at once loses nothing that Novita has confirmed: each step is on disk before the next. What was
    done is folded all the same, by `folds`, for a CI job may keep the inventory alone.
    """
    ending = threading.Event()

    def handle(_number: int, _frame: FrameType | None) -> None:
        if ending.is_set():
            os._exit(ExitCode.INTERRUPTED)
        if stop.is_set():
            # beside the main thread, which may hold what a fold needs
            ending.set()
            threading.Thread(target=_end, args=(tuple(folds),), daemon=True).start()
            return
        stop.set()
        # in a thread, because a handler may run in the middle of a write to the same stream
        words = "\nInterrupted. Waiting for requests in flight; press Ctrl-C again to stop at once."
        threading.Thread(target=out.line, args=(words,)).start()

    previous: dict[signal.Signals, object] = {}

    def begin() -> bool:
        if threading.current_thread() is threading.main_thread():
            for number in STOP_SIGNALS:
                # what nohup or a shell made us deaf to stays unheard
                if signal.getsignal(number) is not signal.SIG_IGN:
                    previous.setdefault(number, signal.signal(number, handle))
            if was_interrupted():  # and whatever it hit has swallowed that
                raise KeyboardInterrupt
        return True

    try:
        yield begin
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # what signal.signal itself returned
