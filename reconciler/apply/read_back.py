"""Conditions that an endpoint meets after a write: it reads as written, or it is gone."""

from __future__ import annotations

from typing import TypeAlias

from reconciler.kinds.base import Kind
from reconciler.kinds.registry import KINDS
from reconciler.model import durations
from reconciler.model.encoding import json_line
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Problem
from reconciler.model.resource import Live
from reconciler.model.secrets import mask
from reconciler.model.values import Absent, Fields, Path, Value, is_plain_data
from reconciler.planning.diff import differences, equal


@dataclass(frozen=True, slots=True, kw_only=True)
class Visible:
    """The endpoint `id` has the fields that were written. `is_new`: this change created it."""

    id: str
    target: Fields
    is_new: bool = False

    @property
    def timeout(self) -> float:
        """Seconds until the condition counts as not met."""
        return durations.VISIBLE_TIMEOUT

    @property
    def max_poll(self) -> float:
        """The longest pause between two reads, in seconds."""
        return durations.MAX_VISIBLE_POLL

    def is_met(self, live: Live | None) -> bool:
        """Return whether the endpoint meets the condition. `live` is None if it does not exist."""
        return live is not None and matches(live, self.target)

    def problem(self, live: Live | None) -> Problem:
        """Return the problem of an endpoint that does not meet the condition in time."""
        if live is None:
            return Problem(
                code="not-visible",
                summary=f"{self.id} was written, but cannot be read after {self.timeout:.0f} s",
                hint="run `reconciler plan` in a minute",
            )
        kind = KINDS[live.kind]
        wanted, actual = kind.sides(self.target, None, live.fields, (), live.unread)
        kept = [_describe_difference(kind, *difference) for difference in differences(actual, wanted, kind)]
        return Problem(
            code="value-kept",
            summary=f"Novita accepted the write to {self.id} and kept " + "; ".join(kept),
            hint="declare the value that Novita keeps, or ask Novita's support why",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """The deleted endpoint `id` is being terminated or, with `released`, does not exist any more."""

    id: str
    released: bool

    @property
    def timeout(self) -> float:
        """Seconds until the condition counts as not met."""
        return durations.DELETE_TIMEOUT

    @property
    def max_poll(self) -> float:
        """The longest pause between two reads, in seconds."""
        return durations.MAX_DELETE_POLL

    def is_met(self, live: Live | None) -> bool:
        """Return whether the endpoint meets the condition. `live` is None if it does not exist."""
        return live is None or (live.is_terminating and not self.released)

    def problem(self, _live: Live | None) -> Problem:
        """Return the problem of an endpoint that does not meet the condition in time."""
        return Problem(
            code="not-gone",
            summary=f"{self.id} was deleted, but is still there after {self.timeout:.0f} s",
            hint="run `reconciler plan` in a minute; if it stays, delete it in the console",
        )


Condition: TypeAlias = Visible | Gone


def matches(live: Live, target: Fields) -> bool:
    """Return whether a live endpoint has the fields that were written."""
    kind = KINDS[live.kind]
    if kind.is_verbatim(target, live.fields):
        return True
    wanted, actual = kind.sides(target, None, live.fields, (), live.unread)
    return equal(actual, wanted)


def _describe_difference(kind: Kind, path: Path, kept: Value | Absent, sent: Value | Absent) -> str:
    name = kind.table.label(path)
    if _may_be_secret(kept) or _may_be_secret(sent) or kind.table.is_secret(path):
        return f"another {name}"
    where = "" if isinstance(sent, Absent) else f" where {_display(sent)} was sent"
    return f"no {name}{where}" if isinstance(kept, Absent) else f"{name} {_display(kept)}{where}"


def _may_be_secret(value: Value | Absent) -> bool:
    return not isinstance(value, Absent) and not is_plain_data(value)


def _display(value: Value) -> str:
    return json_line(mask(value))
