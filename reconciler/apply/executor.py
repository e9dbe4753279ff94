"""Runs an approved plan stage by stage, independent changes in parallel. A failed change stops no other one.

A refused key or an inventory that cannot be written stops every change that has not begun, because none of
them could succeed or be recorded.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

from reconciler.apply.create import UnresolvedCreate
from reconciler.apply.read_back import PendingReadBack, ReadBackQueue
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
from reconciler.model.plan import Change, Create, NoOp, Plan
from reconciler.model.problem import Problem
from reconciler.planning.steps import stages


class Executor:
    """One apply. `emit` is called from several threads, but never by two at once."""

    def __init__(
        self, writer: Writer, *, parallelism: int, emit: Callable[[ApplyEvent], None], stop: threading.Event
    ) -> None:
        self._writer = writer
        self._parallelism = parallelism
        self._emit_to = emit
        self._emit_lock = threading.Lock()
        self._interrupted = stop
        self._fatal: Problem | None = None
        self._results: dict[str, ChangeResult] = {}

    def run(self, plan: Plan) -> ApplyReport:
        """Perform all pending changes. A change that fails raises nothing; the report has its problem."""
        self._emit(ApplyStarted(total=len(plan.pending)))
        renamed, stale = _stale_records(plan)
        self._refresh_records(renamed)  # first, because other changes may take the names that they had
        for stage in stages(plan.changes):
            self._run_stage(stage)
        if not self._fatal:
            self._refresh_records(stale)
        return ApplyReport(
            results=tuple(self._results[change.address] for change in plan.pending),
            interrupted=self._interrupted.is_set(),
        )

    def _run_stage(self, changes: Sequence[Change]) -> None:
        queue = self._writer.of(changes[0].kind).read_back_queue(changes)
        if len(changes) == 1:
            self._run(changes[0], queue)
            return
        with ThreadPoolExecutor(min(self._parallelism, len(changes)), thread_name_prefix="apply") as pool:
            list(pool.map(lambda change: self._run(change, queue), changes))
        if queue is not None:
            self._read_back(queue, queue.take_rest())

    def _run(self, change: Change, queue: ReadBackQueue | None) -> None:
        """Perform one change to its end. A create is only sent and recorded if there is a `queue`."""
        if self._interrupted.is_set() or self._fatal:
            self._finish(ChangeResult(change=change, outcome=Outcome.NOT_ATTEMPTED, problem=self._fatal))
            return
        self._emit(ChangeStarted(change=change))
        clock = self._writer.clock
        start = clock.now()
        result = self._perform(change, reads_back=queue is None)
        seconds = clock.now() - start
        if isinstance(result, ChangeResult):
            self._finish(replace(result, seconds=seconds))
        elif queue is not None:
            create, object_id = result
            self._read_back(queue, queue.add(PendingReadBack(change=create, id=object_id, seconds=seconds)))

    def _perform(self, change: Change, *, reads_back: bool) -> ChangeResult | tuple[Create, str]:
        """Return the result of a change, or a create and its ID if it is read back later with others."""

        def on_wait(why: str) -> None:
            self._emit(ChangeWaiting(change=change, why=why))

        try:
            if isinstance(change, Create) and not reads_back:
                return change, self._writer.of(change.kind).create(change, on_wait)
            object_id, problem = self._writer.of(change.kind).perform(change, on_wait)
            outcome = Outcome.FAILED if problem else Outcome.DONE
            return ChangeResult(change=change, outcome=outcome, id=object_id, problem=problem)
        except UnresolvedCreate as error:
            return ChangeResult(change=change, outcome=Outcome.UNRESOLVED, problem=error.problem, error=error)
        except ReconcilerError as error:
            if isinstance(error, KeyRefused | InventoryError):
                self._fatal = error.problem
            return ChangeResult(change=change, outcome=Outcome.FAILED, problem=error.problem, error=error)

    def _read_back(self, queue: ReadBackQueue, batch: Sequence[PendingReadBack]) -> None:
        for create, problem in queue.read_back(batch):
            self._finish(
                ChangeResult(
                    change=create.change,
                    outcome=Outcome.FAILED if problem else Outcome.DONE,
                    id=create.id,
                    seconds=create.seconds,
                    problem=problem,
                )
            )

    def _finish(self, result: ChangeResult) -> None:
        self._results[result.change.address] = result
        self._emit(ChangeEnded(result=result))

    def _refresh_records(self, changes: Sequence[NoOp]) -> None:
        for change in changes:
            self._writer.of(change.kind).perform(change, lambda _why: None)

    def _emit(self, event: ApplyEvent) -> None:
        # A reader of the events may close its pipe; a replacement must not stop half-way because of it.
        with self._emit_lock, suppress(OSError):
            self._emit_to(event)


def _stale_records(plan: Plan) -> tuple[Sequence[NoOp], Sequence[NoOp]]:
    """Return the changes that only update a record: those that rename it, and the others."""
    stale = [change for change in plan.changes if isinstance(change, NoOp) and change.is_stale]
    renamed = [change for change in stale if change.tracked.name != change.name]
    return renamed, [change for change in stale if change.tracked.name == change.name]
