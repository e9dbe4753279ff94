"""An approved plan, performed under the lock of its inventory."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from reconciler.applying.clock import Clock, RealClock
from reconciler.applying.executor import Executor
from reconciler.applying.writes import Writer
from reconciler.inventory.session import Session, is_unfolded, open_session
from reconciler.model.events import Event, Report
from reconciler.model.plan import Create, NoOp, Replace
from reconciler.workflow.account import remote
from reconciler.workflow.context import Context
from reconciler.workflow.planning import Planned, load_config, plan, plan_destroy, planned


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """The plan that was performed and how that ended; `report` is None when nothing was performed."""

    planned: Planned
    report: Report | None


def apply(
    context: Context,
    approve: Callable[[Planned], bool],
    emit: Callable[[Event], None],
    *,
    destroying: bool = False,
    stop: threading.Event | None = None,
    clock: Clock | None = None,
) -> Applied:
    """Plan, ask, and perform what was approved.

    `approve` is shown the plan and is the only way to a write; it is asked again when another run changed the
    inventory while the answer was awaited. Raises ReconcilerError for what stops the whole run.
    """
    first = plan_destroy(context) if destroying else plan(context)
    if first.blocked or not _has_work(context, first) or not approve(first):
        return Applied(planned=first, report=None)
    with open_session(
        context.state_path,
        base_url=first.base_url,
        command=context.command,
        environ=context.environ,
        clock=time.time,
        lock_timeout=context.lock_timeout,
    ) as session:
        current = first
        if session.inventory != first.inventory or session.inventory.intents:
            loaded = load_config(context, may_lack_endpoints=destroying)
            current = planned(context, loaded, session.inventory, destroying=destroying, settle=True)
            if current.blocked or (current.digest != first.digest and not approve(current)):
                return Applied(planned=current, report=None)
        _write_outcomes(session, current)
        report = perform(context, current, session, emit, stop or threading.Event(), clock or RealClock())
        return Applied(planned=current, report=report)


def perform(
    context: Context,
    approved: Planned,
    session: Session,
    emit: Callable[[Event], None],
    stop: threading.Event,
    clock: Clock,
) -> Report:
    """Perform an approved plan. The inventory is locked by the session."""
    with remote(context, approved.settings) as account:
        writer = Writer(
            remote=account,
            session=session,
            clock=clock,
            keyring=approved.keyring,
            settle_seconds=approved.settings.settle_seconds,
            known_ids=approved.live_ids,
        )
        executor = Executor(writer, parallelism=context.parallelism, emit=emit, stop=stop)
        return executor.run(approved.plan)


def _has_work(context: Context, made: Planned) -> bool:
    """Whether there is anything to send or to write down."""
    stale = any(isinstance(change, NoOp) and change.is_stale for change in made.plan.changes)
    return bool(made.plan.pending or made.inventory.intents or stale) or is_unfolded(context.state_path)


def _write_outcomes(session: Session, settled: Planned) -> None:
    """Write down what became of the creates that earlier runs left open; their settling time is over.

    One that made nothing and is to be made now stays open until its own request closes it.
    """
    for tracked in settled.found.made.values():
        session.record(tracked)
    creating = {change.name for change in settled.plan.pending if isinstance(change, Create | Replace)}
    for name in settled.found.open:
        if name not in creating:
            session.settle(name)
