"""Threads for what is only read: on the way out, nobody waits for an answer that nobody wants any more.

Those of concurrent.futures are waited for at the end of a process, for as long as a server likes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


class Crew:
    """Does at most `size` things (count) at once. Every method may be called from any thread."""

    def __init__(self, size: int) -> None:
        self._turn = threading.Semaphore(size)
        self._is_dismissed = False

    def begin(self, do: Callable[[], T]) -> Future[T]:
        """Do something as soon as it is its turn; the future has what it returns or raises."""
        found: Future[T] = Future()
        threading.Thread(target=self._do, args=(do, found), name="crew", daemon=True).start()
        return found

    def dismiss(self) -> None:
        """Cancel what has not begun, and do not wait for the rest."""
        self._is_dismissed = True

    def _do(self, do: Callable[[], T], found: Future[T]) -> None:
        with self._turn:
            if self._is_dismissed:
                found.cancel()
                return
            try:
                found.set_result(do())
            except BaseException as error:  # it is for whoever asks for the result
                found.set_exception(error)
