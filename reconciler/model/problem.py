"""A problem: one finding, where it is, and the way out. Problems are values; nothing is raised here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum
from typing import Any, Final

from reconciler.model.command import completed

MOST: Final = 1_000
"""Problems that one output lists."""


class ExitCode(IntEnum):
    """What a command ends with. 2 never means a usage error, as it does in bare click."""

    OK = 0
    ERROR = 1
    CHANGES = 2
    GUARD = 3
    INCOMPLETE = 4
    UNRESOLVED = 5
    STALE = 6
    LOCKED = 7
    REFUSED = 8
    USAGE = 64
    INTERRUPTED = 130


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


def listed(problems: Sequence[Problem]) -> Sequence[Problem]:
    """The problems, if they are `MOST` at most; else the gravest, and one that counts those left out."""
    if len(problems) <= MOST:
        return problems
    weights = list(Severity)
    by_weight = sorted(problems, key=lambda problem: weights.index(problem.severity))
    kept, left = by_weight[: MOST - 1], by_weight[MOST - 1 :]
    errors = sum(problem.is_error for problem in left)
    more = Problem(
        code="more-problems",
        severity=Severity.NOTE,
        summary=f"{len(left):,} more problems are not listed, {errors:,} of them errors",
        hint="correct those that are listed, then run it again",
    )
    return (*kept, more)
