"""One round: read, plan, decide, apply what the policy allows, and return the new state and what happened."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from reconciler.config.loader import LoadedConfig
from reconciler.controller.backoff import (
    ACCOUNT,
    READS,
    after_failure,
    after_results,
    failures,
    running,
    without,
)
from reconciler.controller.observer import UNOBSERVED, Observer
from reconciler.controller.round_events import PLAN, SOURCE, Findings
from reconciler.controller.state import EndpointSync, RoundResult, SyncState, SyncStatus, WaitingPlan
from reconciler.inventory.snapshot import read_snapshot
from reconciler.model.apply_events import ApplyEvent, ApplyReport
from reconciler.model.drift import DriftReport, DriftState
from reconciler.model.errors import InventoryLocked, ReconcilerError
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.plan import Delete, NoOp
from reconciler.model.problem import Problem
from reconciler.model.resource import Inventory, Listing
from reconciler.model.text import utc_text
from reconciler.model.values import Path
from reconciler.planning.drift import report_drift
from reconciler.planning.selection import Selection
from reconciler.planning.sync.decide import REPORTED, Decision, Verdict, decide, restricted
from reconciler.reports.run.summary import headline
from reconciler.reports.run.text import plan_text
from reconciler.workflow.apply import apply
from reconciler.workflow.plan import Goal, PlanResult, planned
from reconciler.workflow.runtime.account import reader
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.runtime.kinds import kinds_in_use, list_kinds


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundInput:
    """The input of a round.

    context: with the folder of the revision in force. loaded: its files; load: reads them again. before: the
    state after the last round. stop: ends an apply in an orderly way. check: raises InventoryError if this
    process no longer leads.
    approver: returns who has approved the waiting plan, or ""; called right before it is applied.
    emit: called with each event of an apply. observer: watches the round.
    """

    context: Context
    loaded: LoadedConfig
    load: Callable[[Context], LoadedConfig]
    before: SyncState
    stop: threading.Event
    check: Callable[[], None] = lambda: None
    approver: Callable[[WaitingPlan], str] = lambda _waiting: ""
    emit: Callable[[ApplyEvent], None] = lambda _event: None
    observer: Observer = UNOBSERVED


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """The result of a round.

    state: what is known now, still with what was told before. findings: what `news` makes events of. plan: of
    all changes, None if there is none. is_again: something was applied, so that another round comes at once.
    is_busy: a command line has the inventory, so that another round comes soon.
    """

    state: SyncState
    findings: Findings
    plan: PlanResult | None = None
    is_again: bool = False
    is_busy: bool = False


def run_round(given: RoundInput) -> Round:
    """Plan, apply what the policy allows, and return what is known now. Only a lost leadership is raised."""
    return _Round(given).run()


def failed_round(before: SyncState, subject: str, error: ReconcilerError, now: datetime) -> Round:
    """Return the result of a round without a plan. subject: READS, or SOURCE if there are no files."""
    backoffs = after_failure(before.backoffs, subject, error.problem, now)
    state = replace(
        before,
        checked_at=now,
        result=RoundResult.ERROR,
        paused=tuple(problem.summary for problem in error.problems if problem.is_error),
        backoffs=backoffs,
    )
    failed = {**failures(backoffs), ACCOUNT if subject == READS else subject: error.problem}
    return Round(state=state, findings=Findings(failed=failed))


@dataclass(kw_only=True)
class _Part:
    """A part of the plan that is performed by itself: the keys of its changes, and the paths left alone."""

    names: frozenset[str]
    kept: Mapping[str, tuple[Path, ...]]


class _Round:
    def __init__(self, given: RoundInput) -> None:
        self._given = given
        self._context = given.context
        self._now = given.context.now()
        self._backoffs = given.before.backoffs
        self._applied: list[ApplyReport] = []
        self._refused: dict[str, Problem] = {}
        self._is_busy = False

    def run(self) -> Round:
        before = self._given.before
        loaded = self._given.loaded
        try:
            inventory = read_snapshot(self._context.store).inventory()
            with self._given.observer.span("plan"):
                listings = self._list(loaded, inventory)
                current = planned(self._context, loaded, inventory, listings=listings)
        except ReconcilerError as error:
            return failed_round(before, READS, error, self._now)
        self._backoffs = without(self._backoffs, READS, SOURCE)
        drift = self._drift(loaded, current)
        decisions = self._decide(loaded, inventory, listings, current)
        self._forget_settled(decisions)
        self._apply(_part(decisions, Verdict.APPLY), lambda _plan: True)
        waiting = None
        if not self._applied and not self._refused:
            waiting = self._wait(_part(decisions, Verdict.WAIT), loaded, inventory, listings)
        results = [result for report in self._applied for result in report.results]
        state = replace(
            before,
            checked_at=self._now,
            succeeded_at=before.succeeded_at if self._backoffs else self._now,
            result=self._result(),
            endpoints=_statuses(current, decisions, drift),
            waiting=waiting,
            paused=self._paused(),
            backoffs=self._backoffs,
        )
        findings = Findings(
            drift=drift, applied=tuple(results), refused=self._refused, failed=failures(self._backoffs)
        )
        return Round(
            state=state,
            findings=findings,
            plan=current,
            is_again=any(report.results for report in self._applied) and not self._given.stop.is_set(),
            is_busy=self._is_busy,
        )

    def _list(self, loaded: LoadedConfig, inventory: Inventory) -> Mapping[str, Listing]:
        """Return the account, which is listed once in a round until something is applied."""
        with reader(self._context, loaded.settings) as account:
            return list_kinds(account, kinds_in_use(loaded.others, inventory), inventory, 0.0)

    def _drift(self, loaded: LoadedConfig, current: PlanResult) -> DriftReport:
        """Return the drift since the last apply. Without any there is none."""
        ignores = loaded.settings.drift_ignore
        rendered = (replace(one, endpoint=self._context.names.rendered(one.endpoint)) for one in ignores)
        return report_drift(
            current.plan,
            by_declaration=False,
            has_yaml=loaded.has_endpoint_files,
            ignores=(*ignores, *rendered) if self._context.names.changes_names else ignores,
            known=frozenset(),
            now=self._now,
            keyring=current.keyring,
        )

    def _decide(
        self,
        loaded: LoadedConfig,
        inventory: Inventory,
        listings: Mapping[str, Listing],
        current: PlanResult,
    ) -> tuple[Decision, ...]:
        """Return the decisions. An error about one resource stops that one, another one all of the files."""
        errors = current.plan.errors
        policy = loaded.settings.sync
        waits = dict(running(self._backoffs, self._now))
        if any(problem.address is None for problem in errors):
            held = [
                one.change.key
                for one in decide(current.plan.changes, policy, self._now, waits)
                if one.whole is Verdict.HOLD and isinstance(one.change, Delete)
            ]
            if held:  # a delete that is not made needs no consent
                errors = self._plan_without(held, loaded, inventory, listings, current).plan.errors
        waits |= {problem.address: problem.summary for problem in errors if problem.address}
        general = next((problem for problem in errors if problem.address is None), None)
        if general is not None:
            self._refused[PLAN] = general
        return decide(
            current.plan.changes, policy, self._now, waits, refused=general.summary if general else ""
        )

    def _plan_without(
        self,
        keys: Collection[str],
        loaded: LoadedConfig,
        inventory: Inventory,
        listings: Mapping[str, Listing],
        current: PlanResult,
    ) -> PlanResult:
        names = frozenset(change.key for change in current.plan.changes).difference(keys)
        context = replace(self._context, selection=Selection(names=names))
        return planned(context, loaded, inventory, listings=listings)

    def _forget_settled(self, decisions: Sequence[Decision]) -> None:
        """Forget the failures of resources that need no change any more."""
        pending = {decision.change.address for decision in decisions}
        settled = [key for key in self._backoffs if key != ACCOUNT and key not in pending]
        self._backoffs = without(self._backoffs, *settled, *(() if pending else (ACCOUNT,)))

    def _apply(self, part: _Part | None, approve: Callable[[PlanResult], bool], who: str = "") -> None:
        """Perform a part of the plan, unless no write may be sent now."""
        if part is None or ACCOUNT in running(self._backoffs, self._now) or self._given.stop.is_set():
            return
        self._given.check()
        context = replace(self._context, selection=Selection(names=part.names), who=who or self._context.who)
        goal = Goal(load=lambda context: _restricted(self._given.load(context), part))
        try:
            with self._given.observer.span("apply", changes=len(part.names)):
                result = apply(context, approve, self._given.emit, goal=goal, stop=self._given.stop)
        except InventoryLocked:
            self._is_busy = True
            return
        except ReconcilerError as error:
            self._backoffs = after_failure(self._backoffs, ACCOUNT, error.problem, self._now)
            return
        if result.report is not None:
            self._applied.append(result.report)
            self._backoffs = after_results(self._backoffs, result.report.results, self._context.now())
        for problem in result.planned.plan.errors if result.report is None else ():
            self._refused.setdefault(problem.address or PLAN, problem)

    def _wait(
        self,
        part: _Part | None,
        loaded: LoadedConfig,
        inventory: Inventory,
        listings: Mapping[str, Listing],
    ) -> WaitingPlan | None:
        """Return the plan that waits for an approval; perform it if a person has approved it."""
        if part is None:
            return None
        context = replace(self._context, selection=Selection(names=part.names))
        plan = planned(context, _restricted(loaded, part), inventory, listings=listings)
        if errors := plan.plan.errors:
            self._refused.setdefault(errors[0].address or PLAN, errors[0])
            return None
        before = self._given.before.waiting
        digest = plan.digest
        is_same = before is not None and before.digest == digest
        if before is not None and (who := self._given.approver(before)):
            self._apply(part, lambda again: again.digest == before.digest, who)
            if self._applied:
                return None
        run = plan.run_report("plan", utc_text(self._now))
        return WaitingPlan(
            digest=digest,
            since=before.since if before is not None and is_same else self._now,
            revision=self._given.before.revision,
            summary=headline(run),
            text=plan_text(plan.plan),
        )

    def _paused(self) -> tuple[str, ...]:
        lines = [f"{problem.summary}" for problem in self._refused.values()]
        lines += [why for key, why in running(self._backoffs, self._now).items() if key == ACCOUNT]
        if self._is_busy:
            lines.append("another run has the lock of the inventory")
        return tuple(lines)

    def _result(self) -> RoundResult:
        if any(report.exit_code != 0 for report in self._applied) or ACCOUNT in self._backoffs:
            return RoundResult.ERROR
        if self._refused:
            return RoundResult.REFUSED
        return RoundResult.SUCCESS if self._applied else RoundResult.NO_CHANGE


def _part(decisions: Sequence[Decision], verdict: Verdict) -> _Part | None:
    """Return the part of the plan with this verdict; None if it is empty."""
    parts = [(one.change, kept) for one in decisions if (kept := one.part(verdict)) is not None]
    if not parts:
        return None
    return _Part(
        names=frozenset(change.key for change, _ in parts),
        kept={change.address: kept for change, kept in parts},
    )


def _restricted(loaded: LoadedConfig, part: _Part) -> LoadedConfig:
    return replace(
        loaded,
        desired=restricted(loaded.desired, part.kept),
        others=restricted(loaded.others, part.kept),
    )


def _statuses(
    current: PlanResult, decisions: Sequence[Decision], drift: DriftReport
) -> tuple[EndpointSync, ...]:
    """Return the status of each resource of the plan."""
    drifted = {
        alarm.drift.address: sum(item.state is DriftState.NEW for item in alarm.items)
        for alarm in drift.alarms
    }
    by_address = {decision.change.address: decision for decision in decisions}
    statuses = []
    for change in current.plan.changes:
        decision = by_address.get(change.address)
        status, why = _status(decision)
        statuses.append(
            EndpointSync(
                address=change.address, status=status, drifted_fields=drifted.get(change.address, 0), why=why
            )
        )
    known = {one.address for one in statuses}
    statuses += [
        EndpointSync(address=problem.address, status=SyncStatus.BLOCKED, why=problem.summary)
        for problem in current.plan.errors
        if problem.address and problem.address not in known
    ]
    return tuple(statuses)


def _status(decision: Decision | None) -> tuple[SyncStatus, str]:
    if decision is None or isinstance(decision.change, NoOp):
        return SyncStatus.SYNCED, ""
    if decision.has(Verdict.APPLY) or decision.has(Verdict.WAIT):
        return SyncStatus.PENDING, decision.why
    if decision.has(Verdict.HOLD):
        return SyncStatus.DRIFTED if decision.why == REPORTED else SyncStatus.BLOCKED, decision.why
    return SyncStatus.SYNCED, ""
