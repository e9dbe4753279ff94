"""Observers of rounds: metrics and traces. A controller has one for each environment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from decimal import Decimal
from typing import Final, Protocol

from reconciler.controller.state import SyncState
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.plan import Plan
from reconciler.novita.http.client import CallInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundEnd:
    """A round that ended. seconds: its duration. plan: None if there is none.

    is_leader: False for a replica that only reads the state that another one wrote; then nothing was done.
    balance: in USD, None if it is not known.
    """

    state: SyncState
    seconds: float = 0.0
    plan: Plan | None = None
    is_leader: bool = True
    balance: Decimal | None = None


class Observer(Protocol):
    """Watches the rounds of one environment. No method raises an error or waits."""

    def span(self, name: str, **attributes: str | int) -> AbstractContextManager[None]:
        """Return the span of a step: `round`, `plan`, `apply`. Only the environment's thread calls it."""

    def call(self, call: CallInfo) -> None:
        """Note a call to Novita, in any thread."""

    def ended(self, end: RoundEnd) -> None:
        """Note the end of a round, in the thread of the environment."""


class Observers:
    """Several observers, or none, as one."""

    def __init__(self, observers: Sequence[Observer] = ()) -> None:
        self._observers = tuple(observers)

    @contextmanager
    def span(self, name: str, **attributes: str | int) -> Iterator[None]:
        with ExitStack() as stack:
            for observer in self._observers:
                stack.enter_context(observer.span(name, **attributes))
            yield

    def call(self, call: CallInfo) -> None:
        for observer in self._observers:
            observer.call(call)

    def ended(self, end: RoundEnd) -> None:
        for observer in self._observers:
            observer.ended(end)


UNOBSERVED: Final = Observers()
"""For a controller that nobody watches."""
