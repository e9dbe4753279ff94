"""Events during an apply, and the report at its end."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias

from reconciler.model.errors import ReconcilerError
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.plan import Action, Change, Replace
from reconciler.model.probe import ProbeResult
from reconciler.model.problem import ExitCode, Problem


class Outcome(StrEnum):
    """The end of one change. UNRESOLVED is a create that may or may not have happened."""

    DONE = "done"
    FAILED = "failed"
    UNRESOLVED = "unresolved"
    NOT_ATTEMPTED = "not attempted"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeResult:
    """The result of one change.

    `url` is that of the endpoint after the change; "" if there is none, or none yet. `seconds` is the wall
    time from the first request to the last. `problem` describes a failure, `error` is the exception for
    callers that raise it again. `probe` is the result of its probe, if one was sent, and `rolled_back_to` the
    version that the endpoint was rolled back to afterwards.
    """

    change: Change
    outcome: Outcome
    id: str | None = None
    url: str = ""
    seconds: float = 0.0
    problem: Problem | None = None
    error: ReconcilerError | None = None
    probe: ProbeResult | None = None
    rolled_back_to: int | None = None

    @property
    def replaced_id(self) -> str:
        """Return the ID that a replaced endpoint had before; "" if the endpoint was not replaced."""
        if isinstance(self.change, Replace) and self.id and self.id != self.change.live.id:
            return self.change.live.id
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyStarted:
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeStarted:
    change: Change


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeWaiting:
    """A pause during a change; `why` is a clause such as `looking for it in the listing`."""

    change: Change
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeEnded:
    result: ChangeResult


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitStarted:
    """All changes have ended, and `total` endpoints are waited for until they serve."""

    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeServing:
    """The endpoint of a change is ready, `seconds` after the wait began.

    `idle` is the reason why it is ready without a worker, as a clause; "" if a worker serves.
    """

    change: Change
    seconds: float
    idle: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeProbed:
    """The probe of the endpoint of a change has ended."""

    change: Change
    probe: ProbeResult


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageWarming:
    """The prewarm of an image has begun or has a new state, in words such as `Warm after 40s`.

    `image` names it and its region, without secrets.
    """

    image: str
    state: str


ApplyEvent: TypeAlias = (
    ApplyStarted
    | ChangeStarted
    | ChangeWaiting
    | ChangeEnded
    | WaitStarted
    | ChangeServing
    | ChangeProbed
    | ImageWarming
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyReport:
    """The results of an apply, in the order of the plan.

    `unproven` are the addresses of changed endpoints that do not serve or failed their probes. `warnings` are
    about what was tried beside the changes.
    """

    results: tuple[ChangeResult, ...] = ()
    interrupted: bool = False
    unproven: frozenset[str] = frozenset()
    warnings: tuple[Problem, ...] = ()

    def with_outcome(self, outcome: Outcome) -> tuple[ChangeResult, ...]:
        return tuple(result for result in self.results if result.outcome is outcome)

    def count_done(self, *actions: Action) -> int:
        """Return the number of changes with these actions that were made."""
        return sum(result.change.action in actions for result in self.with_outcome(Outcome.DONE))

    @property
    def exit_code(self) -> ExitCode:
        """The exit code; of several, 130 precedes 5, then 8, then 4."""
        if self.interrupted:
            return ExitCode.INTERRUPTED
        if self.with_outcome(Outcome.UNRESOLVED):
            return ExitCode.UNRESOLVED
        failed = self.with_outcome(Outcome.FAILED)
        if any(result.problem and result.problem.exit_code == ExitCode.REFUSED for result in failed):
            return ExitCode.REFUSED
        if failed or self.unproven or self.with_outcome(Outcome.NOT_ATTEMPTED):
            return ExitCode.INCOMPLETE
        return ExitCode.OK
