"""The run that holds the lock of an inventory, as text and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from reconciler.model.values import Json
from reconciler.reports.terminal.escape import plain

if TYPE_CHECKING:
    from reconciler.inventory.lock_holder import LockHolder


def lock_text(holder: LockHolder) -> str:
    """Return one line for each known fact."""
    facts = {
        "Lock": holder.lock_id,
        "Who": holder.who,
        "Host": holder.host,
        "PID": str(holder.pid or ""),
        "Command": holder.command,
        "Since": holder.since,
        "CI run": holder.ci_run_url,
        "Version": holder.version,
    }
    width = max(map(len, facts))
    return "".join(f"{name:<{width}}  {plain(value)}\n" for name, value in facts.items() if value)


def lock_document(inventory: str, holder: LockHolder | None, leader: LockHolder | None) -> Json:
    """Return the document of `state lock-info`; the holder is null if the lock is free."""
    return {
        "inventory": inventory,
        "locked": holder is not None,
        "holder": _holder(holder),
        "leader": _holder(leader),
        "exit_code": 0,
    }


def _holder(holder: LockHolder | None) -> Json:
    return {"lock_id": holder.lock_id, **asdict(holder)} if holder else None
