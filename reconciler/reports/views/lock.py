"""The run that holds the lock of an inventory, as text and as JSON."""

from __future__ import annotations

from typing import Protocol

from reconciler.model.values import Json
from reconciler.reports.terminal.escape import plain


class Holder(Protocol):
    """The shown facts of the run; unknown values are empty. lock_id: for `state unlock`, or ""."""

    @property
    def who(self) -> str: ...
    @property
    def host(self) -> str: ...
    @property
    def pid(self) -> int: ...
    @property
    def command(self) -> str: ...
    @property
    def since(self) -> str: ...
    @property
    def ci_run_url(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def lock_id(self) -> str: ...


def lock_text(holder: Holder) -> str:
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


def lock_document(inventory: str, holder: Holder | None) -> Json:
    """Return the document of `state lock-info`; the holder is null if the lock is free."""
    shown = None
    if holder is not None:
        shown = {
            "lock_id": holder.lock_id,
            "who": holder.who,
            "host": holder.host,
            "pid": holder.pid,
            "command": holder.command,
            "since": holder.since,
            "ci_run_url": holder.ci_run_url,
            "version": holder.version,
        }
    return {"inventory": inventory, "locked": holder is not None, "holder": shown, "exit_code": 0}
