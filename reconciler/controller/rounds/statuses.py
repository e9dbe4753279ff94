"""The status of each resource after a round. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from reconciler.controller.state import EndpointSync, SyncStatus
from reconciler.model.drift import DriftReport, DriftState
from reconciler.model.plan import NoOp, Plan
from reconciler.planning.sync.decide import REPORTED, Decision, Verdict


def statuses(plan: Plan, decisions: Iterable[Decision], drift: DriftReport) -> tuple[EndpointSync, ...]:
    """Return the status of each resource of a plan, and of those that an error keeps out of it."""
    drifted = {
        alarm.drift.address: sum(item.state is DriftState.NEW for item in alarm.items)
        for alarm in drift.alarms
    }
    by_address = {decision.change.address: decision for decision in decisions}
    return (
        *(
            _status(change.address, by_address.get(change.address), drifted.get(change.address, 0))
            for change in plan.changes
        ),
        *_left_out(plan),
    )


def _status(address: str, decision: Decision | None, drifted: int) -> EndpointSync:
    status, why = SyncStatus.SYNCED, decision.why if decision else ""
    if decision is None or isinstance(decision.change, NoOp):
        pass
    elif decision.has(Verdict.APPLY) or decision.has(Verdict.WAIT):
        status = SyncStatus.PENDING
    elif decision.has(Verdict.HOLD):
        status = SyncStatus.DRIFTED if why == REPORTED else SyncStatus.BLOCKED
    return EndpointSync(address=address, status=status, drifted_fields=drifted, why=why)


def _left_out(plan: Plan) -> Iterator[EndpointSync]:
    known = {change.address for change in plan.changes}
    for problem in plan.errors:
        if problem.address and problem.address not in known:
            known.add(problem.address)
            yield EndpointSync(address=problem.address, status=SyncStatus.BLOCKED, why=problem.summary)
