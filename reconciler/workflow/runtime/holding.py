"""The inventory in hand: locked for one run, under its name."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager

from reconciler.inventory.session import Session, open_session
from reconciler.workflow.runtime.context import Context


def held(context: Context, base_url: str) -> AbstractContextManager[Session]:
    """A session of the run's inventory. Raises InventoryLocked while another run has it.

    `base_url` is the account that what is recorded belongs to.
    """
    return open_session(
        context.state_path,
        base_url=base_url,
        command=context.command,
        environ=context.environ,
        clock=time.time,
        lock_timeout=context.lock_timeout,
    )
