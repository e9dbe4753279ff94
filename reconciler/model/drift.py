"""What an alarm makes of drift: which of it is new, which is known, and which somebody chose to ignore."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from reconciler.model.plan import Drift, FieldChange
from reconciler.model.problem import Place
from reconciler.model.values import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftIgnore:
    """One entry of `drift.ignore`: it silences the alarm, and never the plan.

    endpoint: a name or a glob; paths: wire paths or prefixes of them, none for the endpoint as a whole;
    shown: the path as it was written; until: the moment from which on it counts no more, None for ever.
    """

    endpoint: str
    paths: tuple[Path, ...] = ()
    shown: str = ""
    until: datetime | None = None
    why: str = ""
    place: Place | None = None

    def covers(self, path: Path) -> bool:
        """Whether it is about that field of its endpoints, or with the path () about one being gone."""
        return not self.paths or any(path[: len(one)] == one for one in self.paths)

    def is_over(self, now: datetime) -> bool:
        return self.until is not None and now >= self.until


class DriftState(StrEnum):
    """What the alarm makes of one thing that moved. Only what is new rings."""

    NEW = "new"
    KNOWN = "known"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftItem:
    """One thing that moved: a field, or with `field` None the whole endpoint, which is gone.

    `fingerprint` (64 hex digits) stays the same from run to run for as long as the account does.
    """

    field: FieldChange | None
    fingerprint: str
    standing: DriftState = DriftState.NEW
    ignore: DriftIgnore | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One endpoint that drifted, and what is made of each thing that moved about it."""

    drift: Drift
    moved: tuple[DriftItem, ...]

    @property
    def rings(self) -> bool:
        return any(one.standing is DriftState.NEW for one in self.moved)


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftReport:
    """The answer of `drift`. `by_declaration`: there was no inventory, and the YAML was the measure."""

    alarms: tuple[Alarm, ...]
    by_declaration: bool = False

    @property
    def rings(self) -> bool:
        return any(alarm.rings for alarm in self.alarms)

    def having(self, standing: DriftState) -> int:
        """How many moved things there are of this standing."""
        return sum(one.standing is standing for one in self.all_moved())

    def all_moved(self) -> Iterator[DriftItem]:
        for alarm in self.alarms:
            yield from alarm.moved
