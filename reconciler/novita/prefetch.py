"""A listing that travels while its caller is busy with something else."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import Any

from reconciler.model.resource import Listing, ListingProgress
from reconciler.novita.account import OVER, Reader
from reconciler.novita.read_threads import Crew


class Ahead(Reader):
    """A reader whose first listing may `begin` before it is asked for."""

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self._first: Future[Listing] | None = None
        self._guard = threading.Lock()  # of what is told
        self._is_wanted = True

    def begin(self) -> None:
        self._first = Crew(1).begin(super().listing)

    def listing(self) -> Listing:
        first, self._first = self._first, None
        return super().listing() if first is None else first.result()

    def abandon(self) -> None:
        """Tell of no further page. None is asked for either, once the client is closed."""
        with self._guard:
            super()._tell(OVER)
            self._is_wanted = False

    def _tell(self, found: ListingProgress) -> None:
        with self._guard:
            if self._is_wanted:
                super()._tell(found)
