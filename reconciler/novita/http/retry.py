"""Retries: which failures are retried, how often, and how long the waits are.

All calls of a client wait for the whole Retry-After of any answer. A wait that does not fit into the budget
of a call (`errors.RetryPolicy`, at most 90 s of calls and waits) ends the call at once with an error.

stamina counts the attempts and computes the exponential waits. Its sleep cannot be replaced, but a run must
interrupt waits and a test must observe them. So its hook returns a wait of 0, and the wait that stamina
computed, plus jitter, is slept here.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from datetime import UTC
from functools import cache

from reconciler.model import durations
from reconciler.model.errors import ApiError
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.request import Request
from reconciler.model.values import Json
from reconciler.novita import errors
from reconciler.novita.errors import Failure
from reconciler.novita.responses import Outcome, Success

_MAX_ATTEMPTS = 8


def _random() -> float:
    """Return a random number from 0 to 1. Few runs need one."""
    from random import random

    return random()


@cache
def _silence_stamina() -> None:
    """Keep stamina from logging each retry as a warning, which would go to stderr without a handler."""
    import logging

    logging.getLogger("stamina").addHandler(logging.NullHandler())


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """The clocks, the sleep and the jitter of a client. Tests and interrupts replace them.

    `is_own_process`: no other code of this process uses stamina. Then its log output, which structlog would
    send to stdout, can be switched off.
    """

    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time
    jitter: Callable[[], float] = _random
    is_own_process: bool = False


class ServerPause:
    """The pause that a Retry-After asks of all calls of a client. Thread-safe."""

    def __init__(self, timing: Timing) -> None:
        self._timing = timing
        self._end = -math.inf

    def extend(self, seconds: float) -> None:
        """Extend the pause to that many seconds from now."""
        if seconds > 0:
            self._end = max(self._end, self._timing.clock() + seconds)

    def wait(self, request: Request, budget: float) -> Failure | None:
        """Wait for the end of the pause. Return a failure if it does not end within `budget` seconds."""
        started = self._timing.clock()
        while (left := self._end - (now := self._timing.clock())) > 0:
            if now - started + left > budget:
                return errors.paused(request, seconds=left)
            self._timing.sleep(left)
        return None


def send_with_retries(
    request: Request, attempt: Callable[[int], Outcome], timing: Timing, within: float = math.inf
) -> Json:
    """Return the JSON of the first attempt that succeeds, or raise the error of the last one.

    No attempt begins later than `within` seconds after the first one.
    """
    started = timing.clock()
    outcome = attempt(1)
    if isinstance(outcome, Success):
        return outcome.json
    if not outcome.retry.allows(request):
        raise outcome.error()
    return _Retries(request, attempt, timing, outcome, started, within).run()


class _Retries:
    """The attempts after the first one. stamina counts the first one too, so its failure is raised again."""

    def __init__(
        self,
        request: Request,
        attempt: Callable[[int], Outcome],
        timing: Timing,
        first: Failure,
        started: float,
        within: float,
    ) -> None:
        self._request = request
        self._attempt = attempt
        self._timing = timing
        self._failure = first
        self._started = started
        self._within = within
        self._slept = 0.0
        self._attempts = 1
        self._backoff = 0.0
        self._wait = 0.0

    def run(self) -> Json:
        import stamina

        _silence_stamina()
        if self._timing.is_own_process:
            stamina.instrumentation.set_on_retry_hooks([])
        for attempt in stamina.retry_context(
            on=self._next_attempt,
            attempts=_MAX_ATTEMPTS,
            timeout=None,
            wait_initial=durations.FIRST_RETRY_PAUSE,
            wait_max=durations.MAX_RETRY_PAUSE,
            wait_jitter=0.0,
        ):
            with attempt:
                self._backoff = attempt.next_wait
                if attempt.num == 1:
                    raise self._failure.error()
                self._sleep()
                self._attempts = attempt.num
                outcome = self._attempt(attempt.num)
                if isinstance(outcome, Success):
                    return outcome.json
                self._failure = outcome
                raise outcome.error(attempts=self._attempts, seconds=self._elapsed)
        raise AssertionError("stamina raises the last error")  # pragma: no cover

    @property
    def _elapsed(self) -> float:
        """Seconds since the first attempt began. A sleep that was interrupted or faked counts in full."""
        return max(self._timing.clock() - self._started, self._slept)

    def _next_attempt(self, error: Exception) -> bool | float:
        """Return False to stop, or 0.0 as stamina's wait; `_wait` is slept before the next attempt."""
        if not isinstance(error, ApiError):
            return False  # an interrupt of the wait, or a bug
        failure, policy = self._failure, self._failure.policy
        if not failure.retry.allows(self._request) or self._attempts >= policy.attempts:
            return False
        self._wait = self._next_wait(failure)
        return 0.0 if self._elapsed + self._wait <= min(policy.budget, self._within) else False

    def _next_wait(self, failure: Failure) -> float:
        wait = min(self._backoff * (1 + self._timing.jitter() / 2), failure.policy.max_wait)
        return max(wait, failure.retry_after)

    def _sleep(self) -> None:
        self._slept += self._wait
        self._timing.sleep(self._wait)


def parse_http_date(text: str) -> float | None:
    """Return an HTTP date in epoch seconds, or None if it is not a date."""
    from email.utils import parsedate_to_datetime

    try:
        date = parsedate_to_datetime(text)
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):  # all that the parser may raise
        return None


def parse_retry_after(header: str, now: float) -> float:
    """Return the seconds of a Retry-After header, a number or an HTTP date; 0.0 if it is neither.

    `now` is the time of the answer by the server's clock, in epoch seconds.
    """
    try:
        seconds = float(header)
    except ValueError:
        until = parse_http_date(header)
        seconds = 0.0 if until is None else until - now
    return 0.0 if math.isnan(seconds) else max(seconds, 0.0)
