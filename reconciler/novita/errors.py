"""A call that failed, as a value: the exception it will become, and whether asking again is allowed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from reconciler.model.errors import AnswerLost, ApiError, Throttled, Unreachable
from reconciler.model.problem import Problem
from reconciler.model.request import Request
from reconciler.novita.messages import call, format_seconds, purpose


class Again(Enum):
    """What a failure says about sending the same request once more."""

    NEVER = "the answer would be the same"
    UNDONE = "nothing was done, so any request may be sent again"
    UNKNOWN = "it may have been done, so only a safe request may be sent again"

    def allows(self, request: Request) -> bool:
        return self is Again.UNDONE or (self is Again.UNKNOWN and request.is_idempotent)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How long to go on. attempts: calls in all; longest: one wait (s); budget: calls and waits (s)."""

    attempts: int
    longest: float
    budget: float


USUAL = RetryPolicy(attempts=5, longest=8.0, budget=90.0)
FEW = RetryPolicy(attempts=4, longest=8.0, budget=60.0)
CLUSTER = RetryPolicy(attempts=8, longest=8.0, budget=60.0)


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
    patience: RetryPolicy = USUAL
    asked: float = 0.0

    def error(self, *, tries: int = 1, seconds: float = 0.0) -> ApiError:
        """The exception for the caller; it says how often we asked if that was more than once."""
        problem = replace(self.problem, exit_code=int(self.kind.exit_code))
        if tries > 1:
            detail = f"{problem.detail} Asked {tries} times in {seconds:.0f} s.".strip()
            problem = replace(problem, detail=detail)
        if self.asked:
            wish = f"{problem.detail} Novita asks to wait {format_seconds(self.asked)}."
            hint = f"Run it again in {format_seconds(self.asked)}; `reconciler plan -v` shows each call"
            problem = replace(problem, detail=wish.strip(), hint=hint)
        return self.kind(problem, status=self.status, reason=self.reason)


def unreachable(request: Request, *, host: str, why: str, loopback: bool = False) -> Failure:
    """No connection: nothing was sent, so even a create may be sent again."""
    broken_trust = "CERTIFICATE" in why.upper()
    if broken_trust:
        hint = (
            "If a proxy opens TLS on the way, name its certificates in SSL_CERT_FILE; then run"
            " `reconciler plan`"
        )
    elif loopback:
        hint = "Start what should listen there (`reconciler simulator`), or correct `novita.base_url`"
    else:
        hint = (
            "Check the network, the proxy variables (HTTPS_PROXY, NO_PROXY) and `novita.base_url`, then run"
            " `reconciler plan`"
        )
    return Failure(
        kind=Unreachable,
        problem=Problem(
            code="unreachable",
            summary=f"failed to {purpose(request)} (cannot reach {host})",
            detail=f"{call(request)}: {why}. Nothing was sent.",
            hint=hint,
        ),
        said=why,
        again=Again.NEVER if broken_trust or loopback else Again.UNDONE,
    )


def lost(request: Request, *, why: str) -> Failure:
    """The request went out, and nothing usable came back."""
    if not request.is_idempotent:
        hint = "Run `reconciler plan`, which looks whether it was made"
    elif request.method == "GET":
        hint = "Run it again; if it stays, `reconciler plan -v` shows each call"
    else:
        hint = "Run `reconciler plan`, which looks how things are now"
    return Failure(
        kind=AnswerLost,
        problem=Problem(
            code="answer-lost",
            summary=f"failed to {purpose(request)} (the answer was lost: {why})",
            detail=f"{call(request)} was sent, and no usable answer came back.{doubt(request)}",
            hint=hint,
        ),
        said=why,
        again=Again.UNKNOWN,
    )


def paused(request: Request, *, seconds: float) -> Failure:
    """Novita asked not to be asked for longer than a call waits: nothing was sent."""
    return Failure(
        kind=Throttled,
        problem=Problem(
            code="throttled",
            summary=f"failed to {purpose(request)} (Novita asks to wait {format_seconds(seconds)})",
            detail=f"{call(request)} was not sent, because an earlier response asked for this wait.",
        ),
        asked=seconds,
    )


def doubt(request: Request) -> str:
    """What to add when a write has no answer; nothing for a read."""
    return "" if request.method == "GET" else " Novita may or may not have carried it out."
