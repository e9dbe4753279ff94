"""Connections as lanes, each for one call at a time.

The pool that httpx brings walks through all its connections for every call, under one lock: at 32 calls at
once that is half of the time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx


class Lanes:
    """As many clients as there ever were calls at once. Every method may be called from any thread."""

    def __init__(self, build: Callable[[], httpx.Client]) -> None:
        self._build = build
        first = build()  # at once, so that what cannot be built is told before the first call
        self._all = [first]
        self._free = deque(self._all)

    @contextmanager
    def one(self) -> Iterator[httpx.Client]:
        """A client that nobody else is using; the one used last, whose connection is warm."""
        try:
            client = self._free.pop()
        except IndexError:
            client = self._build()
            self._all.append(client)
        try:
            yield client
        finally:
            self._free.append(client)

    def close(self) -> None:
        for client in self._all:
            client.close()
