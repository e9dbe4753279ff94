"""Leadership: of all processes that control one inventory, one acts. The others wait, and take its place.

It is the lock of the sibling store. The inventory's own lock is held only while an apply runs, and each write
needs that one. So a leader that was replaced and does not know it yet cannot do harm.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from functools import partial
from typing import Final

from reconciler.controller.clock import Clock
from reconciler.inventory.lock_holder import LockHolder
from reconciler.inventory.stores.base import Hold, Store
from reconciler.model.command import command_line
from reconciler.model.errors import InventoryError, InventoryLocked
from reconciler.model.problem import Problem, Severity
from reconciler.model.sync.durations import (
    FIRST_LEADER_RETRY,
    LEADER_CHECK,
    LEADER_IDLE,
    LEADER_NEWS,
    MAX_LEADER_RETRY,
)
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.runtime.inventory import run_holder
from reconciler.workflow.stores.lock import leader_of

LOST: Final = "lock-lost"
"""The code of the error of each store whose lock is lost. After any other error it may still be held."""

_led: Final[set[str]] = set()
"""The labels of the inventories that this process leads."""


class Leader:
    """The leadership of this process, until it is lost. Thread-safe.

    lost: set when it is lost for good; nothing may be begun then. holder: this process. store: where the
    documents of the controller are.
    """

    def __init__(self, store: Store, hold: Hold, holder: LockHolder, on_lost: Callable[[], None]) -> None:
        self.store = store
        self.holder = holder
        self.lost = threading.Event()
        self.why_lost: Problem | None = None
        self._hold = hold
        self._on_lost = on_lost
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="leadership", daemon=True)

    def check(self) -> None:
        """Raise InventoryError if the leadership is lost, or the store cannot be asked now.

        Call it before each round and each apply: a process that was stopped for a while learns here that
        another one leads. `lost` tells one error from the other.
        """
        if self.why_lost is not None:
            raise InventoryError(self.why_lost)
        with self._noticed():
            self._hold.check()

    def write_document(self, name: str, data: bytes | None) -> None:
        """Replace a document of the controller, or remove it. Raise InventoryError as `check` does."""
        self.check()
        with self._noticed():
            self._hold.write_document(name, data)

    def begin(self) -> None:
        """Look from now on, in a thread of its own, if the leadership is lost."""
        self._thread.start()

    def end(self) -> None:
        """Stop looking. The lock is freed next."""
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(LEADER_CHECK):
            with suppress(InventoryError):
                self.check()
            if self.lost.is_set():
                return

    @contextmanager
    def _noticed(self) -> Iterator[None]:
        """Notice that the lock is lost. Raise the error as one of the leadership then."""
        try:
            yield
        except InventoryError as error:
            if error.problem.code != LOST:
                raise
            if self.why_lost is None:
                what = error.problem.summary.replace("The lock of", "The leadership of", 1)
                self.why_lost = Problem(code=LOST, summary=what, hint="this process waits to lead again")
                self.lost.set()
                self._on_lost()
            raise InventoryError(self.why_lost) from error


@contextmanager
def leadership(
    context: Context,
    stop: threading.Event,
    clock: Clock,
    *,
    tell: Callable[[Problem], None] = lambda _problem: None,
    on_lost: Callable[[], None] = lambda: None,
    idle: float = LEADER_IDLE,
) -> Iterator[Leader | None]:
    """Wait until this process leads the inventory of the run. Yield None if `stop` was set before.

    stop: ends the wait within a second. tell: called with a note about who leads, and with each reason why
    the store cannot be used; once until it changes. on_lost: called once if the leadership is lost, from any
    thread. idle: seconds after which the store may replace a process that is stopped, if it can. The lock is
    freed at the end of the block. If that fails, `tell` gets the problem. Raise InventoryError if the store
    of the run cannot be opened, which is no outage.
    """
    holder, sibling, label = run_holder(context), context.store.sibling, context.store.label
    take = partial(sibling.hold, holder, stop=stop, idle=idle)
    with ExitStack() as stack:
        hold = _wait_to_lead(context, take, stop, clock, tell, stack)
        if hold is None:
            yield None
            return
        leader = Leader(sibling, hold, holder, on_lost)
        _led.add(label)
        leader.begin()
        try:
            yield leader
        finally:
            leader.end()
            _led.discard(label)
            try:
                stack.close()
            except InventoryError as error:
                tell(error.problem)


def _wait_to_lead(
    context: Context,
    take: Callable[..., AbstractContextManager[Hold]],
    stop: threading.Event,
    clock: Clock,
    tell: Callable[[Problem], None],
    stack: ExitStack,
) -> Hold | None:
    """Return the lock of the sibling, which the stack frees; None if `stop` is set first."""
    told, timeout, retry = "", 0.0, FIRST_LEADER_RETRY
    while not stop.is_set():
        try:
            _require_free_place(context.store)
            return stack.enter_context(take(timeout=timeout))
        except InventoryLocked as error:
            leads, retry = leader_of(context.store), FIRST_LEADER_RETRY
            # If the name is not known, it may be in a moment.
            timeout = LEADER_NEWS if leads else min(2 * timeout or LEADER_CHECK, LEADER_NEWS)
            news = _standby(context.store, leads, error)
        except InventoryError as error:
            news, timeout = error.problem, 0.0
        if news.summary != told and not stop.is_set():
            tell(news)
            told = news.summary
        if not timeout:
            clock.wait(stop, retry)
            retry = min(2 * retry, MAX_LEADER_RETRY)
    return None


def _require_free_place(store: Store) -> None:
    """Raise InventoryError if the sibling of a store is an inventory itself."""
    if not store.sibling.read().exists:
        return
    place = store.sibling.label
    raise InventoryError(
        Problem(
            code="cannot-lead",
            summary=f"{place} is an inventory, and its place is that of the controller of {store.label}",
            hint=f"Move it away: {command_line('reconciler', 'state', 'copy', place, 'OTHER')}",
        )
    )


def _standby(store: Store, holder: LockHolder | None, error: InventoryLocked) -> Problem:
    """Return a note about the process that leads."""
    label = store.label
    if holder is None:
        summary = f"waiting: another process leads {label}"
        return Problem(code="standby", severity=Severity.NOTE, summary=summary, hint=error.problem.hint)
    who = holder.described()
    hint = "this process takes over as soon as that one has ended"
    if label in _led:
        who = "another environment of this process"
        hint = "give each environment an inventory of its own: `state` in config.yaml"
    elif store.keeps_lock:
        unlock = command_line("reconciler", "state", "unlock", holder.lock_id)
        hint = f"the lock of a process that was killed stays: if that one is dead, {unlock}"
    summary = f"waiting: {who} leads {label}"
    return Problem(code="standby", severity=Severity.NOTE, summary=summary, hint=hint)
