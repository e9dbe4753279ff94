"""One round: read, plan, decide, apply what the policy allows, and return the new state and what happened."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from reconciler.config.loader import LoadedConfig
from reconciler.controller.approval import PlanApproval, find_approval, is_genuine, sealed, use_approval
from reconciler.controller.observer import UNOBSERVED, Observer
from reconciler.controller.round_events import PLAN, SOURCE, Findings
from reconciler.controller.rounds.backoff import (
    ACCOUNT,
    READS,
    after_failure,
    after_results,
    failures,
    running,
    without,
)
from reconciler.controller.rounds.resume import resume, unfinished
from reconciler.controller.rounds.statuses import statuses
from reconciler.controller.state import RoundResult, SyncState, WaitingPlan
from reconciler.inventory.snapshot import read_snapshot
from reconciler.model.apply_events import ApplyEvent, ApplyReport
from reconciler.model.drift import DriftReport
from reconciler.model.errors import InvalidConfig, InventoryLocked, ReconcilerError
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.plan import Delete
from reconciler.model.problem import ExitCode, Problem
from reconciler.model.resource import Inventory, Listing
from reconciler.model.sync.policy import DEFAULT_SYNC
from reconciler.model.text import utc_text
from reconciler.planning.drift import report_drift
from reconciler.planning.selection import Selection
from reconciler.planning.sync.decide import Decision, Verdict, decide, without_accepted
from reconciler.planning.sync.parts import NOTHING, Part, part_of
from reconciler.planning.sync.schedules import next_change
from reconciler.reports.run.summary import headline
from reconciler.reports.run.text import plan_text
from reconciler.workflow.apply import ApplyResult, apply
from reconciler.workflow.drift import ignores_of
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
    emit: called with each event of an apply. observer: watches the round.
    """

    context: Context
    loaded: LoadedConfig
    load: Callable[[Context], LoadedConfig]
    before: SyncState
    stop: threading.Event
    check: Callable[[], None] = lambda: None
    emit: Callable[[ApplyEvent], None] = lambda _event: None
    observer: Observer = UNOBSERVED


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """The result of a round.

    state: what is known now, still with what was told before. findings: what `news` makes events of. plan: of
    all changes, None if there is none. is_again: something was applied, so that another round comes at once.
    is_busy: a command line has the inventory, so that another round comes soon. due: when time next changes
    what is to be done.
    """

    state: SyncState
    findings: Findings
    plan: PlanResult | None = None
    is_again: bool = False
    is_busy: bool = False
    due: datetime | None = None


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


