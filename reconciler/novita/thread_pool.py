"""A pool of daemon threads for reads. Reads that have not begun are cancelled on exit.

The threads of `concurrent.futures` are no daemons: the end of the process waits for them, for as long as a
server takes to answer. Its futures are not used either, because their import takes 3 ms, mostly for logging.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, Generic, Self, TypeVar

T = TypeVar("T")


class Cancelled(Exception):
    """The pool was closed before the call began."""


class Pending(Generic[T]):
    """The result of a call that may still run."""

    def __init__(self, call: Callable[[], T]) -> None:
        self._call = call
        self._is_done = threading.Event()
        self._result: T
        self._error: BaseException | None = None

    def result(self, timeout: float | None = None) -> T:
        """Return the result as soon as it is there, or raise the exception of the call.

        Raise Cancelled if the call will not be made, and TimeoutError after `timeout` seconds.
        """
        if not self._is_done.wait(timeout):
            raise TimeoutError
        if self._error is not None:
            raise self._error
        return self._result

    def cancel(self) -> None:
        """End a call that has not begun."""
        self._error = Cancelled()
        self._is_done.set()

    def run(self) -> None:
        """Make the call, and keep what it returns or raises."""
        try:
            self._result = self._call()
        except BaseException as error:  # raised again where the result is read
            self._error = error
        self._is_done.set()


class DaemonThreadPool:
    """A pool of at most `size` threads (count), which end when there is nothing to do. Thread-safe.

    As a context manager it cancels on exit what has not begun.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._lock = threading.Lock()  # guards the two below
        self._busy = 0
        self._waiting: deque[Pending[Any]] = deque()

    def submit(self, function: Callable[..., T], *args: Any) -> Pending[T]:
        """Call a function as soon as a thread is free. Return its result to wait for."""
        pending = Pending(partial(function, *args))
        with self._lock:
            self._waiting.append(pending)
            if self._busy < self._size:
                self._busy += 1
                threading.Thread(target=self._work, name="reads", daemon=True).start()
        return pending

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Cancel what has not begun, and do not wait for the rest."""
        with self._lock:
            for pending in self._waiting:
                pending.cancel()
            self._waiting.clear()

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._busy -= 1
                    return
                pending = self._waiting.popleft()
            pending.run()
