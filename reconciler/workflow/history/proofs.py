"""The proofs of versions: which are missing, and what an apply records before a change and after its probe.

A mark is on disk before the change is sent. After a run that was killed at any time, the next `apply --probe`
finds it and sends the probe.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from reconciler.inventory.history import append_history, history, secrets_to_references, unrecorded_marks
from reconciler.inventory.history_entries import Mark, Proof, Version
from reconciler.inventory.session import Session
from reconciler.kinds.registry import KINDS
from reconciler.model import durations
from reconciler.model.apply_events import ApplyReport, ChangeResult, Outcome
from reconciler.model.command import command_line
from reconciler.model.errors import InventoryError
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.plan import Adopt, Create, NoOp, Replace, Scale, Update
from reconciler.model.problem import Problem, Severity
from reconciler.model.resource import ENDPOINT
from reconciler.model.text import utc_text
from reconciler.workflow.plan import PlanResult
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.runtime.inventory import lock


@dataclass(frozen=True, slots=True, kw_only=True)
class Unproved:
    """An unchanged endpoint whose last version is not proved.

    `number` is its version; None if a killed run has applied it and recorded no version. `former` are the IDs
    of the workers from before that version. `early` is the mark of a version that is not recorded.
    """

    change: NoOp
    number: int | None
    former: tuple[str, ...] = ()
    early: Mark | None = None


def find_unproved(context: Context, planned: PlanResult) -> tuple[Unproved, ...]:
    """Return the unchanged endpoints with a probe whose last version was to be proved, and was not."""
    candidates = {
        change.name: change
        for change in planned.plan.changes
        if isinstance(change, NoOp) and change.kind == ENDPOINT and change.desired.probe
    }
    if not candidates:
        return ()
    versions = history(context.store, candidates)
    marks = unrecorded_marks(context.store, candidates)
    found = (
        _unproved(change, versions.get(name, ()), marks.get(name)) for name, change in candidates.items()
    )
    return tuple(filter(None, found))


def _unproved(change: NoOp, versions: tuple[Version, ...], early: Mark | None) -> Unproved | None:
    last = versions[-1] if versions else None
    if last is not None and (last.is_deletion or last.id != change.live.id):
        last = None
    if early is not None and (last is None or _fields_of(change) != last.fields):
        return Unproved(change=change, number=None, former=early.former, early=early)
    if last is not None and (early is not None or last.proof in (Proof.UNPROVED, Proof.FAILED)):
        return Unproved(change=change, number=last.number, former=last.former, early=early)
    return None


def _fields_of(change: NoOp) -> object:
    fields, _ = secrets_to_references(change.desired.fields)
    return fields


def with_probe_notes(context: Context, planned: PlanResult) -> PlanResult:
    """Return the plan with the unproved endpoints, and notes about the probes of unchanged endpoints."""
    unproved = find_unproved(context, planned)
    names = {one.change.name for one in unproved}
    others = {one.name for one in planned.plan.changes if isinstance(one, NoOp) and one.desired.probe} - names
    notes = []
    if names:
        notes.append(
            Problem(
                code="unproved",
                severity=Severity.NOTE,
                summary="these unchanged endpoints are probed, because no run has proved them yet",
                detail=", ".join(f"`{name}`" for name in sorted(names)),
            )
        )
    if others:
        notes.append(
            Problem(
                code="probes-not-sent",
                severity=Severity.NOTE,
                summary="the probes of unchanged endpoints are not sent, so this apply does not prove them",
                detail=", ".join(f"`{name}`" for name in sorted(others)),
                hint=f"`{command_line('reconciler', 'probe')}` sends them",
            )
        )
    return replace(planned, unproved=unproved).with_problems(notes) if notes else planned


def mark_unproved(session: Session, planned: PlanResult) -> None:
    """Mark the next version of each changed endpoint with a probe as unproved.

    A mark of a change that a killed run did not make moves to the version before it. Raise InventoryError if
    that cannot be written; nothing was sent then.
    """
    at = utc_text(datetime.now(UTC))
    next_ones = [
        Mark(name=change.name, number=0, at=at, proof=Proof.UNPROVED, former=_former(change))
        for change in planned.plan.pending
        if change.kind == ENDPOINT
        and isinstance(change, Create | Update | Scale | Replace | Adopt)
        and change.desired.probe
    ]
    moved = [
        mark
        for one in planned.unproved
        if one.early and one.number
        for mark in (
            replace(one.early, number=one.number, former=one.former),
            replace(one.early, proof=None),
        )
    ]
    append_history(session.store, session.hold, [*next_ones, *moved])


def _former(change: Create | Update | Scale | Replace | Adopt) -> tuple[str, ...]:
    """Return the workers that the change replaces, because it changes what they run."""
    kind = KINDS[change.kind]
    if isinstance(change, Update) or (isinstance(change, Adopt) and change.fields):
        workers = kind.worker_ids(change.live)
        if not kind.rollout(change.live, workers, [field.path for field in change.fields]).is_done:
            return workers
    return ()


def with_unproved(report: ApplyReport, unproved: Iterable[Unproved]) -> ApplyReport:
    """Return the report with a result for each unproved endpoint, which is verified like a change."""
    more = (
        ChangeResult(change=one.change, outcome=Outcome.DONE, id=one.change.live.id, url=one.change.live.url)
        for one in unproved
    )
    return replace(report, results=(*report.results, *more))


def last_numbers(context: Context, report: ApplyReport) -> Mapping[str, int]:
    """Return the number of the last version of each endpoint of a report, under the inventory's lock."""
    names = {result.change.name for result in report.results if result.change.kind == ENDPOINT}
    return {name: versions[-1].number for name, versions in history(context.store, names).items()}


def record_proofs(
    context: Context, report: ApplyReport, problems: Collection[Problem], numbers: Mapping[str, int]
) -> tuple[Problem, ...]:
    """Mark the versions that were proved or failed. Return a warning if that cannot be written."""
    marks = list(_marks(report, problems, numbers))
    if not marks:
        return ()
    try:
        timeout = max(context.lock_timeout, durations.PROOF_LOCK_TIMEOUT)
        store = context.store
        with lock(context, store, timeout=timeout) as hold:
            append_history(store, hold, marks)
    except InventoryError as error:
        return tuple(replace(problem, severity=Severity.WARNING) for problem in error.problems)
    return ()


def _marks(report: ApplyReport, problems: Collection[Problem], numbers: Mapping[str, int]) -> Iterator[Mark]:
    at = utc_text(datetime.now(UTC))
    # old workers that answered prove nothing
    stale = {problem.address for problem in problems if problem.code == "no-new-worker"}
    for result in report.results:
        name, proof = result.change.name, _proof(result, report, stale)
        if proof is not None and name in numbers and result.change.kind == ENDPOINT:
            yield Mark(name=name, number=numbers[name], at=at, proof=proof)


def _proof(result: ChangeResult, report: ApplyReport, stale: Collection[str | None]) -> Proof | None:
    """Return what the run has shown about a change; None if nothing."""
    if result.outcome is not Outcome.DONE:
        return None
    if result.change.address in report.unproven:
        return Proof.FAILED
    is_proved = result.probe is not None and result.probe.passed and result.change.address not in stale
    return Proof.PROVED if is_proved else None
