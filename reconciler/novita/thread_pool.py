"""A pool of daemon threads for reads. Pending reads are cancelled on exit.

The threads of `concurrent.futures` are no daemons: the end of the process waits for them, for as long as a
server takes to answer.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any, Self, TypeVar

T = TypeVar("T")


class DaemonThreadPool:
    """A pool of at most `size` threads (count), which end when there is nothing to do. Thread-safe.

    As a context manager it cancels on exit what has not begun.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._lock = threading.Lock()  # guards the two below
        self._busy = 0
        self._waiting: deque[tuple[Future[Any], Callable[[], Any]]] = deque()

    def submit(self, function: Callable[..., T], *args: Any) -> Future[T]:
        """Call a function as soon as a thread is free. The future has its result or exception."""
        future: Future[T] = Future()
        with self._lock:
            self._waiting.append((future, partial(function, *args)))
            if self._busy < self._size:
                self._busy += 1
                threading.Thread(target=self._work, name="reads", daemon=True).start()
        return future

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Cancel what has not begun, and do not wait for the rest."""
        with self._lock:
            for future, _call in self._waiting:
                future.cancel()
            self._waiting.clear()

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._busy -= 1
                    return
                future, call = self._waiting.popleft()
            try:
                future.set_result(call())
            except BaseException as error:  # raised again where the result is read
                future.set_exception(error)
