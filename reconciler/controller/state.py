"""What a controller knows about its environment. The leader keeps it as a document of the store."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import field, fields, is_dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from reconciler.model.errors import InventoryError
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Problem

if TYPE_CHECKING:
    from reconciler.workflow.runtime.context import Context

SYNC_STATE: Final = "sync"
"""The name of the document."""


class SyncStatus(StrEnum):
    """The status of one endpoint: as declared; changed by others; to be changed; held back with a reason."""

    SYNCED = "synced"
    DRIFTED = "drifted"
    PENDING = "pending"
    BLOCKED = "blocked"


class RoundResult(StrEnum):
    """The result of a round."""

    SUCCESS = "success"
    NO_CHANGE = "no_change"
    REFUSED = "refused"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointSync:
    """The status of one resource by its address. drifted_fields: count. why: in one line, or ""."""

    address: str
    status: SyncStatus
    drifted_fields: int = 0
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingPlan:
    """A plan that waits for an approval. summary: in one line. text: as `plan` prints it, without colors.

    mac: its authentication code, made by `approval.sealed`.
    """

    digest: str
    since: datetime
    revision: str
    summary: str
    text: str = ""
    mac: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """A pause after failures of one resource, or of the account. failures: in a row (count).

    until: when it is tried again. code, why: those of the last failure, as in a problem.
    """

    failures: int
    until: datetime
    code: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncState:
    """The state after a round. revision: of the files in force. rejected: a newer, invalid one.

    leader: who acts, such as `deploy@host-1 (pid 7)`. paused: why no change is made, a line for each reason.
    backoffs: by the address of a resource, or `account`. resumed: the digest of the interrupted apply that
    could not be finished, so that it is not tried again.
    """

    environment: str
    leader: str = ""
    revision: str = ""
    rejected: str = ""
    checked_at: datetime | None = None
    succeeded_at: datetime | None = None
    next_round_at: datetime | None = None
    result: RoundResult | None = None
    endpoints: tuple[EndpointSync, ...] = ()
    waiting: WaitingPlan | None = None
    paused: tuple[str, ...] = ()
    told: Mapping[str, str] = field(default_factory=dict)
    backoffs: Mapping[str, Backoff] = field(default_factory=dict)
    resumed: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the state as data for JSON."""
        return {one.name: _to_json(getattr(self, one.name)) for one in fields(self)}

    @classmethod
    def from_json(cls, data: Any) -> SyncState:
        """Return the state that `to_json` gave. Raise KeyError, TypeError, ValueError or AttributeError."""
        waiting = data.get("waiting")
        times = {name: _time(data.get(name)) for name in ("checked_at", "succeeded_at", "next_round_at")}
        return cls(
            environment=data["environment"],
            leader=data.get("leader", ""),
            revision=data.get("revision", ""),
            rejected=data.get("rejected", ""),
            result=RoundResult(data["result"]) if data.get("result") else None,
            endpoints=tuple(
                EndpointSync(**{**one, "status": SyncStatus(one["status"])}) for one in data["endpoints"]
            ),
            waiting=WaitingPlan(**{**waiting, "since": _time(waiting["since"])}) if waiting else None,
            paused=tuple(data.get("paused", ())),
            told=dict(data.get("told", {})),
            backoffs={
                key: Backoff(**{**one, "until": _time(one["until"])})
                for key, one in data.get("backoffs", {}).items()
            },
            resumed=data.get("resumed", ""),
            **times,
        )


def read_state(context: Context) -> SyncState | None:
    """Return the state that the leader wrote last, None if there is none. It takes no lock.

    Raise InventoryError if it cannot be read.
    """
    store = context.store.sibling
    data = store.read_document(SYNC_STATE)
    if data is None:
        return None
    try:
        return SyncState.from_json(json.loads(data))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InventoryError(
            Problem(
                code="bad-sync-state",
                summary=f"the state of the controller in {store.label} cannot be read",
                hint="the next round of the controller writes it again",
            )
        ) from error


def _time(text: str | None) -> Any:
    return datetime.fromisoformat(text) if text else None


def _to_json(value: Any) -> Any:
    if is_dataclass(value):
        return {one.name: _to_json(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_to_json(one) for one in value]
    if isinstance(value, Mapping):
        return {key: _to_json(one) for key, one in value.items()}
    return str(value) if isinstance(value, StrEnum) else value