class _Round:
    def __init__(self, given: RoundInput) -> None:
        self._given = given
        self._context = given.context
        self._now = given.context.now()
        self._backoffs = given.before.backoffs
        self._applied: list[ApplyReport] = []
        self._refused: dict[str, Problem] = {}
        self._resumed = given.before.resumed
        self._busy = ""
        self._is_again = False

    def run(self) -> Round:
        loaded = self._given.loaded
        try:
            self._resume()
            inventory = read_snapshot(self._context.store, loaded.declared_fields).inventory()
            with self._given.observer.span("plan"):
                listings = self._list(loaded, inventory)
                current = planned(self._context, loaded, inventory, listings=listings)
        except ReconcilerError as error:
            return failed_round(self._given.before, READS, error, self._now)
        self._backoffs = without(self._backoffs, READS, SOURCE)
        decisions = self._decide(loaded, inventory, listings, current)
        self._forget_settled(decisions)
        if not self._applied:
            self._apply(self._part_of_now(decisions, inventory), lambda _plan: True)
        waiting = self._given.before.waiting
        if not self._applied:
            waiting = self._wait(part_of(decisions, Verdict.WAIT), loaded, inventory, listings)
        done = self._result(current, decisions, waiting, self._drift(loaded, current, decisions))
        policy = DEFAULT_SYNC.merged(loaded.settings.sync)
        return replace(done, due=next_change(loaded.desired, inventory, policy, self._now))

    def _part_of_now(self, decisions: Sequence[Decision], inventory: Inventory) -> Part | None:
        """Return what is applied now. Without a change it only settles creates whose outcome is unknown."""
        part = part_of(decisions, Verdict.APPLY)
        return NOTHING if part is None and any(inventory.every_intent()) else part

    def _result(
        self,
        current: PlanResult,
        decisions: Sequence[Decision],
        waiting: WaitingPlan | None,
        drift: DriftReport,
    ) -> Round:
        before, results = self._given.before, [one for report in self._applied for one in report.results]
        if any(report.exit_code != 0 for report in self._applied) or ACCOUNT in self._backoffs:
            result = RoundResult.ERROR
        elif self._refused:
            result = RoundResult.REFUSED
        else:
            result = RoundResult.SUCCESS if self._applied else RoundResult.NO_CHANGE
        state = replace(
            before,
            checked_at=self._now,
            succeeded_at=before.succeeded_at if self._backoffs else self._now,
            result=result,
            endpoints=statuses(current.plan, decisions, drift),
            waiting=waiting,
            paused=self._paused(),
            backoffs=self._backoffs,
            resumed=self._resumed,
        )
        findings = Findings(
            drift=drift, applied=tuple(results), refused=self._refused, failed=failures(self._backoffs)
        )
        return Round(
            state=state,
            findings=findings,
            plan=current,
            is_again=self._is_again and not self._given.stop.is_set(),
            is_busy=self._busy != "",
        )

    def _resume(self) -> None:
        """Finish an interrupted apply. It is tried once."""
        pending = unfinished(self._context)
        if not pending or pending == self._resumed or not self._may_write():
            return
        result = self._performed(lambda: resume(self._context, self._given.emit, self._given.stop), 1)
        if result is None and not self._busy:
            self._resumed = pending

    def _list(self, loaded: LoadedConfig, inventory: Inventory) -> Mapping[str, Listing]:
        """Return the account, which is listed once in a round until something is applied."""
        with reader(self._context, loaded.settings) as account:
            return list_kinds(account, kinds_in_use(loaded.others, inventory), inventory, 0.0)

    def _drift(self, loaded: LoadedConfig, current: PlanResult, decisions: Sequence[Decision]) -> DriftReport:
        """Return the drift since the last apply, without what is accepted. Without an apply there is none."""
        return report_drift(
            without_accepted(current.plan, decisions),
            by_declaration=False,
            has_yaml=loaded.has_endpoint_files,
            ignores=ignores_of(self._context, loaded.settings),
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

    def _may_write(self) -> bool:
        return ACCOUNT not in running(self._backoffs, self._now) and not self._given.stop.is_set()

    def _apply(self, part: Part | None, approve: Callable[[PlanResult], bool], who: str = "") -> None:
        """Perform a part of the plan, unless no write may be sent now."""
        if part is None or not self._may_write():
            return
        context = replace(self._context, selection=part.selection, who=who or self._context.who)
        goal = Goal(load=lambda context: _restricted(self._given.load(context), part))
        given = self._given
        self._performed(
            lambda: apply(context, approve, given.emit, goal=goal, stop=given.stop), len(part.keys)
        )

    def _performed(self, perform: Callable[[], ApplyResult | None], changes: int) -> ApplyResult | None:
        """Perform an apply, and note its results. Return None if nothing was performed."""
        self._given.check()
        try:
            with self._given.observer.span("apply", changes=changes):
                result = perform()
        except InventoryLocked as error:
            self._busy = error.problem.summary
            return None
        except ReconcilerError as error:
            self._backoffs = after_failure(self._backoffs, ACCOUNT, error.problem, self._now)
            return None
        if result is None or result.report is None:
            for problem in result.planned.plan.errors if result else ():
                self._refused.setdefault(problem.address or PLAN, problem)
            return None
        self._applied.append(result.report)
        self._is_again = bool(result.report.results)
        self._backoffs = after_results(self._backoffs, result.report.results, self._context.now())
        if result.report.exit_code not in (ExitCode.OK, ExitCode.INTERRUPTED):
            self._resumed = unfinished(self._context)  # what has failed is tried again by the rounds
        return result

    def _wait(
        self,
        part: Part | None,
        loaded: LoadedConfig,
        inventory: Inventory,
        listings: Mapping[str, Listing],
    ) -> WaitingPlan | None:
        """Return the plan that waits for an approval; perform it if a person has approved it."""
        if part is None or PLAN in self._refused:
            return None
        context = replace(self._context, selection=part.selection)
        plan = planned(context, _restricted(loaded, part), inventory, listings=listings)
        if errors := plan.plan.errors:
            self._refused.setdefault(errors[0].address or PLAN, errors[0])
            return None
        before = self._given.before.waiting
        if before is None or before.digest != plan.digest or not is_genuine(self._context, before):
            waiting = WaitingPlan(
                digest=plan.digest,
                since=self._now,
                revision=self._given.before.revision,
                summary=headline(plan.run_report("plan", utc_text(self._now))),
                text=plan_text(plan.plan),
            )
            return sealed(self._context, waiting)
        approval = self._approval(before)
        if approval is None:
            return before
        self._is_again = True
        self._apply(part, lambda again: again.digest == before.digest, approval.who)
        return None

    def _approval(self, waiting: WaitingPlan) -> PlanApproval | None:
        """Return the approval of the waiting plan, which holds for one apply; None if there is none."""
        if not self._may_write():
            return None
        try:
            if find_approval(self._context, waiting) is not None:
                return use_approval(self._context, waiting)
        except InventoryLocked as error:
            self._busy = error.problem.summary
        except InvalidConfig:
            pass  # the loop has told it
        return None

    def _paused(self) -> tuple[str, ...]:
        lines = [f"{problem.summary}" for problem in self._refused.values()]
        lines += [why for key, why in running(self._backoffs, self._now).items() if key == ACCOUNT]
        if self._busy:
            lines.append(self._busy)
        return tuple(lines)


def _restricted(loaded: LoadedConfig, part: Part) -> LoadedConfig:
    return replace(loaded, desired=part.restricted(loaded.desired), others=part.restricted(loaded.others))
