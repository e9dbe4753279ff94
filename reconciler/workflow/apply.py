"""`reconciler apply`: perform an approved plan under the lock of its inventory."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Protocol

from reconciler.apply.clock import Clock, SystemClock
from reconciler.apply.executor import Executor
from reconciler.apply.writer import Writer
from reconciler.inventory.session import Session
from reconciler.model.apply_events import ApplyEvent, ApplyReport, ChangeResult
from reconciler.model.errors import ReconcilerError
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.plan import Create, Delete, Forget, NoOp, Replace
from reconciler.model.problem import ExitCode, Problem
from reconciler.model.resource import ENDPOINT, address
from reconciler.model.settings import approval_word
from reconciler.novita.account import AccountReader
from reconciler.planning.dependencies.users import users_after
from reconciler.workflow.history.proofs import (
    last_numbers,
    mark_unproved,
    record_proofs,
    with_probe_notes,
    with_unproved,
)
from reconciler.workflow.history.rollback_on_failure import roll_back, rollback_targets, with_rollback_targets
from reconciler.workflow.history.versions import record_versions
from reconciler.workflow.plan import APPLY, Goal, PlanResult, plan, planned
from reconciler.workflow.runtime.account import reader, remote
from reconciler.workflow.runtime.author import find_author
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.runtime.inventory import locked_inventory
from reconciler.workflow.runtime.settings import base_url, prewarm_timeout
from reconciler.workflow.runtime.unfinished import has_approved_plan, unfinished_apply
from reconciler.workflow.saved_plan.file import (
    SavedPlan,
    delete_approved_plan,
    save_approved_plan,
)
from reconciler.workflow.verify import NOTHING, Verification, verify

if TYPE_CHECKING:
    from reconciler.apply.prewarm import Warmup


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyResult:
    """The plan of an apply, and its report; None if nothing was performed.

    `problems` say why the plan was not approved, or what failed after it was performed.
    """

    planned: PlanResult
    report: ApplyReport | None
    problems: tuple[Problem, ...] = ()

    @property
    def exit_code(self) -> int:
        """Return the exit code of the report, else of the problems; an interrupt takes precedence."""
        code = int(self.report.exit_code) if self.report else 0
        other = max((problem.exit_code for problem in self.problems if problem.is_error), default=0)
        if self.report is None and not other:
            return int(self.planned.blocked or ExitCode.OK)
        return other if other == ExitCode.INTERRUPTED else code or other


class Observer(Protocol):
    """The front end of an apply, such as the command line."""

    def on_planned(self, planned: PlanResult, *, is_saved: bool) -> None:
        """Receive a plan before its approval. `is_saved`: it needs none if it equals the saved plan."""

    def ask(self, planned: PlanResult) -> Problem | None:
        """Ask for the approval of a plan with changes. Return None if it is given, else an error."""

    def on_approved(self) -> None:
        """Receive the approval. From here on, only the `stop` event ends the run in an orderly way."""

    def on_event(self, event: ApplyEvent) -> None:
        """Receive an event of a change, from any thread."""

    def on_locked(self, checkpoint: Callable[[], None]) -> None:
        """Receive the function that writes the journal into the inventory before the process is ended."""


def apply_with_approval(
    context: Context,
    observer: Observer,
    *,
    goal: Goal = APPLY,
    saved: SavedPlan | None = None,
    stop: threading.Event | None = None,
    verification: Verification = NOTHING,
    add_notes: Callable[[PlanResult], PlanResult] | None = None,
) -> ApplyResult:
    """Plan, and perform the plan if the observer approves it or it equals the saved plan.

    A saved plan of an environment that is confirmed needs the approval as well.
    The parameters and errors are those of `apply`.
    """
    refusals: list[Problem] = []

    def approve(planned: PlanResult) -> bool:
        observer.on_planned(planned, is_saved=saved is not None)
        refusal = saved.staleness(planned) if saved is not None else None
        may_write = planned.plan.pending or (
            verification.rollback
            and any(target.version for target in rollback_targets(context, planned).values())
        )
        if refusal is None and may_write and _needs_approval(planned, saved):
            refusal = observer.ask(planned)
        if refusal is not None:
            refusals.append(refusal)
            return False
        observer.on_approved()
        return True

    result = apply(
        context,
        approve,
        observer.on_event,
        goal=goal,
        stop=stop,
        verification=verification,
        on_locked=observer.on_locked,
        add_notes=add_notes,
    )
    if result.report is not None:
        return result
    if saved is not None and not refusals and (stale := saved.staleness(result.planned)) is not None:
        refusals.append(stale)
    return replace(result, problems=tuple(refusals))


def _needs_approval(planned: PlanResult, saved: SavedPlan | None) -> bool:
    """Return whether the plan needs an approval, although it may equal a saved plan."""
    return saved is None or (approval_word(planned.environment) != "yes" and not saved.is_partial)


def apply(
    context: Context,
    approve: Callable[[PlanResult], bool],
    emit: Callable[[ApplyEvent], None],
    *,
    goal: Goal = APPLY,
    stop: threading.Event | None = None,
    clock: Clock | None = None,
    verification: Verification = NOTHING,
    on_locked: Callable[[Callable[[], None]], None] = lambda _fold: None,
    add_notes: Callable[[PlanResult], PlanResult] | None = None,
) -> ApplyResult:
    """Plan, ask for approval, and perform the approved plan. Raise ReconcilerError if the run cannot go on.

    approve: called with the plan; nothing is written unless it returns True. It is called again if another
    run changed the inventory meanwhile. emit: called with each event. stop: set to finish the changes in
    flight and start no other. verification: what is verified, after the lock was released.
    on_locked: called with a function that writes the journal into the inventory, to be called from any thread
    before the process is ended. add_notes: returns a plan with more notes, before it is approved.
    """
    stop, clock = stop or threading.Event(), clock or SystemClock()

    def named(result: PlanResult) -> PlanResult:
        """Return a plan that names the probes of unchanged endpoints and the rollbacks, if any."""
        result = add_notes(result) if add_notes else result
        result = with_probe_notes(context, result) if verification.probe else result
        return with_rollback_targets(context, result) if verification.rollback else result

    first = named(plan(context, goal, is_applied=True))
    if first.blocked or not (first.unproved or _has_work(context, first, goal)):
        return ApplyResult(planned=first, report=None)
    if context.early is not None:
        context.early.prepare_writes(len(first.plan.pending))
    if not approve(first):
        return ApplyResult(planned=first, report=None)
    with locked_inventory(context, base_url(first.settings)) as session:
        on_locked(session.checkpoint_records)
        current = first
        if session.inventory != first.inventory or any(session.inventory.every_intent()):
            loaded = goal.load(context)
            current = named(planned(context, loaded, session.inventory, goal, settle=True))
            if current.blocked or (current.digest != first.digest and not approve(current)):
                return ApplyResult(planned=current, report=None)
        session.set_owner(current.claim.owner)
        _record_resolution(session, current)
        if goal.imperative is None:
            save_approved_plan(context, session, current, goal)
        targets = rollback_targets(context, current) if verification.rollback else {}
        if verification.probe:
            mark_unproved(session, current)
        author = find_author(context, current.files_read, restores=(goal.rollback_to or ("", 0))[1])
        report = perform(context, current, session, emit, stop, clock)
        found_changes = [one.change for one in current.unproved if one.number is None]
        problems = (
            *report.warnings,
            *record_versions(context, session, report, author.result(), found_changes),
        )
        if goal.imperative is None and report.exit_code == ExitCode.OK:
            delete_approved_plan(session)
        elif goal.imperative is None:
            problems += (unfinished_apply(),)
        report = with_unproved(report, current.unproved)
        numbers = last_numbers(context, report) if verification.wait is not None else {}
        applied = session.inventory
    if verification.wait is not None and not stop.is_set():
        with reader(context, current.settings) as account:
            former = {one.change.address: one.former for one in current.unproved}
            report, found = verify(
                context, current.settings, account, report, verification, clock, emit, stop, former
            )
            problems += (*found, *record_proofs(context, report, found, numbers))
            report = with_late_urls(report, account)
        if verification.rollback:
            again = partial(apply, stop=stop, clock=clock, on_locked=on_locked)
            report, found = roll_back(context, targets, report, found, applied, again, emit, stop)
            problems += found
    return ApplyResult(planned=current, report=report, problems=problems)


def with_late_urls(report: ApplyReport, account: AccountReader) -> ApplyReport:
    """Return the report with the URLs that Novita has assigned since the endpoints were read back."""
    late = [result.id for result in report.results if result.id and not result.url and _is_endpoint(result)]
    try:
        urls = {live.id: live.url for live in account.get_many(late)}
    except ReconcilerError:
        return report  # the report says that there is no URL yet
    results = (replace(result, url=result.url or urls.get(result.id or "", "")) for result in report.results)
    return replace(report, results=tuple(results))


def _is_endpoint(result: ChangeResult) -> bool:
    return result.change.kind == ENDPOINT and not isinstance(result.change, Delete | Forget)


def perform(
    context: Context,
    approved: PlanResult,
    session: Session,
    emit: Callable[[ApplyEvent], None],
    stop: threading.Event,
    clock: Clock,
) -> ApplyReport:
    """Perform an approved plan. The session holds the lock of the inventory."""
    with remote(context, approved.settings, session.hold.check) as account:
        planned_for = (getattr(change, "live", None) for change in approved.plan.changes)
        account.mask_env_values_of((*approved.plan.unmanaged, *filter(None, planned_for)))
        staying, released = users_after(approved.plan.pending, approved.live if approved.others else ())
        writer = Writer(
            account=account,
            session=session,
            clock=clock,
            keyring=approved.keyring,
            settle_seconds=approved.settings.settle_seconds,
            known_ids=approved.live_ids,
            freed=_freed_app_names(approved),
            users=staying,
            released=released,
        )
        executor = Executor(
            writer,
            parallelism=context.parallelism,
            emit=emit,
            stop=stop,
            warmup=_warmup(context, approved, writer, stop),
        )
        return executor.run(approved.plan)


def _warmup(context: Context, approved: PlanResult, writer: Writer, stop: threading.Event) -> Warmup | None:
    """Return what warms the images of a plan; None if it has none to warm."""
    if not approved.plan.warms_images:
        return None
    from reconciler.apply.prewarm import Warmup
    from reconciler.planning.prewarm import pulled_keys

    return Warmup(
        approved.plan.pending,
        writer,
        in_use=pulled_keys(approved.live),
        within=prewarm_timeout(context, approved.settings),
        every=approved.settings.poll_interval,
        stop=stop,
    )


def _freed_app_names(approved: PlanResult) -> frozenset[str]:
    """Return the app names of endpoints that are being deleted, or that the plan deletes."""
    deleted = (change.live for change in approved.plan.pending if isinstance(change, Delete | Replace))
    terminating = (live for live in approved.live if live.is_terminating)
    return frozenset(str(live.fields.get("appName")) for live in (*deleted, *terminating))


def _has_work(context: Context, planned: PlanResult, goal: Goal) -> bool:
    """Return whether there is anything to send, to record, or to mark as finished."""
    stale = any(isinstance(change, NoOp) and change.is_stale for change in planned.plan.changes)
    is_partial = context.selection.targets or context.selection.excludes or goal.imperative
    return (
        bool(planned.plan.pending or any(planned.inventory.every_intent()) or stale)
        or planned.needs_checkpoint
        or (planned.claim.has_news and goal.imperative is None)
        or bool(has_approved_plan(context) and not is_partial)
    )


def _record_resolution(session: Session, settled: PlanResult) -> None:
    """Record the outcome of creates that earlier runs left open, after their settling time.

    A create without effect stays open if this plan repeats it.
    """
    repeated = {change.address for change in settled.plan.pending if isinstance(change, Create | Replace)}
    for kind, resolution in ((ENDPOINT, settled.resolution), *settled.others.items()):
        for name, tracked in resolution.created.items():
            session.record(tracked, deposed=resolution.deposed.get(name))
        for name in resolution.open:
            if address(name, kind) not in repeated:
                session.close_intent(name, kind)
