"""The limits on the time and the size of one call, and the two ways in which a call has no answer."""

from __future__ import annotations

import time


class NotSent(Exception):
    """There was no connection, so nothing of the request was sent. Its text is the reason."""


class UnusableResponse(Exception):
    """The request was sent, but got no usable answer. Its text follows "the answer was lost"."""


class TimedOut(UnusableResponse):
    """The time of the call is over."""


class NotSendable(NotSent):
    """The request cannot be sent at all, so it is not tried again."""


class CallLimits:
    """The limits of the current call of one connection. `is_answered` once a byte of the answer has come."""

    def __init__(self) -> None:
        self._deadline = 0.0
        self._seconds = 0.0
        self._bytes_left = 0
        self._max_size = 0
        self.is_answered = False

    def start(self, seconds: float, max_size: int) -> None:
        """Start a new call with its time in seconds and the maximum size of its answer (bytes)."""
        self._seconds, self._deadline = seconds, time.monotonic() + seconds
        self._max_size = self._bytes_left = max_size
        self.is_answered = False

    def time_left(self, timeout: float | None = None) -> float:
        """Return the seconds for one step of the call. Raise TimedOut if none are left."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise self.timed_out()
        return left if timeout is None else min(left, timeout)

    def timed_out(self) -> TimedOut:
        """Return the error of a call that took all of its time."""
        what = "the answer was not complete" if self.is_answered else "no answer"
        return TimedOut(f"{what} within {self._seconds:g} s")

    def receive(self, count: int) -> None:
        """Count received bytes. Raise UnusableResponse if they are too many."""
        if count:
            self.is_answered = True
        self._bytes_left -= count
        if self._bytes_left < 0:
            raise too_large(self._max_size)


def too_large(max_size: int) -> UnusableResponse:
    return UnusableResponse(f"the answer is larger than {max_size >> 20} MiB")
