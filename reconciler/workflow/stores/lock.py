"""`reconciler state lock-info` and `unlock`: who holds the lock of the inventory, and how to free it."""

from __future__ import annotations

from contextlib import suppress

from reconciler.inventory.lock_holder import LockHolder
from reconciler.inventory.stores.base import Store
from reconciler.model.command import command_line
from reconciler.model.errors import InvalidConfig, InventoryError
from reconciler.model.problem import Problem
from reconciler.workflow.runtime.context import Context


def lock_holder(context: Context) -> LockHolder | None:
    """Return the run that holds the lock of the inventory now, or None."""
    return context.store.holder()


def leader_of(store: Store) -> LockHolder | None:
    """Return the controller that leads an inventory now, or None, also if the store does not tell."""
    with suppress(InventoryError):
        return store.sibling.holder()
    return None


def require_unlockable(context: Context, lock_id: str) -> LockHolder:
    """Return the holder of this lock. Raise InvalidConfig if there is none, or it cannot be freed by hand.

    The lock may be that of the inventory, or that of its leader.
    """
    label, holder = context.store.label, lock_holder(context)
    if holder is None or holder.lock_id != lock_id:
        leads = leader_of(context.store)
        if leads is not None and leads.lock_id == lock_id:
            return leads
    show = command_line("reconciler", "state", "lock-info")
    if holder is None:
        raise InvalidConfig(
            Problem(
                code="not-locked",
                summary=f"nothing was unlocked: no run holds the lock of {label}",
                hint=f"{show}   shows the lock",
            )
        )
    if not holder.lock_id:
        raise InvalidConfig(
            Problem(
                code="frees-itself",
                summary=f"nothing was unlocked: the lock of {label} ends by itself when its run ends",
                detail=f"It is held by {holder.who} on {holder.host} (pid {holder.pid}): {holder.command}",
                hint="wait for that run with `--lock-timeout 60s`, or end it",
            )
        )
    if holder.lock_id != lock_id:
        raise InvalidConfig(
            Problem(
                code="other-lock",
                summary=f"nothing was unlocked: the lock of {label} has another ID, {holder.lock_id}",
                hint=f"{show}   shows who holds it",
            )
        )
    return holder


def unlock(context: Context, lock_id: str) -> None:
    """Free the lock of a run that has ended. Raise InventoryError if it is not held by that ID any more."""
    holder = lock_holder(context)
    is_leader = holder is None or holder.lock_id != lock_id
    (context.store.sibling if is_leader and leader_of(context.store) else context.store).unlock(lock_id)
