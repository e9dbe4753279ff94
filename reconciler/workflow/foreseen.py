"""The changes that can be foreseen from the files and the inventory, before the account is listed."""

from __future__ import annotations

from typing import Final

from reconciler.config.loader import LoadedConfig
from reconciler.model.resource import Inventory
from reconciler.planning.records import is_current
from reconciler.planning.sync.schedules import apply_schedules
from reconciler.workflow.runtime.context import Context

MAX_FORESEEN: Final = 100
"""Declared endpoints (count) up to which changes are foreseen."""


def foreseen_changes(context: Context, loaded: LoadedConfig, inventory: Inventory) -> int:
    """Return how many endpoints a plan will probably create or update.

    What such changes need is read beside the listing. With many endpoints it would take too long to find out.
    """
    if len(loaded.desired) > MAX_FORESEEN:
        return 0
    keyring, records = loaded.settings.keyring, inventory.records
    scheduled, _ = apply_schedules(loaded.desired, inventory, context.now())
    return sum(
        desired.name not in records or not is_current(records[desired.name], desired, keyring)
        for desired in scheduled
        if context.selection.has(desired.name)
    )
