"""Moments and waits as HTTP writes them."""

from __future__ import annotations

import math
from datetime import UTC


def http_date(text: str) -> float | None:
    """The moment in epoch seconds, whatever the time zone of this machine; None for what is no date."""
    from email.utils import parsedate_to_datetime

    try:
        moment = parsedate_to_datetime(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):  # what a text may bring it to
        return None


def retry_after(header: str, now: float) -> float:
    """Seconds that a Retry-After header asks for, from a number or an HTTP date; 0.0 when it says nothing.

    `now` is when the answer was made by the server's clock, in epoch seconds.
    """
    try:
        seconds = float(header)
    except ValueError:
        until = http_date(header)
        seconds = 0.0 if until is None else until - now
    return 0.0 if math.isnan(seconds) else max(seconds, 0.0)


def in_seconds(seconds: float) -> str:
    """`120 s`, rounded up; in words where no digits would help."""
    return f"{math.ceil(seconds)} s" if seconds < 1e9 else "more than 30 years"
