"""A listing that travels while its caller is busy with something else."""

from __future__ import annotations

import threading
from concurrent.futures import Future

from reconciler.model.resource import Listed, Listing, Page
from reconciler.novita.remote import Reader


class Ahead(Reader):
    """A reader whose first listing may `begin` before it is asked for."""

    _first: Future[Listing] | None = None
    _is_wanted = True

    def begin(self) -> None:
        self._first = Future()
        # a daemon: nobody waits for an answer that nobody wants any more
        threading.Thread(target=self._list_into, args=(self._first,), name="ahead", daemon=True).start()

    def listing(self) -> Listing:
        first, self._first = self._first, None
        return super().listing() if first is None else first.result()

    def abandon(self) -> None:
        """Ask for no further page, and tell of none."""
        self._is_wanted = False
        self._on_listed(Listed(count=0, total=0, is_over=True))
        self._on_listed = lambda _listed: None

    def _list_into(self, first: Future[Listing]) -> None:
        try:
            first.set_result(super().listing())
        except BaseException as error:  # it is the caller's, who will ask for the listing
            first.set_exception(error)

    def _page(self, number: int) -> Page:
        if not self._is_wanted:
            raise Abandoned
        return super()._page(number)


class Abandoned(Exception):
    """The rest of the listing is not wanted."""
