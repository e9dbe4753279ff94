"""The flow of all commands that change the account: plan, ask for approval, apply, report."""

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
    from reconciler.cli.event_stream import EventStream

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Signals of Ctrl-C, of a cancelled CI job, and of a closed terminal."""

CHECKPOINT_TIMEOUT = 1.5
"""Seconds for writing the inventory after a second signal; GitHub's runner kills the job after 2.5 s."""


def run_apply(
    out: Output,
    context: Context,
    *,
    approved: bool = False,
    saved: SavedPlan | None = None,
    goal: Goal = APPLY,
    wait: float | None = None,
) -> int:
    """Plan, ask for approval unless `approved`, apply and report; return the exit code."""
    is_destroy = goal.is_destroy
    command = context.command.removeprefix("reconciler ")
    stop = threading.Event()
    shown: list[PlanResult] = []
    refusals: list[Problem] = []

    def approve(planned: PlanResult) -> bool:
        if out.stream is not None:
            out.stream.write_plan(planned.plan)
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
            out.tell("" if out.is_machine_readable else "\n")
            return True
        if out.as_json:
            out.plan_for_approval(planned.plan)
        return _ask_for_approval(out, refusals.append, _question(goal))

    checkpoints: list[Callable[[], None]] = []
    with _graceful_shutdown(out, stop, checkpoints) as begin, _progress(out) as progress:
        applied = apply(
            context,
            lambda planned: approve(planned) and begin(),
            progress,
            goal=goal,
            stop=stop,
            wait=wait,
            on_locked=checkpoints.append,
        )
    return _report(out, applied, command, shown, refusals, saved, is_destroy=is_destroy)


def _report(
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
        run_report = planned.run_report(
            command, timestamp(), exit_code=code, report=report, refusals=applied.problems
        )
        if out.as_json or (saved is not None and not report.results):
            out.plan(run_report)
            return code
        out.set_report(run_report)
        if report.results:
            out.result("\n" + apply_report_text(report, out.style, is_destroy=is_destroy))
        if applied.problems:
            out.tell("\n")
            out.problems(applied.problems)
        return code
    stale = saved.staleness(planned) if saved is not None and not refusals else None
    problems = [*refusals, *([stale] if stale else [])]
    code = max((problem.exit_code for problem in problems), default=int(planned.blocked or ExitCode.OK))
    run_report = planned.run_report(command, timestamp(), exit_code=code, refusals=problems)
    if out.as_json or planned not in shown:
        out.plan(run_report)
    else:
        out.set_report(run_report)
        out.problems(problems)
    return code


def _save_and_exit(checkpoints: tuple[Callable[[], None], ...]) -> None:
    """Write the inventory, within the time limit, and end the process."""

    def write_inventory() -> None:
        for checkpoint in checkpoints:
            with suppress(InventoryError, OSError):
                checkpoint()

    thread = threading.Thread(target=write_inventory, daemon=True)
    thread.start()
    thread.join(CHECKPOINT_TIMEOUT)
    os._exit(ExitCode.INTERRUPTED)


def _question(goal: Goal) -> str:
    if goal.is_destroy and goal.imperative is not None:
        return f"Do you really want to delete {plain(goal.imperative.name)}?"
    if goal.is_destroy:
        return "Do you really want to destroy all resources?"
    return "Do you want to perform these actions?"


def _ask_for_approval(out: Output, refuse: Callable[[Problem], None], question: str) -> bool:
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


def _progress(out: Output) -> EventStream | BarProgress | LineProgress:
    if out.stream is not None:
        return out.stream
    if out.shows_progress:
        return BarProgress(out.line, lambda total: out.start_bar("", total), out.stop_bar, out.error_style)
    return LineProgress(out.line, out.error_style)


@contextmanager
def _graceful_shutdown(
    out: Output, stop: threading.Event, checkpoints: list[Callable[[], None]]
) -> Iterator[Callable[[], bool]]:
    """Handle stop signals after `begin()`: the first stops further changes, the second ends the process.

    Ending the process loses no confirmed change, because each one is in the journal before the next begins.
    Still, `checkpoints` write the journal into the inventory, because a CI job may keep only the inventory.
    """
    is_exiting = threading.Event()

    def handle(_number: int, _frame: FrameType | None) -> None:
        if is_exiting.is_set():
            os._exit(ExitCode.INTERRUPTED)
        if stop.is_set():
            # in a thread, because the main thread may hold a lock that a checkpoint needs
            is_exiting.set()
            threading.Thread(target=_save_and_exit, args=(tuple(checkpoints),), daemon=True).start()
            return
        stop.set()
        # in a thread, because a handler may run in the middle of a write to the same stream
        message = "\nInterrupted. Waiting for requests in flight; press Ctrl-C again to stop at once."
        threading.Thread(target=out.line, args=(message,)).start()

    previous: dict[signal.Signals, object] = {}

    def begin() -> bool:
        if threading.current_thread() is threading.main_thread():
            for number in STOP_SIGNALS:
                # signals that nohup or a shell ignores stay ignored
                if signal.getsignal(number) is not signal.SIG_IGN:
                    previous.setdefault(number, signal.signal(number, handle))
            if was_interrupted():  # the exception was swallowed
                raise KeyboardInterrupt
        return True

    try:
        yield begin
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # the value is from signal.signal
