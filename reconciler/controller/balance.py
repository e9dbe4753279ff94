"""The balance of the account, which a metric shows."""

from __future__ import annotations

from decimal import Decimal

from reconciler.controller.clock import Clock
from reconciler.model.durations import BUDGET_TIMEOUT
from reconciler.model.settings import Settings
from reconciler.model.sync.durations import BALANCE_INTERVAL
from reconciler.workflow.runtime.account import reader
from reconciler.workflow.runtime.context import Context


class BalanceReader:
    """Reads the balance once an hour. latest: what can be spent, in USD; None if it could not be read."""

    def __init__(self, clock: Clock) -> None:
        self.latest: Decimal | None = None
        self._clock = clock
        self._read_at: float | None = None

    def refresh(self, context: Context, settings: Settings) -> None:
        """Read the balance, unless that was done within the last hour. A failure is not repeated earlier."""
        now = self._clock.monotonic()
        if self._read_at is not None and now - self._read_at < BALANCE_INTERVAL:
            return
        self._read_at = now
        with reader(context, settings) as account:
            balance = account.optional.balance(BUDGET_TIMEOUT)
        self.latest = balance.available if balance else None
