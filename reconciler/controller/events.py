"""The events that a controller tells people."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from reconciler.model.lazy_dataclass import dataclass


class EventKind(StrEnum):
    """The kind of an event. Each is told when it begins, and again while it lasts a day later."""

    DRIFT_FOUND = "drift_found"
    DRIFT_GONE = "drift_gone"
    WAITING = "waiting"
    APPLIED = "applied"
    REFUSED = "refused"
    FAILED = "failed"
    RECOVERED = "recovered"
    LEADER_CHANGED = "leader_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event. It has no secret.

    subject: what it is about, such as the address of an endpoint, `plan`, `source` or `account`; kind and
    subject together say whether it was told before. fingerprint: changes if there is news about the same
    subject. summary: one line. details: more lines. revision: the commit, or "". digest: of a waiting plan.
    is_repeated: it was told a day ago, and still lasts.
    """

    kind: EventKind
    environment: str
    subject: str
    at: datetime
    summary: str
    details: tuple[str, ...] = ()
    fingerprint: str = ""
    revision: str = ""
    digest: str = ""
    is_repeated: bool = False
