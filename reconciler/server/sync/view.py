"""The controller of this process as its server sees it, and the states that other processes have written."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from reconciler.controller.approval import PlanApproval, find_approval
from reconciler.controller.board import Board
from reconciler.controller.hook import HookSecret
from reconciler.controller.state import SyncState, read_state
from reconciler.model.errors import ReconcilerError
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Problem
from reconciler.model.sync.durations import BOARD_POLL, STATE_AGE
from reconciler.server.metrics import RequestMetrics


@dataclass(frozen=True, slots=True, kw_only=True)
class Controlled:
    """What a process controls. boards: one for each environment; the pages of the account are of the first.

    hook: the secret of the calls of git servers, None for no such calls. receivers: called for each of them.
    """

    boards: Sequence[Board]
    metrics: RequestMetrics
    hook: HookSecret | None = None
    receivers: Sequence[Callable[[], None]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One environment. state: None before its first round. problem: why its state cannot be read."""

    board: Board
    state: SyncState | None = None
    problem: Problem | None = None

    @property
    def environment(self) -> str:
        return self.board.environment


class SyncView:
    """The states of all environments, for the tasks of one event loop. `number` grows with each change.

    A process that leads knows its state. One that stands by reads that of the leader in the store, at most
    once in STATE_AGE seconds, however many ask.
    """

    def __init__(self, controlled: Controlled) -> None:
        self.controlled = controlled
        self.number = 0
        self._shown: tuple[Shown, ...] = ()
        self._read_at = {id(board): -STATE_AGE for board in controlled.boards}
        self._reading = asyncio.Lock()

    def find(self, environment: str) -> Board | None:
        """Return the board of an environment."""
        return next((one for one in self.controlled.boards if one.environment == environment), None)

    async def shown(self) -> tuple[Shown, ...]:
        """Return the states as they are now, or were some seconds ago in a process that stands by."""
        async with self._reading:
            before = {id(one.board): one for one in self._shown}
            now = tuple([await self._one(board, before.get(id(board))) for board in self.controlled.boards])
            if now != self._shown:
                self._shown = now
                self.number += 1
            return now

    async def changed(self) -> None:
        """Wait until `number` has grown."""
        number = self.number
        while self.number == number:
            await asyncio.sleep(BOARD_POLL)
            await self.shown()

    async def _one(self, board: Board, before: Shown | None) -> Shown:
        if board.is_leading and board.state is not None:
            return Shown(board=board, state=board.state)
        now = time.monotonic()
        if before is None or now - self._read_at[id(board)] >= STATE_AGE:
            self._read_at[id(board)] = now
            return await asyncio.to_thread(read_shown, board)
        return before


def read_shown(board: Board) -> Shown:
    """Return the state in the store. Blocking."""
    try:
        return Shown(board=board, state=read_state(board.context))
    except ReconcilerError as error:
        return Shown(board=board, problem=error.problem)


def current(board: Board) -> Shown:
    """Return the state as it is now, not some seconds ago. Blocking."""
    is_known = board.is_leading and board.state is not None
    return Shown(board=board, state=board.state) if is_known else read_shown(board)


def approval_of(shown: Shown) -> PlanApproval | None:
    """Return the approval of the waiting plan that the leader has not seen yet. Blocking."""
    with suppress(ReconcilerError):
        if shown.state is not None and shown.state.waiting is not None:
            return find_approval(shown.board.context, shown.state.waiting)
    return None
