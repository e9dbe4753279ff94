"""Asking again: when a failure allows it, how often, and how long to wait in between.

A Retry-After is waited for in full, by every call of a client. One that does not fit into the budget of a
call (`failure.RetryPolicy`: 90 s of calls and waits at most) ends it at once, and the error has the number.

stamina counts the attempts and computes the exponential waits. It has no way to inject a sleep (its testing
mode only zeroes the waits, for the whole process), and a run must be able to interrupt a wait and a test to
observe it. So its hook returns a wait of 0, and the wait it would have made, jitter added, is slept here.
"""

from __future__ import annotations

import logging
import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC

from reconciler.model.errors import ApiError
from reconciler.model.request import Request
from reconciler.model.values import Json
from reconciler.novita import errors
from reconciler.novita.errors import Failure
from reconciler.novita.responses import Outcome, Success

_FIRST_WAIT = 0.5
_MOST_ATTEMPTS = 8
_LONGEST_WAIT = 8.0
_SILENT = logging.NullHandler()


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """The clocks, the sleep and the dice, so that tests wait for nothing and a run can cut a wait short.

    `is_own_process`: no other code of this process uses stamina. Then its log output, which structlog would
    send to stdout, can be switched off.
    """

    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time
    dice: Callable[[], float] = random.random
    is_own_process: bool = False


class ServerPause:
    """The pause that Novita asked for, which all calls of a client make. Thread-safe."""

    def __init__(self, timing: Timing) -> None:
        self._timing = timing
        self._end = -math.inf

    def ask(self, seconds: float) -> None:
        """Novita has asked for a pause of so many seconds."""
        if seconds > 0:
            self._end = max(self._end, self._timing.clock() + seconds)

    def wait(self, request: Request, budget: float) -> Failure | None:
        """Wait for its end, or say that it is further away than `budget` seconds."""
        began = self._timing.clock()
        while (left := self._end - (now := self._timing.clock())) > 0:
            if now - began + left > budget:
                return errors.paused(request, seconds=left)
            self._timing.sleep(left)
        return None


def send_with_retries(request: Request, attempt: Callable[[int], Outcome], timing: Timing) -> Json:
    """The JSON of the first attempt that succeeds; raises the error of the last one."""
    started = timing.clock()
    outcome = attempt(1)
    if isinstance(outcome, Success):
        return outcome.json
    if not outcome.again.allows(request):
        raise outcome.error()
    return _Persistence(request, attempt, timing, outcome, started).run()


class _Persistence:
    """The attempts after the first one, which is only replayed so that stamina counts it."""

    def __init__(
        self,
        request: Request,
        attempt: Callable[[int], Outcome],
        timing: Timing,
        first: Failure,
        started: float,
    ) -> None:
        self._request = request
        self._attempt = attempt
        self._timing = timing
        self._failure = first
        self._started = started
        self._slept = 0.0
        self._tries = 1
        self._backoff = 0.0
        self._wait = 0.0

    def run(self) -> Json:
        import stamina

        # stamina logs every retry as a warning, which without any handler would land on stderr.
        logging.getLogger("stamina").addHandler(_SILENT)
        if self._timing.is_own_process:
            stamina.instrumentation.set_on_retry_hooks([])
        for turn in stamina.retry_context(
            on=self._again,
            attempts=_MOST_ATTEMPTS,
            timeout=None,
            wait_initial=_FIRST_WAIT,
            wait_max=_LONGEST_WAIT,
            wait_jitter=0.0,
        ):
            with turn:
                self._backoff = turn.next_wait
                if turn.num == 1:
                    raise self._failure.error()
                self._pause()
                self._tries = turn.num
                outcome = self._attempt(turn.num)
                if isinstance(outcome, Success):
                    return outcome.json
                self._failure = outcome
                raise outcome.error(tries=self._tries, seconds=self._elapsed)
        raise AssertionError("stamina raises the last error")  # pragma: no cover

    @property
    def _elapsed(self) -> float:
        """Seconds since the first attempt began; a sleep that was cut short, or faked, counts in full."""
        return max(self._timing.clock() - self._started, self._slept)

    def _again(self, error: Exception) -> bool | float:
        """False ends it; 0.0 is stamina's wait, ours has been noted and comes before the next attempt."""
        if not isinstance(error, ApiError):
            return False  # an interrupt of the wait, or a mistake of ours
        failure, patience = self._failure, self._failure.patience
        if not failure.again.allows(self._request) or self._tries >= patience.attempts:
            return False
        self._wait = self._next_wait(failure)
        return 0.0 if self._elapsed + self._wait <= patience.budget else False

    def _next_wait(self, failure: Failure) -> float:
        wait = min(self._backoff * (1 + self._timing.dice() / 2), failure.patience.longest)
        return max(wait, failure.asked)

    def _pause(self) -> None:
        self._slept += self._wait
        self._timing.sleep(self._wait)


def parse_http_date(text: str) -> float | None:
    """The moment in epoch seconds, whatever the time zone of this machine; None for what is no date."""
    from email.utils import parsedate_to_datetime

    try:
        moment = parsedate_to_datetime(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):  # what a text may bring it to
        return None


def parse_retry_after(header: str, now: float) -> float:
    """Seconds that a Retry-After header asks for, from a number or an HTTP date; 0.0 when it says nothing.

    `now` is when the answer was made by the server's clock, in epoch seconds.
    """
    try:
        seconds = float(header)
    except ValueError:
        until = parse_http_date(header)
        seconds = 0.0 if until is None else until - now
    return 0.0 if math.isnan(seconds) else max(seconds, 0.0)
