"""A failed call as a value: its exception, and whether it may be retried. Failures without an answer."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum

from reconciler.model import durations
from reconciler.model.errors import AnswerLost, ApiError, Throttled, Unreachable
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Problem
from reconciler.model.request import Request
from reconciler.novita.messages import call, format_seconds, purpose


class Retry(Enum):
    """The rule for sending the same request again after a failure."""

    NEVER = "the answer would be the same"
    ALWAYS = "nothing was done, so any request may be sent again"
    IF_IDEMPOTENT = "it may have been done, so only an idempotent request may be sent again"

    def allows(self, request: Request) -> bool:
        return self is Retry.ALWAYS or (self is Retry.IF_IDEMPOTENT and request.is_idempotent)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """The limits of retries: all attempts (count), one wait (s), and all calls and waits together (s)."""

    attempts: int
    max_wait: float
    budget: float


DEFAULT_POLICY = RetryPolicy(attempts=5, max_wait=durations.MAX_RETRY_PAUSE, budget=durations.CALL_BUDGET)
BUSY_POLICY = RetryPolicy(attempts=4, max_wait=durations.MAX_RETRY_PAUSE, budget=durations.BUSY_BUDGET)
CLUSTER_POLICY = RetryPolicy(attempts=8, max_wait=durations.MAX_RETRY_PAUSE, budget=durations.BUSY_BUDGET)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One failed attempt. `retry_after` is the wait that Novita asks for (s), 0.0 if it asks for none.

    `message` is the message of the server, or of the network if there was no answer.
    """

    error_class: type[ApiError]
    problem: Problem
    status: int = 0
    reason: str = ""
    message: str = ""
    retry: Retry = Retry.NEVER
    policy: RetryPolicy = DEFAULT_POLICY
    retry_after: float = 0.0

    def error(self, *, attempts: int = 1, seconds: float = 0.0) -> ApiError:
        """Return the exception for the caller. It tells the number of attempts if there were several."""
        problem = replace(self.problem, exit_code=int(self.error_class.exit_code))
        if attempts > 1:
            detail = f"{problem.detail} Sent {attempts} times in {seconds:.0f} s.".strip()
            problem = replace(problem, detail=detail)
        if self.retry_after:
            wish = f"{problem.detail} Novita asks to wait {format_seconds(self.retry_after)}."
            hint = f"Run it again in {format_seconds(self.retry_after)}; `reconciler plan -v` shows each call"
            problem = replace(problem, detail=wish.strip(), hint=hint)
        return self.error_class(problem, status=self.status, reason=self.reason)


def unreachable(request: Request, *, host: str, why: str, loopback: bool = False) -> Failure:
    """Return the failure of a call without a connection. Nothing was sent, so a create may be sent again."""
    is_untrusted = "CERTIFICATE" in why.upper()
    if is_untrusted:
        hint = "If a proxy decrypts TLS, name its certificates in SSL_CERT_FILE; then run `reconciler plan`"
    elif loopback:
        hint = "Start the server at that address (`reconciler simulator`), or correct `novita.base_url`"
    else:
        hint = (
            "Check the network, the proxy variables (HTTPS_PROXY, NO_PROXY) and `novita.base_url`, then run"
            " `reconciler plan`"
        )
    return Failure(
        error_class=Unreachable,
        problem=Problem(
            code="unreachable",
            summary=f"failed to {purpose(request)} (cannot reach {host})",
            detail=f"{call(request)}: {why}. Nothing was sent.",
            hint=hint,
        ),
        message=why,
        retry=Retry.NEVER if is_untrusted or loopback else Retry.ALWAYS,
    )


def answer_lost(request: Request, *, why: str) -> Failure:
    """Return the failure of a call that was sent and got no usable answer."""
    if not request.is_idempotent:
        hint = "Run `reconciler plan`, which looks for the endpoint"
    elif request.method == "GET":
        hint = "Run the command again; if it fails again, `reconciler plan -v` shows each call"
    else:
        hint = "Run `reconciler plan`, which reads the current state"
    return Failure(
        error_class=AnswerLost,
        problem=Problem(
            code="answer-lost",
            summary=f"failed to {purpose(request)} (the answer was lost: {why})",
            detail=f"{call(request)} was sent, and no usable answer came back.{doubt(request)}",
            hint=hint,
        ),
        message=why,
        retry=Retry.IF_IDEMPOTENT,
    )


def paused(request: Request, *, seconds: float) -> Failure:
    """Return the failure of a call that was not sent, because the pause is longer than a call waits."""
    return Failure(
        error_class=Throttled,
        problem=Problem(
            code="throttled",
            summary=f"failed to {purpose(request)} (Novita asks to wait {format_seconds(seconds)})",
            detail=f"{call(request)} was not sent, because an earlier response asked for this wait.",
        ),
        retry_after=seconds,
    )


def doubt(request: Request) -> str:
    """Return the sentence to add when a write has no answer, "" for a read."""
    return "" if request.method == "GET" else " Novita may or may not have carried it out."
