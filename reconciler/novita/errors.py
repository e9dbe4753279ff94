"""A call that failed, as a value: the exception it will become, and whether asking again is allowed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from reconciler.model.errors import ApiError
from reconciler.model.problem import Problem
from reconciler.model.request import Request
from reconciler.novita.http.dates import in_seconds


class Again(Enum):
    """What a failure says about sending the same request once more."""

    NEVER = "the answer would be the same"
    UNDONE = "nothing was done, so any request may be sent again"
    UNKNOWN = "it may have been done, so only a safe request may be sent again"

    def allows(self, request: Request) -> bool:
        return self is Again.UNDONE or (self is Again.UNKNOWN and request.safe)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to go on. attempts: calls in all; longest: one wait (s); budget: calls and waits (s)."""

    attempts: int
    longest: float
    budget: float


USUAL = Patience(attempts=5, longest=8.0, budget=90.0)
FEW = Patience(attempts=4, longest=8.0, budget=60.0)
CLUSTER = Patience(attempts=8, longest=8.0, budget=60.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One failed attempt. `asked` is how long Novita asks not to be asked again (s), 0.0 when it does not.

    `said` are the words of the server, or of the network where there was no answer.
    """

    kind: type[ApiError]
    problem: Problem
    status: int = 0
    reason: str = ""
    said: str = ""
    again: Again = Again.NEVER
    patience: Patience = USUAL
    asked: float = 0.0

    def error(self, *, tries: int = 1, seconds: float = 0.0) -> ApiError:
        """The exception for the caller; it says how often we asked if that was more than once."""
        problem = replace(self.problem, exit_code=int(self.kind.exit_code))
        if tries > 1:
            detail = f"{problem.detail} Asked {tries} times in {seconds:.0f} s.".strip()
            problem = replace(problem, detail=detail)
        if self.asked:
            wish = f"{problem.detail} Novita asks to wait {in_seconds(self.asked)}."
            hint = f"Run it again in {in_seconds(self.asked)}; `reconciler plan -v` shows each call"
            problem = replace(problem, detail=wish.strip(), hint=hint)
        return self.kind(problem, status=self.status, reason=self.reason)
