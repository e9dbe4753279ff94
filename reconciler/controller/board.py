"""The board of one loop: what it shows to the server of its process, and how the server wakes it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from reconciler.controller.state import RoundResult, SyncState
from reconciler.model.sync.durations import LOOP_STALLED
from reconciler.workflow.runtime.context import Context


class Board:
    """What the loop of one environment shows. Thread-safe: each attribute is replaced as a whole.

    context: with the root of the files in force. state: after the last round of this process, None before
    and while another process leads. wake: ends the wait of the loop. asked: the source is to be polled now.
    """

    def __init__(
        self, context: Context, wake: threading.Event, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.context = context
        self.wake = wake
        self.asked = threading.Event()
        self.state: SyncState | None = None
        self._monotonic = monotonic
        self._beat = monotonic()
        self._is_leading = False
        self._has_ended = False
        self._is_ready = False

    @property
    def environment(self) -> str:
        """Return the name of the environment, or ""."""
        return self.context.environment_name

    @property
    def is_leading(self) -> bool:
        return self._is_leading

    @property
    def is_alive(self) -> bool:
        """Return False if the loop has ended, or leads and has not moved for too long."""
        is_stalled = self._is_leading and self._monotonic() - self._beat > LOOP_STALLED
        return not (self._has_ended or is_stalled)

    @property
    def is_ready(self) -> bool:
        """Return True after the first round without an error, and in a process that stands by."""
        return self._is_ready

    def stand_by(self) -> None:
        """Show that another process leads, and that this one is ready to take its place."""
        self._is_leading, self.state, self._is_ready = False, None, True
        self.beat()

    def lead(self) -> None:
        """Show that this process leads. It is ready again after its first round without an error."""
        self._is_leading, self._is_ready = True, False
        self.beat()

    def show(self, state: SyncState, context: Context) -> None:
        """Show the state after a round, with the context of the files in force."""
        self.state, self.context = state, context
        self._is_ready = self._is_ready or state.result in (RoundResult.SUCCESS, RoundResult.NO_CHANGE)
        self.beat()

    def beat(self) -> None:
        """Show that the loop moves. It is called after each wait and with each event of an apply."""
        self._beat = self._monotonic()

    def end(self) -> None:
        """Show that the loop has ended."""
        self._has_ended = True

    def ask(self) -> None:
        """Let the loop poll its source now."""
        self.asked.set()
        self.wake.set()
