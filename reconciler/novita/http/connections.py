"""Connections as lanes, each for one call at a time.

The pool that httpx brings walks through all its connections for every call, under one lock: at 32 calls at
once that is half of the time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, Protocol, TypeVar


class Closable(Protocol):
    def close(self) -> None: ...


T = TypeVar("T", bound=Closable)


class ConnectionPool(Generic[T]):
    """As many clients as there ever were calls at once. Every method may be called from any thread."""

    def __init__(self, build: Callable[[], T]) -> None:
        self._build = build
        self._free = deque([build()])  # at once, so that what cannot be built is told before the first call
        self._is_closed = False

    @contextmanager
    def one(self) -> Iterator[T]:
        """A client that nobody else is using; the one used last, whose connection is warm.

        Raises RuntimeError once they are closed: what is asked for then, nobody waits for.
        """
        client = self._take()
        try:
            yield client
        finally:
            self._free.append(client)
            if self._is_closed:
                self.close()

    def _take(self) -> T:
        if self._is_closed:
            raise RuntimeError("the client is closed, and sends nothing any more")
        try:
            return self._free.pop()
        except IndexError:
            return self._build()

    def close(self) -> None:
        """Close what is free at once, and what is in use when its call is over."""
        self._is_closed = True
        while self._free:
            self._free.pop().close()
