"""The result of `drift`: which drift is new, known from a baseline, or ignored."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum

from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.plan import Drift, FieldChange
from reconciler.model.problem import Place
from reconciler.model.values import Path, is_below


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftIgnore:
    """One entry of `drift.ignore`. It affects the alarm of `drift`, never a plan.

    endpoint: a name or a glob; paths: wire paths or prefixes of them, empty for the whole endpoint;
    shown: the path as the user wrote it; until: the time from which the entry has no effect, None for never.
    """

    endpoint: str
    paths: tuple[Path, ...] = ()
    shown: str = ""
    until: datetime | None = None
    why: str = ""
    place: Place | None = None

    def matches(self, path: Path) -> bool:
        """Return True if the entry ignores this path; the path () means that the endpoint is missing."""
        return not self.paths or any(is_below(path, prefix) for prefix in self.paths)

    def has_expired(self, now: datetime) -> bool:
        return self.until is not None and now >= self.until


class DriftState(StrEnum):
    """The state of one drift item. Only NEW raises an alarm."""

    NEW = "new"
    KNOWN = "known"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftItem:
    """One field that drifted; `field` is None if the endpoint is missing.

    `fingerprint` (64 hex digits) is the same in each run until the account changes.
    """

    field: FieldChange | None
    fingerprint: str
    state: DriftState = DriftState.NEW
    ignore: DriftIgnore | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One endpoint that drifted, with the state of each drift item."""

    drift: Drift
    items: tuple[DriftItem, ...]

    @property
    def has_new_drift(self) -> bool:
        return any(item.state is DriftState.NEW for item in self.items)


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftReport:
    """The result of `drift`. `by_declaration`: there is no inventory, and the YAML is compared."""

    alarms: tuple[Alarm, ...]
    by_declaration: bool = False

    @property
    def has_new_drift(self) -> bool:
        return any(alarm.has_new_drift for alarm in self.alarms)

    def count(self, state: DriftState) -> int:
        """Return the number of drift items in this state."""
        return sum(item.state is state for item in self.items())

    def items(self) -> Iterator[DriftItem]:
        for alarm in self.alarms:
            yield from alarm.items
