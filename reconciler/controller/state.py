"""What a controller knows about its environment. The leader keeps it as a document of the store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from enum import StrEnum
from typing import Final

from reconciler.model.lazy_dataclass import dataclass

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
class SyncState:
    """The state after a round. revision: of the files in force. rejected: a newer, invalid one.

    leader: who acts, such as `deploy@host-1 (pid 7)`. paused: why no change is made, a line for each reason.
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
