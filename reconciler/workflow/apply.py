"""An approved plan, performed under the lock of its inventory."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from reconciler.apply.clock import Clock, SystemClock
from reconciler.apply.executor import Executor
from reconciler.apply.wait_ready import wait_until_serving
from reconciler.apply.writer import Writer
from reconciler.inventory.session import Session, needs_checkpoint
from reconciler.model.apply_events import ApplyEvent, ApplyReport
from reconciler.model.plan import Create, Delete, NoOp, Replace
from reconciler.model.problem import ExitCode, Problem
from reconciler.workflow.plan import DECLARED, Goal, PlanResult, plan, planned
from reconciler.workflow.rollback import record_versions
from reconciler.workflow.runtime.account import reader, remote
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.runtime.inventory import locked_inventory
from reconciler.workflow.saved_plan.file import is_promised, promise, redeem


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """The plan that was performed and how that ended; `report` is None when nothing was performed."""

    planned: PlanResult
    report: ApplyReport | None
    problems: tuple[Problem, ...] = ()

    @property
    def exit_code(self) -> int:
        """That of the report, else that of what went wrong afterwards; an interrupt comes first."""
        code = int(self.report.exit_code) if self.report else 0
        later = max((p.exit_code for p in self.problems if p.is_error), default=0)
        return later if later == ExitCode.INTERRUPTED else code or later


def apply(
    context: Context,
    approve: Callable[[PlanResult], bool],
    emit: Callable[[ApplyEvent], None],
    *,
    goal: Goal = DECLARED,
    stop: threading.Event | None = None,
    clock: Clock | None = None,
    wait: float | None = None,
    begun: Callable[[Callable[[], None]], None] = lambda _fold: None,
) -> Applied:
    """Plan, ask, and perform what was approved.

    `approve` is shown the plan and is the only way to a write; it is asked again when another run changed the
    inventory while the answer was awaited. `wait` is how long (s) to wait until what was written serves; the
    lock is free by then. `begun` is handed what folds the steps made so far, for whoever must end the process
    at once; that may be called from any thread. Raises ReconcilerError for what stops the whole run.
    """
    stop, clock = stop or threading.Event(), clock or SystemClock()
    first = plan(context, goal)
    if first.blocked or not _has_work(context, first, goal) or not approve(first):
        return Applied(planned=first, report=None)
    with locked_inventory(context, first.base_url) as session:
        begun(session.checkpoint_records)
        current = first
        if session.inventory != first.inventory or session.inventory.intents:
            loaded = goal.load(context)
            current = planned(context, loaded, session.inventory, goal, settle=True)
            if current.blocked or (current.digest != first.digest and not approve(current)):
                return Applied(planned=current, report=None)
        session.set_owner(current.claim.owner)
        _write_outcomes(session, current)
        if goal.hand is None:
            promise(context, current, goal)
        report = perform(context, current, session, emit, stop, clock)
        problems = record_versions(context.state_path, report)
        if goal.hand is None and report.exit_code == ExitCode.OK:
            redeem(context)
    if wait is not None and not stop.is_set():
        with reader(context, current.settings) as account:
            problems += wait_until_serving(
                report.results,
                account,
                clock,
                emit,
                within=wait,
                every=current.settings.poll_interval,
                stop=stop,
            )
    return Applied(planned=current, report=report, problems=problems)


def perform(
    context: Context,
    approved: PlanResult,
    session: Session,
    emit: Callable[[ApplyEvent], None],
    stop: threading.Event,
    clock: Clock,
) -> ApplyReport:
    """Perform an approved plan. The inventory is locked by the session."""
    with remote(context, approved.settings) as account:
        planned_for = (getattr(change, "live", None) for change in approved.plan.changes)
        account.mask_env_values_of((*approved.plan.unmanaged, *filter(None, planned_for)))
        writer = Writer(
            account=account,
            session=session,
            clock=clock,
            keyring=approved.keyring,
            settle_seconds=approved.settings.settle_seconds,
            known_ids=approved.live_ids,
            freed=approved.leaving
            | frozenset(
                str(change.live.fields.get("appName"))
                for change in approved.plan.pending
                if isinstance(change, Delete | Replace)
            ),
        )
        executor = Executor(writer, parallelism=context.parallelism, emit=emit, stop=stop)
        return executor.run(approved.plan)


def _has_work(context: Context, made: PlanResult, goal: Goal) -> bool:
    """Whether there is anything to send, to write down, or to call done."""
    stale = any(isinstance(change, NoOp) and change.is_stale for change in made.plan.changes)
    asked_for_part = context.selection.targets or context.selection.excludes or goal.hand
    return (
        bool(made.plan.pending or made.inventory.intents or stale)
        or needs_checkpoint(context.state_path)
        or (made.claim.has_news and goal.hand is None)
        or bool(is_promised(context) and not asked_for_part)
    )


def _write_outcomes(session: Session, settled: PlanResult) -> None:
    """Write down what became of the creates that earlier runs left open; their settling time is over.

    One that made nothing and is to be made now stays open until its own request closes it.
    """
    for name, tracked in settled.found.made.items():
        session.record(tracked, deposed=settled.found.deposed.get(name))
    creating = {change.name for change in settled.plan.pending if isinstance(change, Create | Replace)}
    for name in settled.found.open:
        if name not in creating:
            session.close_intent(name)
