"""A listing proven complete, from pages whose numbering, size and end Novita does not document.

Pages may count from 0 or from 1, be shorter than asked for, and past the end be empty, repeat the last one,
or be refused. So the proof needs no such knowledge: the last page asked brought nothing new, and there are as
many endpoints as the largest total that any page named.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import TYPE_CHECKING, Final

from reconciler.model.errors import ApiError, IncompleteListing, Refused
from reconciler.model.problem import Problem
from reconciler.model.resource import Listing, Live, Page
from reconciler.novita.crew import Crew

if TYPE_CHECKING:
    from concurrent.futures import Future

PAGE_SIZE: Final = 100
MOST_PAGES: Final = 2000
"""A listing this long is a server that never ends."""

Fetch = Callable[[int], Page]
"""The page of a number. Raises ValueError when the answer is no listing, and what `Client.send` raises."""

_NOTHING: Final = Page(endpoints=(), total=None)


def list_all(
    fetch: Fetch,
    *,
    parallelism: int,
    pause: Callable[[], None] = lambda: None,
    tell: Callable[[int, int], None] = lambda _count, _total: None,
) -> Listing:
    """All endpoints. Walks twice if need be, as some may have moved between pages; then IncompleteListing.

    `pause` gives endpoints that come or go the time to arrive, between the two. `tell` hears how many of how
    many were found, after each page.
    """
    first = _Walk(fetch, parallelism, tell)
    if first.run():
        return first.listing(0)
    pause()
    second = _Walk(fetch, parallelism, tell)
    if second.run():
        return second.listing(first.asked)
    raise IncompleteListing(_incomplete(second))


def glimpse(fetch: Fetch, *, parallelism: int) -> Listing:
    """What one walk over the pages shows. It proves the absence of nothing."""
    walk = _Walk(fetch, parallelism)
    walk.run()
    return walk.listing(0)


class _Walk:
    """One walk over the pages. `flaw` says what was wrong with it, when it is more than a wrong count."""

    def __init__(
        self, fetch: Fetch, parallelism: int, tell: Callable[[int, int], None] = lambda _count, _total: None
    ) -> None:
        self._fetch = fetch
        self._tell = tell
        self._parallelism = parallelism
        self.found: dict[str, Live] = {}
        self.total = 0
        self.asked = 0
        self.flaw = ""

    def run(self) -> bool:
        """Whether the walk ended with the proof."""
        try:
            first, page = self._first()
        except ValueError as error:
            self.flaw = f"the first page is no listing ({error})"
            return False
        self._add(page)
        if page.total is None:
            self.flaw = "Novita did not say how many there are"
            return False
        with self._pages_after(first, self._expected(page)) as pages:
            return self._follow(page, pages, first + 1)

    def listing(self, asked_before: int) -> Listing:
        found = self.found.values()
        return Listing(
            endpoints=tuple(one for one in found if one.is_identified),
            requests=self.asked + asked_before,
            unidentified=tuple(one for one in found if not one.is_identified),
        )

    def _first(self) -> tuple[int, Page]:
        """The number of the first page, and that page; ValueError when there is none."""
        self.asked += 1
        try:
            page = self._fetch(0)
        except Refused as error:
            if error.status != 400:
                raise
            self.asked += 1
            return 1, self._fetch(1)
        if page.endpoints or not page.total:
            return 0, page
        # Empty, yet there are some: this server, too, counts from 1.
        self.asked += 1
        following = self._next(1)
        if following is None or not following.endpoints:
            raise ValueError(f"it is empty, yet counts {page.total}")
        return 1, following

    def _follow(self, first: Page, pages: Iterator[Page | None], number: int) -> bool:
        """Goes on until two pages in a row bring nothing new, or one does and the count is right."""
        dry = 0
        for following in pages:
            if following is None:
                self.flaw = f"page {number} is no listing"
                return False
            if self._add(following):
                dry = 0
            else:
                dry += 1
                # The first page once more is no end: a server that counts from 1 may take 0 for 1, and a
                # `total` that only counts the page would agree.
                again = dry == 1 and bool(following.endpoints) and _ids(following) == _ids(first)
                if len(self.found) >= self.total and not again:
                    return True
                if dry == 2:
                    return False
            number += 1
        self.flaw = f"there was no end after {MOST_PAGES} pages"
        return False

    def _add(self, page: Page) -> bool:
        """Whether the page brought an endpoint not seen before; of two with one ID the later one stays."""
        before = len(self.found)
        self.found.update((live.id, live) for live in page.endpoints)
        self.total = max(self.total, page.total or 0)
        self._tell(len(self.found), self.total)
        return len(self.found) > before

    def _expected(self, first: Page) -> int:
        """How many pages should follow the first, the one past the end included."""
        size = len(first.endpoints)
        return min(-(-self.total // size), MOST_PAGES) if size else 1

    def _next(self, number: int) -> Page | None:
        """A page after the first; empty when it is refused as past the end, None when it is no listing."""
        try:
            return self._fetch(number)
        except Refused as error:
            if not is_past_end(error):
                raise
            return _NOTHING
        except ValueError:
            return None

    @contextmanager
    def _pages_after(self, first: int, expected: int) -> Iterator[Iterator[Page | None]]:
        """The pages after the first, in order: the expected ones at once if several, the rest one by one."""
        if expected <= 1:
            yield self._one_by_one(first + 1)
            return
        following = range(first + 1, first + 1 + expected)
        with Crew(self._parallelism) as crew:
            yield chain(self._ahead(crew, following), self._one_by_one(following.stop))

    def _ahead(self, crew: Crew, numbers: range) -> Iterator[Page | None]:
        """The pages in order, asked for a little ahead, so that a count too high does not cost them all."""
        waiting: deque[Future[Page | None]] = deque()
        for number in numbers:
            waiting.append(crew.begin(self._next, number))
            self.asked += 1
            if len(waiting) >= 2 * self._parallelism:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    def _one_by_one(self, number: int) -> Iterator[Page | None]:
        for following in range(number, MOST_PAGES):
            self.asked += 1
            yield self._next(following)


def _ids(page: Page) -> list[str]:
    return [live.id for live in page.endpoints]


def is_past_end(error: ApiError) -> bool:
    """Whether a refused page may lie past the end; a count that is short tells if it did not."""
    return isinstance(error, Refused) and error.status in (400, 404)


def _incomplete(walk: _Walk) -> Problem:
    flaw = walk.flaw or f"but Novita counts {walk.total}"
    return Problem(
        code="incomplete-listing",
        summary=f"the endpoints could not be listed completely: {len(walk.found)} found, {flaw}",
        detail=f"The listing was read twice, the second time in {walk.asked} calls. Nothing is concluded"
        " from a part: an endpoint that is missing in it may well be alive.",
        hint="Run it again in a minute, as endpoints may be coming and going; if it stays,"
        " `reconciler plan -v` shows each call",
    )


def broken_off(error: ApiError, page: int) -> IncompleteListing:
    """A listing that a failing call ended on a later page; the call's own problem follows."""
    return IncompleteListing(
        Problem(
            code="incomplete-listing",
            summary=f"the endpoints could not be listed completely: page {page} failed",
            detail=error.problem.summary,
            hint=error.problem.hint,
        ),
        error.problem,
    )
