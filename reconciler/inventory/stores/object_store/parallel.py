"""Requests at once. The library releases Python's lock while it waits, so threads do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

MAX_PARALLEL: Final = 32
"""Requests at a time (count)."""

T = TypeVar("T")
U = TypeVar("U")


def in_parallel(calls: Sequence[Callable[[], T]]) -> list[T]:
    """Return the results of these calls in their order. Raise the error of the first one that failed."""
    if len(calls) < 2:
        return [call() for call in calls]
    with ThreadPoolExecutor(min(len(calls), MAX_PARALLEL)) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


def both(first: Callable[[], T], second: Callable[[], U]) -> tuple[T, U]:
    """Return the results of two calls."""
    calls: list[Callable[[], Any]] = [first, second]
    one, other = in_parallel(calls)
    return one, other
