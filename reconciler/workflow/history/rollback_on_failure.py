"""`apply --rollback-on-failure`: the plan names each rollback, so that the approval covers it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from reconciler.inventory.history import history
from reconciler.inventory.history_entries import Proof, Version
from reconciler.model.apply_events import ApplyEvent, ApplyReport, ApplyStarted, ChangeResult, Outcome
from reconciler.model.command import Operand, command_line
from reconciler.model.errors import ReconcilerError
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.plan import Adopt, Create, NoOp, Replace, Scale, Update
from reconciler.model.problem import ExitCode, Problem, Severity
from reconciler.model.resource import ENDPOINT, Inventory
from reconciler.model.settings import Allowances
from reconciler.workflow.plan import Goal, PlanResult
from reconciler.workflow.runtime.context import Context

CAUSES = frozenset({"not-serving", "probe-failed"})
"""Codes of the problems after which an endpoint is rolled back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackTarget:
    """The version to which one change is rolled back, or None and the reason why it is not."""

    name: str
    version: Version | None
    why_not: str = ""

    @property
    def text(self) -> str:
        """Return the target as a line of a note."""
        if self.version is None:
            return f"{self.name}: stays as it is, because {self.why_not}"
        proof = "proved" if self.version.proof is Proof.PROVED else "never probed"
        return f"{self.name}: to version {self.version.number}, applied {self.version.at}, {proof}"


class Rollback(Protocol):
    """The result of a rollback: its plan, and its report if it was performed."""

    @property
    def planned(self) -> PlanResult: ...

    @property
    def report(self) -> ApplyReport | None: ...


class Apply(Protocol):
    """Plans a goal, and performs the plan if `approve` returns True."""

    def __call__(
        self,
        context: Context,
        approve: Callable[[PlanResult], bool],
        emit: Callable[[ApplyEvent], None],
        *,
        goal: Goal,
    ) -> Rollback: ...


def with_rollback_targets(context: Context, planned: PlanResult) -> PlanResult:
    """Return the plan with a note that says what is rolled back to which version, and what is not."""
    targets = rollback_targets(context, planned)
    if not targets:
        return planned
    note = Problem(
        code="rollback-on-failure",
        severity=Severity.NOTE,
        summary="an endpoint that does not serve after this apply is rolled back",
        detail="\n".join(target.text for target in targets.values()),
    )
    return planned.with_problems((note,))


def rollback_targets(context: Context, planned: PlanResult) -> Mapping[str, RollbackTarget]:
    """Return the target of each endpoint that may have to be rolled back, by its address."""
    revertible = [
        change
        for change in planned.plan.pending
        if change.kind == ENDPOINT and isinstance(change, Create | Update | Scale | Replace | Adopt)
    ]
    unproved = [one.change for one in planned.unproved]
    versions = history(context.store, {change.name for change in (*revertible, *unproved)})
    targets = {
        change.address: _rollback_target(change, versions.get(change.name, ())) for change in revertible
    }
    for one in planned.unproved:
        before = (v for v in versions.get(one.change.name, ()) if one.number is None or v.number < one.number)
        targets[one.change.address] = _rollback_target(one.change, tuple(before))
    return targets


def _rollback_target(
    change: Create | Update | Scale | Replace | Adopt | NoOp, versions: Sequence[Version]
) -> RollbackTarget:
    if isinstance(change, Create):
        return RollbackTarget(name=change.name, version=None, why_not="this apply creates it")
    if isinstance(change, Replace):
        why = "its former endpoint is deleted, and a new one would have another ID and URL"
        return RollbackTarget(name=change.name, version=None, why_not=why)
    if not versions:
        why = (
            "no version before it was proved"
            if isinstance(change, NoOp)
            else "no version of it was applied under this name"
        )
        return RollbackTarget(name=change.name, version=None, why_not=why)
    last = versions[-1]
    if last.is_deletion or last.id != change.live.id:
        return RollbackTarget(
            name=change.name, version=None, why_not="its last version is of another endpoint"
        )
    return _last_good(change.name, [version for version in versions if version.id == last.id])


def _last_good(name: str, versions: Sequence[Version]) -> RollbackTarget:
    """Return the last version that was proved, else the last one that was never probed."""
    for proof in (Proof.PROVED, None):
        for version in reversed(versions):
            if version.proof is proof and not version.is_deletion:
                return RollbackTarget(name=name, version=version)
    return RollbackTarget(name=name, version=None, why_not="no version before it was proved")


