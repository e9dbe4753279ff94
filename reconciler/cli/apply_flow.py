"""The flow of all commands that change the account: plan, ask for approval, apply, report."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import field
from types import FrameType
from typing import TYPE_CHECKING

import click

from reconciler.cli.approval import ask_for_word, meaning_of
from reconciler.cli.output import Output, timestamp
from reconciler.cli.signals import was_interrupted
from reconciler.model import durations
from reconciler.model.apply_events import ApplyEvent, ApplyReport
from reconciler.model.command import command_line
from reconciler.model.errors import InventoryError
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import ExitCode, Problem
from reconciler.model.settings import approval_word
from reconciler.reports.run.outputs import outputs_of, outputs_text
from reconciler.reports.terminal.escape import plain
from reconciler.reports.terminal.progress import BarProgress, LineProgress, apply_report_text
from reconciler.workflow.apply import ApplyResult, apply_with_approval
from reconciler.workflow.plan import APPLY, Goal, PlanResult
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.runtime.stop_signals import on_stop_signal
from reconciler.workflow.saved_plan.file import SavedPlan
from reconciler.workflow.verify import Verification

if TYPE_CHECKING:
    from reconciler.cli.event_stream import EventStream
    from reconciler.workflow.images.check import ImageCheck

NOTES_OF_APPLY = frozenset(
    {
        "image-not-checked",
        "images-without-digest",
        "probes-not-sent",
        "rollback-on-failure",
        "tag-moved",
        "unproved",
    }
)
"""Codes of the notes that options of `apply` add, so that nobody has read them with a saved plan."""


def run_apply(
    out: Output,
    context: Context,
    *,
    approved: bool = False,
    saved: SavedPlan | None = None,
    goal: Goal = APPLY,
    wait: float | None = None,
    probe: bool = False,
    rollback: bool = False,
    images: ImageCheck | None = None,
) -> int:
    """Plan, ask for approval unless `approved`, apply and report; return the exit code."""
    stop = threading.Event()
    checkpoints: list[Callable[[], None]] = []
    finish = command_line("reconciler", "apply", "--resume")
    advice = f"Stopped. To make the changes that are left: {finish}\n" if goal.imperative is None else ""
    with graceful_shutdown(out, stop, checkpoints, advice) as begin, _progress(out) as progress:
        front_end = _CommandLine(
            out=out,
            goal=goal,
            command=context.command.removeprefix("reconciler "),
            has_approval=approved,
            on_approved=begin,
            on_event=progress,
            on_locked=checkpoints.append,
        )
        result = apply_with_approval(
            context,
            front_end,
            goal=images.of(goal) if images else goal,
            saved=saved,
            stop=stop,
            add_notes=images.checked if images else None,
            verification=Verification(wait=wait, probe=probe, rollback=rollback),
        )
    front_end.conclude(result, is_saved=saved is not None)
    return result.exit_code


@dataclass(kw_only=True)
class _CommandLine:
    """The front end that shows plans on the terminal and asks a person for approval."""

    out: Output
    goal: Goal
    command: str
    has_approval: bool
    on_approved: Callable[[], None]
    on_event: Callable[[ApplyEvent], None]
    on_locked: Callable[[Callable[[], None]], None]
    shown: list[PlanResult] = field(default_factory=list)

    def on_planned(self, planned: PlanResult, *, is_saved: bool) -> None:
        if self.out.stream is not None:
            self.out.stream.write_plan(planned.plan)
        if is_saved and self._is_approved(planned):
            self.out.problems([one for one in planned.plan.problems if one.code in NOTES_OF_APPLY])
            return
        self.shown.append(planned)
        if len(self.shown) > 1:
            self.out.line("\nThe account or the inventory has changed in the meantime. The new plan:\n")
        if not self.out.as_json:
            self.out.plan(planned.run_report(self.command, timestamp()))

    def _is_approved(self, planned: PlanResult) -> bool:
        """Return whether a saved plan needs no further approval."""
        return self.has_approval or approval_word(planned.environment) == "yes"

    def ask(self, planned: PlanResult) -> Problem | None:
        if self.has_approval:
            self.out.tell("" if self.out.is_machine_readable else "\n")
            return None
        if self.out.as_json:
            self.out.plan_for_approval(planned.plan)
        return _ask_for_approval(self.out, _question(self.goal), approval_word(planned.environment))

    def conclude(self, result: ApplyResult, *, is_saved: bool) -> None:
        """Write the report of the run, or why the plan was not performed."""
        planned, report, out = result.planned, result.report, self.out
        had_nothing_to_do = report is None and result.exit_code == ExitCode.OK
        run_report = planned.run_report(
            self.command,
            timestamp(),
            exit_code=result.exit_code,
            report=ApplyReport() if had_nothing_to_do else report,
            refusals=result.problems,
        )
        has_text = bool(report.results) or not is_saved if report is not None else planned in self.shown
        if out.as_json or not has_text:
            out.plan(run_report)
            return
        out.set_report(run_report)
        if report is not None and report.results:
            out.result("\n" + apply_report_text(report, out.style, is_destroy=self.goal.is_destroy))
            if outputs := outputs_text(outputs_of(run_report), out.style):
                out.result(f"\n{outputs}")
        if report is not None and result.problems:
            out.tell("\n")
        out.problems(result.problems)


def _save_and_exit(checkpoints: tuple[Callable[[], None], ...], advice: str) -> None:
    """Write the inventory, within the time limit, say how to go on, and end the process."""

    def write_inventory() -> None:
        for checkpoint in checkpoints:
            with suppress(InventoryError, OSError):
                checkpoint()

    thread = threading.Thread(target=write_inventory, daemon=True)
    thread.start()
    thread.join(durations.CHECKPOINT_TIMEOUT)
    with suppress(OSError):
        os.write(2, advice.encode())  # another thread may hold the lock of the stream
    os._exit(ExitCode.INTERRUPTED)


def _question(goal: Goal) -> str:
    if goal.is_destroy and goal.imperative is not None:
        return f"Do you really want to delete {plain(goal.imperative.name)}?"
    if goal.is_destroy:
        return "Do you really want to destroy all resources?"
    return "Do you want to perform these actions?"


def _ask_for_approval(out: Output, question: str, word: str) -> Problem | None:
    """Return None if the user approves the plan by typing the word, else an error."""
    takes_plan = any(param.name == "plan_file" for param in click.get_current_context().command.params)
    saved = " or a plan saved with `plan --out`" if takes_plan and word == "yes" else ""
    return ask_for_word(
        out,
        word,
        question=question,
        effect="reconciler will perform the actions described above.",
        meaning=meaning_of(word),
        again=f"to apply without interactive approval, pass --auto-approve{saved}",
    )


def _progress(out: Output) -> EventStream | BarProgress | LineProgress:
    if out.stream is not None:
        return out.stream
    if out.shows_progress:
        return BarProgress(out.line, lambda total: out.start_bar("", total), out.stop_bar, out.error_style)
    return LineProgress(out.line, out.error_style)


@contextmanager
def graceful_shutdown(
    out: Output, stop: threading.Event, checkpoints: list[Callable[[], None]], advice: str
) -> Iterator[Callable[[], None]]:
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
            threading.Thread(target=_save_and_exit, args=(tuple(checkpoints), advice), daemon=True).start()
            return
        stop.set()
        # in a thread, because a handler may run in the middle of a write to the same stream
        message = "\nInterrupted. Waiting for requests in flight; press Ctrl-C again to stop at once."
        threading.Thread(target=out.line, args=(message,)).start()

    with ExitStack() as stack:

        def begin() -> None:
            stack.enter_context(on_stop_signal(handle))
            if threading.current_thread() is threading.main_thread() and was_interrupted():
                raise KeyboardInterrupt  # the first one was swallowed

        yield begin
