"""The warning that an account without money loses its network storages.

The balance is asked only if storages are recorded, beside the listing. A run that cannot read it goes on.
"""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.model import durations
from reconciler.model.problem import Problem, Severity
from reconciler.model.resource import STORAGE, Inventory
from reconciler.model.settings import Settings
from reconciler.workflow.runtime.account import reader
from reconciler.workflow.runtime.context import Context

MAX_SHOWN = 5
"""Names (count) in the warning."""


def begin_balance(context: Context, inventory: Inventory) -> None:
    """Begin to read the balance in the background, if storages are recorded and the account is listed."""
    if context.early is not None and inventory.of(STORAGE).records:
        context.early.read_balance()


def release_warnings(context: Context, settings: Settings, inventory: Inventory) -> Iterator[Problem]:
    """Yield a warning if storages are recorded and the balance is not above zero."""
    storages = at_risk(inventory)
    if not storages:
        return
    with reader(context, settings) as account:
        balance = account.optional.balance(durations.BUDGET_TIMEOUT)
    if balance is None or balance.available > 0:
        return
    yield Problem(
        code="storages-at-risk",
        severity=Severity.WARNING,
        summary=f"the balance is {balance.available:.2f} USD: {storages} will be released",
        detail="Novita releases the network storages of an account that is overdue and runs nothing for three"
        " days. Their data cannot be restored.",
        hint="top up in Novita Console (https://console.novita.ai), or copy the data elsewhere today",
    )


def at_risk(inventory: Inventory) -> str:
    """Return the recorded storages in words; "" if there are none."""
    records = inventory.of(STORAGE).records
    if not records:
        return ""
    names = ", ".join(f"`{name}`" for name in list(records)[:MAX_SHOWN])
    more = f" and {len(records) - MAX_SHOWN} more" if len(records) > MAX_SHOWN else ""
    return f"the storage{'s' if len(records) > 1 else ''} {names}{more}"
