"""What an apply tells the world while it runs, and what it leaves behind."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from reconciler.model.errors import ReconcilerError
from reconciler.model.plan import Action, Change
from reconciler.model.problem import ExitCode, Problem


class Outcome(StrEnum):
    """How one change ended. `unresolved` is a create of which nobody can say yet whether it happened."""

    DONE = "done"
    FAILED = "failed"
    UNRESOLVED = "unresolved"
    NOT_ATTEMPTED = "not attempted"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeResult:
    """One change and its end; `seconds` is wall time from the first call to the last.

    `error` is what was raised, for callers who raise it again; `problem` says the same in words.
    """

    change: Change
    outcome: Outcome
    id: str | None = None
    seconds: float = 0.0
    problem: Problem | None = None
    error: ReconcilerError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyStarted:
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeStarted:
    change: Change


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeWaiting:
    """A pause that the user should know of; `why` is a clause such as `looking for it in the listing`."""

    change: Change
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeEnded:
    result: ChangeResult


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeServing:
    """What a change made or altered serves, `seconds` after the wait for it began."""

    change: Change
    seconds: float


Event: TypeAlias = ApplyStarted | ChangeStarted | ChangeWaiting | ChangeEnded | ChangeServing


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The end of an apply, change by change, in the order of the plan."""

    results: tuple[ChangeResult, ...] = ()
    interrupted: bool = False

    def having(self, outcome: Outcome) -> tuple[ChangeResult, ...]:
        return tuple(result for result in self.results if result.outcome is outcome)

    def done(self, *actions: Action) -> int:
        """How many changes of these actions were done."""
        return sum(result.change.action in actions for result in self.having(Outcome.DONE))

    @property
    def exit_code(self) -> ExitCode:
        """130 before 5 before 8 before 4."""
        if self.interrupted:
            return ExitCode.INTERRUPTED
        if self.having(Outcome.UNRESOLVED):
            return ExitCode.UNRESOLVED
        failed = self.having(Outcome.FAILED)
        if any(result.problem and result.problem.exit_code == ExitCode.REFUSED for result in failed):
            return ExitCode.REFUSED
        if failed or self.having(Outcome.NOT_ATTEMPTED):
            return ExitCode.INCOMPLETE
        return ExitCode.OK
