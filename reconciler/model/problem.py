"""A problem: one finding, where it is, and the way out. Problems are values; nothing is raised here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from reconciler.model.command import completed


class Severity(StrEnum):
    """How much a problem weighs. Only errors stop a command."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A position in a file. Lines and columns count from 1.

    `text` is the offending line as the user wrote it, with any key in it masked; `width` is how many
    columns the marker under it spans.
    """

    file: str
    line: int
    column: int
    text: str = ""
    width: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One finding. `code` is stable and meant for programs, the rest is meant for people.

    `summary` is one sentence without a full stop, `detail` says more, `hint` is the next thing to do or type:
    a command of `reconciler` in it is completed with the shared options of the run.
    `address` is the endpoint it concerns, such as `novita_endpoint.base-test`.
    `exit_code` is what the command ends with when this problem stops it (design: 1 error, 3 guard, ...).
    """

    code: str
    summary: str
    detail: str = ""
    hint: str = ""
    severity: Severity = Severity.ERROR
    place: Place | None = None
    address: str | None = None
    exit_code: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "hint", completed(self.hint))

    @property
    def is_error(self) -> bool:
        return self.severity is Severity.ERROR

    def at(self, place: Place | None) -> Problem:
        """The same problem in another place."""
        return replace(self, place=place)

    def to_dict(self) -> dict[str, Any]:
        """The shape of `problems[]` in every JSON document."""
        place = self.place
        return {
            "severity": self.severity.value,
            "code": self.code,
            "summary": self.summary,
            "detail": self.detail,
            "address": self.address,
            "file": place.file if place else None,
            "line": place.line if place else None,
            "column": place.column if place else None,
            "hint": self.hint,
        }
