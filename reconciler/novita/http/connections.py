"""A pool of connections, each used by one call at a time.

The pool of httpx walks through all its connections for each call, under one lock. With 32 concurrent calls
that takes half of the time.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, Protocol, TypeVar


class Reusable(Protocol):
    @property
    def is_open(self) -> bool: ...

    def warm(self) -> None: ...

    def close(self) -> None: ...


T = TypeVar("T", bound=Reusable)


class ConnectionPool(Generic[T]):
    """A pool that grows to the highest number of concurrent calls. Thread-safe.

    Several clients may share it. It is closed when all of them have closed it.
    """

    def __init__(self, connect: Callable[[], T]) -> None:
        self._connect = connect
        self._lock = threading.Lock()  # guards the two counts
        self._size = 0
        self._users = 1
        self._free: deque[T] = deque()

    @contextmanager
    def acquire(self) -> Iterator[T]:
        """Yield a free connection: the one used last, which is still open. Raise RuntimeError once closed."""
        connection = self._take()
        try:
            yield connection
        finally:
            self._free.append(connection)
            self._close_free_if_unused()

    def _take(self) -> T:
        if not self._users:
            raise RuntimeError("the client is closed and sends no more requests")
        try:
            return self._free.pop()
        except IndexError:
            return self._new()

    def _new(self) -> T:
        with self._lock:
            self._size += 1
        return self._connect()

    def warm(self, count: int) -> None:
        """Let the pool have `count` open connections, which are opened in the background.

        A call takes one that is being opened only if no other one is free, and then waits for it.
        """
        cold: list[T] = []
        for _ in range(len(self._free)):
            try:
                connection = self._free.popleft()
            except IndexError:  # a call took it
                break
            if connection.is_open:
                self._free.append(connection)
            else:
                connection.close()
                cold.append(connection)
        cold += [self._new() for _ in range(count - self._size)]
        self._free.extendleft(cold)
        for connection in cold[:count]:
            threading.Thread(target=self._warm, args=(connection,), name="connect", daemon=True).start()

    def _warm(self, connection: T) -> None:
        if self._users:
            connection.warm()
        if not self._users:
            connection.close()

    def share(self) -> None:
        """Count one more client."""
        with self._lock:
            self._users += 1

    def close(self) -> None:
        """End the use by one client. After the last one the free connections are closed, the others later."""
        with self._lock:
            self._users -= 1
        self._close_free_if_unused()

    def _close_free_if_unused(self) -> None:
        while not self._users and self._free:
            self._free.pop().close()
