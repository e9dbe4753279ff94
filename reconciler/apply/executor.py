"""Walks an approved plan: stage by stage, independent changes in parallel, one failure stopping no other.

A key that is refused and an inventory that cannot be written stop everything that has not begun, because no
other change could do better, or could be remembered.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

from reconciler.apply.create import Unresolved
from reconciler.apply.read_back_batch import ReadBack, Unread
from reconciler.apply.writer import Writer
from reconciler.model.apply_events import (
    ApplyStarted,
    ChangeEnded,
    ChangeStarted,
    ChangeWaiting,
    Event,
    Outcome,
    Report,
    Result,
)
from reconciler.model.errors import InventoryError, KeyRefused, ReconcilerError
from reconciler.model.plan import Change, Create, NoOp, Plan
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
        self._results: dict[str, Result] = {}

    def run(self, plan: Plan) -> Report:
        """Perform all pending changes; never raises for what a change runs into."""
        self._emit(ApplyStarted(total=len(plan.pending)))
        renamed, stale = _unrefreshed(plan)
        self._refresh_records(renamed)  # first, for others may take the names that they had
        for stage in stages(plan.changes):
            self._stage(stage)
        if not self._hopeless:
            self._refresh_records(stale)
        return Report(
            results=tuple(self._results[change.name] for change in plan.pending),
            interrupted=self._interrupted.is_set(),
        )

    def _stage(self, changes: Sequence[Change]) -> None:
        later = self._writer.read_back_of(changes)
        if len(changes) == 1:
            self._attempt(changes[0], later)
            return
        with ThreadPoolExecutor(min(self._parallelism, len(changes)), thread_name_prefix="apply") as pool:
            list(pool.map(lambda change: self._attempt(change, later), changes))
        if later is not None:
            self._read_back(later, later.rest())

    def _attempt(self, change: Change, later: ReadBack | None) -> None:
        """Perform one change to its end, or up to where `later` takes over."""
        if self._interrupted.is_set() or self._hopeless:
            self._end(Result(change=change, outcome=Outcome.NOT_ATTEMPTED, problem=self._hopeless))
            return
        self._emit(ChangeStarted(change=change))
        clock = self._writer.clock
        start = clock.now()
        made = self._performed(change, is_read_back=later is None)
        seconds = clock.now() - start
        if isinstance(made, Result):
            self._end(replace(made, seconds=seconds))
        elif later is not None:
            self._read_back(later, later.add(Unread(change=made[0], id=made[1], seconds=seconds)))

    def _performed(self, change: Change, *, is_read_back: bool) -> Result | tuple[Create, str]:
        """How it ended, or the ID of a create that is to be read back with others."""

        def waiting(why: str) -> None:
            self._emit(ChangeWaiting(change=change, why=why))

        try:
            if isinstance(change, Create) and not is_read_back:
                return change, self._writer.make(change, waiting)
            object_id, problem = self._writer.perform(change, waiting)
            outcome = Outcome.FAILED if problem else Outcome.DONE
            return Result(change=change, outcome=outcome, id=object_id, problem=problem)
        except Unresolved as error:
            return Result(change=change, outcome=Outcome.UNRESOLVED, problem=error.problem, error=error)
        except ReconcilerError as error:
            if isinstance(error, KeyRefused | InventoryError):
                self._hopeless = error.problem
            return Result(change=change, outcome=Outcome.FAILED, problem=error.problem, error=error)

    def _read_back(self, later: ReadBack, batch: Sequence[Unread]) -> None:
        for one, problem in later.read(batch):
            outcome = Outcome.FAILED if problem else Outcome.DONE
            self._end(
                Result(change=one.change, outcome=outcome, id=one.id, seconds=one.seconds, problem=problem)
            )

    def _end(self, result: Result) -> None:
        self._results[result.change.name] = result
        self._emit(ChangeEnded(result=result))

    def _refresh_records(self, changes: Sequence[NoOp]) -> None:
        for change in changes:
            self._writer.perform(change, lambda _why: None)

    def _emit(self, event: Event) -> None:
        # who watches may leave, and a replacement must not stop half-way for that
        with self._emitting, suppress(OSError):
            self._emit_to(event)


def _unrefreshed(plan: Plan) -> tuple[Sequence[NoOp], Sequence[NoOp]]:
    """What needs no call and whose record is behind: under another name, and the rest."""
    stale = [change for change in plan.changes if isinstance(change, NoOp) and change.is_stale]
    renamed = [change for change in stale if change.tracked.name != change.name]
    return renamed, [change for change in stale if change.tracked.name == change.name]
