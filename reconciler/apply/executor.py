"""Runs an approved plan stage by stage, independent changes in parallel. A failed change stops no other one.

A refused key or an inventory that cannot be written stops every change that has not begun, because none of
them could succeed or be recorded.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.apply.create import UnresolvedCreate
from reconciler.apply.read_back import Condition
from reconciler.apply.shared_reads import Outcome as ReadOutcome
from reconciler.apply.shared_reads import SharedReads
from reconciler.apply.stage import Stage
from reconciler.apply.writer import Writer
from reconciler.model.apply_events import (
    ApplyEvent,
    ApplyReport,
    ApplyStarted,
    ChangeEnded,
    ChangeResult,
    ChangeStarted,
    ChangeWaiting,
    Outcome,
)
from reconciler.model.errors import InventoryError, KeyRefused, ReconcilerError
from reconciler.model.plan import Change, Create, Delete, Forget, Half, NoOp, Plan, Replace
from reconciler.model.problem import Problem
from reconciler.planning.dependencies.order import Dependencies, dependency_failed, old_not_deleted
from reconciler.planning.steps import has_steps, stages

if TYPE_CHECKING:
    from reconciler.apply.prewarm import Warmup


class Executor:
    """One apply. `emit` is called from several threads, but never by two at once.

    `warmup` fetches images before the first stage that needs them.
    """

    def __init__(
        self,
        writer: Writer,
        *,
        parallelism: int,
        emit: Callable[[ApplyEvent], None],
        stop: threading.Event,
        warmup: Warmup | None = None,
    ) -> None:
        self._writer = writer
        self._parallelism = parallelism
        self._emit_to = emit
        self._emit_lock = threading.Lock()
        self._events: deque[ApplyEvent] = deque()
        self._interrupted = stop
        self._warmup = warmup
        self._fatal: Problem | None = None
        self._results: dict[str, ChangeResult] = {}
        self._dependencies = Dependencies(())
        self._begun: dict[str, ChangeResult] = {}

    def run(self, plan: Plan) -> ApplyReport:
        """Perform all pending changes. A change that fails raises nothing; the report has its problem."""
        self._emit(ApplyStarted(total=len(plan.pending)))
        renamed, stale = _stale_records(plan)
        self._refresh_records(renamed)  # first, because other changes may take the names that they had
        self._dependencies = Dependencies(plan.changes)
        for stage in stages(plan.changes):
            if self._warmup is not None and not self.is_stopped():
                self._warmup.run_before(stage, self._emit)
            self._run_stage(stage)
        if not self._fatal:
            self._refresh_records(stale)
        return ApplyReport(
            results=tuple(self._results[change.address] for change in plan.pending),
            interrupted=self._interrupted.is_set(),
            warnings=tuple(self._warmup.problems) if self._warmup else (),
        )

    def _run_stage(self, changes: Sequence[Change]) -> None:
        writer = self._writer.of(changes[0].kind)
        changes = [writer.resolved(change) for change in changes if not self._cannot_begin(change)]
        if not changes:
            return
        reads = writer.reads_of(changes, self._parallelism)
        tasks = [_ChangeTask(self, writer, change, reads) for change in changes]
        Stage(tasks, reads, writer.clock, is_stopped=self.is_stopped).run(self._parallelism)

    def _cannot_begin(self, change: Change) -> bool:
        """Return whether a change must not begin, because its first half or a change that it needs failed."""
        if change.address in self._results:
            return True
        if self.is_stopped():
            return False  # that is what will be reported
        for needed in self._dependencies.needed(change):
            result = self._results.get(needed.address)
            if result is not None and result.outcome is not Outcome.DONE:
                problem = dependency_failed(change, needed)
                self.finish(ChangeResult(change=change, outcome=Outcome.NOT_ATTEMPTED, problem=problem))
                return True
        return False

    def is_stopped(self) -> bool:
        """Return whether no further change may begin."""
        return self._interrupted.is_set() or self._fatal is not None

    def begin(self, change: Change) -> bool:
        """Report the start of a change, or that it is not attempted. Return whether it may begin."""
        if self.is_stopped():
            self.finish(ChangeResult(change=change, outcome=Outcome.NOT_ATTEMPTED, problem=self._fatal))
            return False
        if change.address not in self._begun:
            self._emit(ChangeStarted(change=change))
        return True

    def report_wait(self, change: Change, why: str) -> None:
        """Report why a change waits longer."""
        self._emit(ChangeWaiting(change=change, why=why))

    def finish(self, result: ChangeResult) -> None:
        """Report the result of a change. A refused key or a failed inventory stops all others.

        The first half of a rotation is reported only if it failed.
        """
        if isinstance(result.change, Replace) and result.change.half is Half.NEW:
            if result.outcome is Outcome.DONE:
                self._begun[result.change.address] = result
                return
        elif result.change.address in self._begun:
            result = _of_both_halves(self._begun[result.change.address], result)
        if isinstance(result.error, KeyRefused | InventoryError):
            self._fatal = result.error.problem
        self._results[result.change.address] = result
        self._emit(ChangeEnded(result=result))

    def _refresh_records(self, changes: Sequence[NoOp]) -> None:
        for change in changes:
            self._writer.of(change.kind).refresh_record(change)

    def _emit(self, event: ApplyEvent) -> None:
        """Emit an event, or leave that to the thread that is emitting others, so that none waits for it."""
        self._events.append(event)
        while self._events and self._emit_lock.acquire(blocking=False):
            try:
                while self._events:
                    # A reader may close its pipe; a replacement must not stop half-way because of it.
                    with suppress(OSError):
                        self._emit_to(self._events.popleft())
            finally:
                self._emit_lock.release()


class _ChangeTask:
    """One change, performed from wait to wait."""

    def __init__(self, executor: Executor, writer: Writer, change: Change, reads: SharedReads) -> None:
        self._executor = executor
        self._change = change
        self._clock = writer.clock
        self._reads = reads
        self._steps = writer.perform(change, reads, lambda why: executor.report_wait(change, why))
        self._started: float | None = None
        self.needs_check = has_steps(change) and not isinstance(change, Create)

    def advance(self, outcome: ReadOutcome) -> Condition | None:
        """Perform the change up to its next wait. Report its result at the end, and return None."""
        change = self._change
        if self._started is None:
            if not self._executor.begin(change):
                return None
            self._started = self._clock.now()
        try:
            if isinstance(outcome, ReconcilerError):
                return self._steps.throw(outcome)
            return self._steps.send(outcome)
        except StopIteration as end:
            object_id, problem = end.value
            result = ChangeResult(
                change=change,
                outcome=Outcome.FAILED if problem else Outcome.DONE,
                id=object_id,
                url=self._url(object_id),
                problem=problem,
            )
        except ReconcilerError as error:
            ending = Outcome.UNRESOLVED if isinstance(error, UnresolvedCreate) else Outcome.FAILED
            result = ChangeResult(change=change, outcome=ending, problem=error.problem, error=error)
        self._executor.finish(replace(result, seconds=self._clock.now() - self._started))
        return None

    def _url(self, object_id: str | None) -> str:
        """Return the URL of the endpoint after the change: as it was read back, or else as planned."""
        if not object_id or isinstance(self._change, Delete | Forget):
            return ""
        live = getattr(self._change, "live", None)
        planned = live.url if live is not None and live.id == object_id else ""
        return self._reads.url_of(object_id) or planned


def _of_both_halves(new: ChangeResult, old: ChangeResult) -> ChangeResult:
    """Return the result of a rotation. One whose old object is still there has failed, with what remains."""
    seconds = new.seconds + old.seconds
    if old.outcome is Outcome.DONE:
        return replace(new, seconds=seconds)
    assert isinstance(new.change, Replace)
    problem = old_not_deleted(new.change, old.problem)
    return replace(new, outcome=Outcome.FAILED, problem=problem, error=old.error, seconds=seconds)


def _stale_records(plan: Plan) -> tuple[Sequence[NoOp], Sequence[NoOp]]:
    """Return the changes that only update a record: those that rename it, and the others."""
    stale = [change for change in plan.changes if isinstance(change, NoOp) and change.is_stale]
    renamed = [change for change in stale if change.tracked.name != change.name]
    return renamed, [change for change in stale if change.tracked.name == change.name]