def roll_back(
    context: Context,
    targets: Mapping[str, RollbackTarget],
    report: ApplyReport,
    problems: Iterable[Problem],
    inventory: Inventory,
    apply: Apply,
    emit: Callable[[ApplyEvent], None],
    stop: threading.Event,
) -> tuple[ApplyReport, tuple[Problem, ...]]:
    """Roll back the endpoints that a problem says do not serve, one after the other.

    `targets` are those that were approved. `inventory` is as the apply left it: an endpoint that another run
    has changed since is left alone. Return the report with the versions, and what was done.
    """
    failed = {problem.address for problem in problems if problem.code in CAUSES}
    results: list[ChangeResult] = []
    problems_found: list[Problem] = []
    for result in report.results:
        target = targets.get(result.change.address)
        if result.change.address not in failed or target is None:
            results.append(result)
            continue
        problem = _perform(context, target, result, inventory, apply, emit, stop)
        problems_found.append(problem)
        version = target.version if problem.code == "rolled-back" else None
        results.append(replace(result, rolled_back_to=version.number if version else None))
    return replace(report, results=tuple(results)), tuple(problems_found)


def _perform(
    context: Context,
    target: RollbackTarget,
    result: ChangeResult,
    inventory: Inventory,
    apply: Apply,
    emit: Callable[[ApplyEvent], None],
    stop: threading.Event,
) -> Problem:
    """Roll back one endpoint, and return what was done as a problem."""
    if target.version is None:
        return _left(target, result, target.why_not)
    if stop.is_set():
        return _left(target, result, "the run was interrupted")
    refusals: list[str] = []

    def approve(planned: PlanResult) -> bool:
        refusals.extend(_refusals(planned, target.name, result, inventory))
        return not refusals

    def on_event(event: ApplyEvent) -> None:
        if not isinstance(event, ApplyStarted):  # which counts the changes of the whole run
            emit(event)

    from reconciler.workflow.history.rollback import rollback_goal  # which few applies need

    try:
        allow = Allowances(other_files=context.allow.other_files, other_account=context.allow.other_account)
        message = "rolled back because it did not serve"
        inner = replace(context, early=None, allow=allow, message=message)
        inner, goal, _ = rollback_goal(inner, target.name, target.version.number)
        rolled = apply(inner, approve, on_event, goal=goal)
    except ReconcilerError as error:
        return _failed(target, result, error.problem.summary)
    if refusals:
        return _failed(target, result, refusals[0])
    if rolled.report is None:
        for problem in rolled.planned.plan.errors:
            return _failed(target, result, problem.summary)
        return _left(target, result, f"it has the values of version {target.version.number} already")
    failed = [one for one in rolled.report.results if one.outcome is not Outcome.DONE]
    if failed or rolled.report.exit_code != ExitCode.OK:
        why = next((one.problem.summary for one in failed if one.problem), "the run was interrupted")
        return _failed(target, result, why)
    return _rolled_back(context, target, result)


def _refusals(planned: PlanResult, name: str, result: ChangeResult, inventory: Inventory) -> Iterator[str]:
    """Yield why a plan is not the approved rollback: it may only change this endpoint in place."""
    if planned.inventory.records.get(name) != inventory.records.get(name):
        yield "another run has changed it since"
    for change in planned.plan.pending:
        if not isinstance(change, Update | Scale) or change.live.id != result.id:
            yield f"the rollback would {change.action.value} `{change.name}`"


def _rolled_back(context: Context, target: RollbackTarget, result: ChangeResult) -> Problem:
    from reconciler.workflow.history.yaml_edit import can_edit

    assert target.version is not None
    command = command_line(
        "reconciler", "rollback", Operand(target.name), str(target.version.number), "--write"
    )
    can_write = can_edit(context, target.name)
    return Problem(
        code="rolled-back",
        severity=Severity.WARNING,
        summary=f"`{target.name}` ({result.id}) was rolled back to version {target.version.number}",
        detail="The YAML still declares what did not serve, and the next apply would apply it again.",
        hint="correct the YAML" + (f", or write that version into it: `{command}`" if can_write else ""),
        address=result.change.address,
    )


def _left(target: RollbackTarget, result: ChangeResult, why: str) -> Problem:
    return Problem(
        code="not-rolled-back",
        severity=Severity.WARNING,
        summary=f"`{target.name}` ({result.id}) was not rolled back: {why}",
        hint="correct the YAML and apply again; "
        f"`{command_line('reconciler', 'delete', Operand(target.name))}` deletes it",
        address=result.change.address,
    )


def _failed(target: RollbackTarget, result: ChangeResult, why: str) -> Problem:
    assert target.version is not None
    command = command_line("reconciler", "rollback", Operand(target.name), str(target.version.number))
    return Problem(
        code="rollback-failed",
        summary=f"`{target.name}` ({result.id}) was not rolled back to version {target.version.number}:"
        f" {why}",
        hint=f"`{command}` plans the rollback again",
        address=result.change.address,
        exit_code=ExitCode.INCOMPLETE,
    )
