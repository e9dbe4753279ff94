"""Notes of a conversion: what was left out or changed, where, and why."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Place, Severity


class Outcome(StrEnum):
    """What happened to a field."""

    LEFT_OUT = "left out"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One field that has no equal in the YAML.

    field: its path in the source, such as `services.chat.volumes`. reason: a clause, which never holds a
    value of env. severity: an error left out a whole resource, a warning loses something that the source
    says, and a note tells of a value that means the same, or of a default.
    """

    field: str
    outcome: Outcome
    reason: str
    severity: Severity
    place: Place

    def __str__(self) -> str:
        return f"{self.place}: {self.field}: {self.outcome}: {self.reason}"

    def to_dict(self) -> dict[str, Any]:
        """Return an item of `notes[]` of the JSON document."""
        return {
            "file": self.place.file,
            "line": self.place.line,
            "column": self.place.column,
            "field": self.field,
            "outcome": self.outcome.value,
            "reason": self.reason,
            "severity": self.severity.value,
        }
