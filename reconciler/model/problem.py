"""Problems: errors, warnings and notes as values, and the exit codes of commands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from enum import IntEnum, StrEnum
from typing import Any, Final

from reconciler.model.command import add_shared_options
from reconciler.model.lazy_dataclass import dataclass

MAX_LISTED: Final = 1_000
"""Problems that one output lists."""


class ExitCode(IntEnum):
    """The exit code of a command. CHANGES (2) never means a usage error, as it does in click.

    docs/reference/exit-codes.md is generated from the texts: the meaning, and what to do after it.
    """

    OK = 0
    """done, or nothing to do"""
    ERROR = 1
    """error: bad configuration, API error, approval declined

    Read the hint of each problem, correct the cause, and run the command again.
    """
    CHANGES = 2
    """changes pending (`plan --detailed-exitcode`), or drift (`drift`)

    This is no failure: apply the plan, or resolve the drift with `reconciler drift accept` or
    `reconciler drift revert`.
    """
    GUARD = 3
    """refused by a guard; the plan is still printed

    Read the plan. If it is intended, its problem names the option that allows it.
    """
    INCOMPLETE = 4
    """apply incomplete: some changes failed, the report says which

    Correct the cause, and plan again: what was done is recorded.
    """
    UNRESOLVED = 5
    """the result of a create is unknown

    Run `reconciler recover`, which searches the account. Do not create the endpoint by hand.
    """
    STALE = 6
    """the saved plan is stale, or was made for another folder, inventory or account

    Plan again, and review the new plan.
    """
    LOCKED = 7
    """another run holds the lock

    Wait for it, for example with `--lock-timeout 60s`. The problem says who holds the lock, and since when.
    """
    REFUSED = 8
    """the API key was rejected, or the account is blocked

    Correct the key or settle the account in the Novita console. `reconciler doctor` shows which it is.
    """
    USAGE = 64
    """invalid command line (never 2)

    Read `reconciler COMMAND --help`.
    """
    INTERRUPTED = 130
    """interrupted, after saving

    Plan again, or continue with `reconciler apply --resume`.
    """


class Severity(StrEnum):
    """The severity of a problem. Only errors stop a command."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A position in a file. Lines and columns count from 1.

    `text` is the line as the user wrote it, with API keys masked. `width` is the number of columns to mark.
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
    """One error, warning or note. `code` is stable and for programs; the other texts are for people.

    `summary` is one sentence without a full stop, and `detail` adds to it. `hint` says how to continue;
    commands of `reconciler` in it get the shared options of the run. `address` names the endpoint, such as
    `novita_endpoint.base-test`. `exit_code` is the exit code of a command that this problem stops.
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
        object.__setattr__(self, "hint", add_shared_options(self.hint))

    @property
    def is_error(self) -> bool:
        return self.severity is Severity.ERROR

    def at(self, place: Place | None) -> Problem:
        """Return the problem with another place."""
        return replace(self, place=place)

    def to_dict(self) -> dict[str, Any]:
        """Return an item of `problems[]` as in every JSON document."""
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


def limit_problems(problems: Sequence[Problem]) -> Sequence[Problem]:
    """Return at most `MAX_LISTED` problems: the most severe ones, and a note that counts the others."""
    if len(problems) <= MAX_LISTED:
        return problems
    order = list(Severity)
    by_severity = sorted(problems, key=lambda problem: order.index(problem.severity))
    listed, others = by_severity[: MAX_LISTED - 1], by_severity[MAX_LISTED - 1 :]
    errors = sum(problem.is_error for problem in others)
    more = Problem(
        code="more-problems",
        severity=Severity.NOTE,
        summary=f"{len(others):,} more problems are not listed, {errors:,} of them errors",
        hint="correct the listed problems, then run the command again",
    )
    return (*listed, more)
