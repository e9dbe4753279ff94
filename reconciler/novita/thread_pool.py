"""Threads for what is only read: on the way out, nobody waits for an answer that nobody wants any more.

Those of concurrent.futures are waited for at the end of a process, for as long as a server likes.
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
    """Does at most `size` things (count) at once. Whoever leaves its `with` wants no more of it.

    Its threads are gone when there is nothing to do. Every method may be called from any thread.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._guard = threading.Lock()  # of the two below
        self._busy = 0
        self._waiting: deque[tuple[Future[Any], Callable[[], Any]]] = deque()

    def begin(self, do: Callable[..., T], *given: Any) -> Future[T]:
        """Do something as soon as it is its turn; the future has what it returns or raises."""
        found: Future[T] = Future()
        with self._guard:
            self._waiting.append((found, partial(do, *given)))
            if self._busy < self._size:
                self._busy += 1
                threading.Thread(target=self._work, name="crew", daemon=True).start()
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Cancel what has not begun, and do not wait for the rest."""
        with self._guard:
            for found, _do in self._waiting:
                found.cancel()
            self._waiting.clear()

    def _work(self) -> None:
        while True:
            with self._guard:
                if not self._waiting:
                    self._busy -= 1
                    return
                found, do = self._waiting.popleft()
            try:
                found.set_result(do())
            except BaseException as error:  # it is for whoever asks for the result
                found.set_exception(error)
