"""Walks an approved plan: stage by stage, independent changes in parallel, one failure stopping no other.

A key that is refused and an inventory that cannot be written stop everything that has not begun, because no
other change could do better, or could be remembered.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from reconciler.applying.create import Unresolved
from reconciler.applying.writes import Writer
from reconciler.model.errors import InventoryError, KeyRefused, ReconcilerError
from reconciler.model.events import (
    ApplyStarted,
    ChangeEnded,
    ChangeStarted,
    ChangeWaiting,
    Event,
    Outcome,
    Report,
    Result,
)
from reconciler.model.plan import Change, NoOp, Plan
from reconciler.model.problem import Problem
from reconciler.planning.order import stages


class Executor:
    """One apply. `emit` is called from several threads, one call at a time."""

    def __init__(
        self, writer: Writer, *, parallelism: int, emit: Callable[[Event], None], stop: threading.Event
    ) -> None:
        self._writer = writer
        self._parallelism = parallelism
        self._emit_to = emit
        self._emitting = threading.Lock()
        self._interrupted = stop
        self._hopeless: Problem | None = None

    def run(self, plan: Plan) -> Report:
        """Perform all pending changes; never raises for what a change runs into."""
        self._emit(ApplyStarted(total=len(plan.pending)))
        results: dict[str, Result] = {}
        for stage in stages(plan.changes):
            for result in self._stage(stage):
                results[result.change.name] = result
        if not self._hopeless:
            self._refresh_records(plan)
        return Report(
            results=tuple(results[change.name] for change in plan.pending),
            interrupted=self._interrupted.is_set(),
        )

    def _stage(self, changes: Sequence[Change]) -> Sequence[Result]:
        if len(changes) == 1:
            return [self._attempt(changes[0])]
        with ThreadPoolExecutor(min(self._parallelism, len(changes)), thread_name_prefix="apply") as pool:
            return list(pool.map(self._attempt, changes))

    def _attempt(self, change: Change) -> Result:
        if self._interrupted.is_set() or self._hopeless:
            result = Result(change=change, outcome=Outcome.NOT_ATTEMPTED, problem=self._hopeless)
            self._emit(ChangeEnded(result=result))
            return result
        self._emit(ChangeStarted(change=change))
        clock = self._writer.clock
        start = clock.now()
        object_id: str | None = None
        problem: Problem | None = None
        raised: ReconcilerError | None = None
        try:
            object_id, problem = self._writer.perform(
                change, lambda why: self._emit(ChangeWaiting(change=change, why=why))
            )
            outcome = Outcome.FAILED if problem else Outcome.DONE
        except Unresolved as error:
            outcome, problem, raised = Outcome.UNRESOLVED, error.problem, error
        except ReconcilerError as error:
            outcome, problem, raised = Outcome.FAILED, error.problem, error
            if isinstance(error, KeyRefused | InventoryError):
                self._hopeless = error.problem
        result = Result(
            change=change,
            outcome=outcome,
            id=object_id,
            seconds=clock.now() - start,
            problem=problem,
            error=raised,
        )
        self._emit(ChangeEnded(result=result))
        return result

    def _refresh_records(self, plan: Plan) -> None:
        for change in plan.changes:
            if isinstance(change, NoOp) and change.is_stale:
                self._writer.perform(change, lambda _why: None)

    def _emit(self, event: Event) -> None:
        # who watches may leave, and a replacement must not stop half-way for that
        with self._emitting, suppress(OSError):
            self._emit_to(event)
