"""A listing proven complete, from pages whose numbering, size and end Novita does not document.

Pages may count from 0 or from 1, be shorter than asked for, and past the end be empty, repeat the last one,
or be refused. So the proof needs no such knowledge: the last page asked brought nothing new, every page named
the same total, and as many endpoints were found.

While others create and delete, endpoints move from page to page, and one walk over them may miss some. Then
several walks are united, until one of them reaches its count; see docs/decisions/0024.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import TYPE_CHECKING, Final

from reconciler.model.errors import ApiError, IncompleteListing, Refused
from reconciler.model.problem import Problem
from reconciler.model.resource import Listing, Live, Page
from reconciler.novita.thread_pool import DaemonThreadPool

if TYPE_CHECKING:
    from concurrent.futures import Future

PAGE_SIZE: Final = 100
MOST_PAGES: Final = 2000
"""A listing this long is a server that never ends."""

PAUSES: Final = (0.25, 0.5, 0.5, 1.0, 2.0)
"""Seconds before each further walk, where the first one proved nothing."""

ENOUGH: Final = 4
"""Walks (count) that together miss nothing that stayed."""

Fetch = Callable[[int], Page]
"""The page of a number. Raises ValueError when the answer is no listing, and what `Client.send` raises."""

_NOTHING: Final = Page(endpoints=(), total=None)


def list_all(
    fetch: Fetch,
    *,
    parallelism: int,
    pause: Callable[[float], None] = lambda _seconds: None,
    confirm: Callable[[Iterable[str]], Iterable[Live]] = lambda _ids: (),
    tell: Callable[[int, int], None] = lambda _count, _total: None,
) -> Listing:
    """All endpoints that were there when the walk began, and are still; raises IncompleteListing.

    A quiet account takes one walk. `pause` waits between two (s). `confirm` asks for IDs that only earlier
    walks showed. `tell` hears how many of how many were found, after each page.
    """
    walks: list[_Walk] = []
    for seconds in (0.0, *PAUSES):
        if walks:
            pause(seconds)
        walks.append(_Walk(fetch, parallelism, tell))
        walks[-1].run()
        if walks[-1].is_quiet or _reach_their_count(walks):
            return _united(walks, confirm)
        if sum(bool(walk.flaw) for walk in walks) > 1 or _say_the_same(walks[-3:]):
            break
    raise IncompleteListing(_incomplete(walks))


def _reach_their_count(walks: Sequence[_Walk]) -> bool:
    """Whether one of several walks found as many as there were, with what it must have missed.

    What was seen both before and after a walk was there during it. After some more walks, what the one before
    it saw counts as well: it may have gone before its page was read.
    """
    sound = [walk for walk in walks if not walk.flaw]
    for number, walk in enumerate(sound):
        before = {one for other in sound[:number] for one in other.found}
        after = {one for other in sound[number + 1 :] for one in other.found}
        was_there = walk.found.keys() | (before & after)
        if number and len(sound) >= ENOUGH:
            was_there |= sound[number - 1].found.keys()
        if len(sound) > 1 and len(was_there) >= min(walk.totals):
            return True
    return False


def _say_the_same(walks: Sequence[_Walk]) -> bool:
    """Whether three walks agree: the account is at rest, and its count is wrong."""
    first = walks[0]
    return len(walks) > 2 and all(
        walk.found.keys() == first.found.keys() and set(walk.totals) == set(first.totals) for walk in walks
    )


def _united(walks: Sequence[_Walk], confirm: Callable[[Iterable[str]], Iterable[Live]]) -> Listing:
    """What the last walk found, and what earlier ones did and is still there."""
    last = walks[-1]
    unsure = {
        one.id: None
        for walk in walks
        for one in walk.found.values()
        if one.id not in last.found and one.is_identified
    }
    confirmed = confirm(tuple(unsure)) if unsure else ()
    return Listing(
        endpoints=(*confirmed, *(one for one in last.found.values() if one.is_identified)),
        unidentified=tuple(one for one in last.found.values() if not one.is_identified),
        requests=sum(walk.asked for walk in walks),
        pages=range(0) if last.is_quiet and len(last.pages) < 2 else last.pages,
    )


def read_pages(fetch: Fetch, numbers: Iterable[int], *, parallelism: int) -> tuple[Live, ...]:
    """What these pages show now, all asked for at once. It proves the absence of nothing."""
    with DaemonThreadPool(parallelism) as crew:
        asked = [crew.begin(_page_or_nothing, fetch, number) for number in numbers]
        found = [one.result() or _NOTHING for one in asked]
    return tuple(live for page in found for live in page.endpoints)


def glimpse(fetch: Fetch, *, parallelism: int) -> Listing:
    """What one walk over the pages shows. It proves the absence of nothing."""
    walk = _Walk(fetch, parallelism)
    walk.run()
    return Listing(
        endpoints=tuple(one for one in walk.found.values() if one.is_identified), requests=walk.asked
    )


class _Walk:
    """One walk over the pages.

    `flaw` says what was wrong with it, when it is more than a wrong count; `totals` are those that the pages
    with endpoints named, `pages` the numbers of the pages that brought some.
    """

    def __init__(
        self, fetch: Fetch, parallelism: int, tell: Callable[[int, int], None] = lambda _count, _total: None
    ) -> None:
        self._fetch = fetch
        self._tell = tell
        self._parallelism = parallelism
        self.found: dict[str, Live] = {}
        self.total = 0
        self.totals: list[int] = []
        self.pages = range(0)
        self.asked = 0
        self.flaw = ""
        self._has_moved = False  # a page brought endpoints that an earlier one had, beside new ones

    @property
    def is_quiet(self) -> bool:
        """Whether nothing moved between the pages, and the count is right: the proof."""
        is_steady = len(set(self.totals)) == 1 and not self._has_moved
        return is_steady and not self.flaw and len(self.found) >= self.total

    def run(self) -> None:
        """Walk to the end, or to a flaw."""
        try:
            first, page = self._first()
        except ValueError as error:
            self.flaw = f"the first page is no listing ({error})"
            return
        self.pages = range(first, first + 1)
        self._add(page)
        if page.total is None:
            self.flaw = "Novita did not say how many there are"
            return
        self.totals = [page.total]
        with self._pages_after(first, self._expected(page)) as pages:
            self._follow(page, pages, first + 1)

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

    def _follow(self, first: Page, pages: Iterator[Page | None], number: int) -> None:
        """Goes on until two pages in a row bring nothing new, or one does and the count is right."""
        dry = 0
        for following in pages:
            if following is None:
                self.flaw = f"page {number} is no listing"
                return
            if self._add(following):
                dry = 0
                self.pages = range(self.pages.start, number + 1)
            else:
                dry += 1
                # The first page once more is no end: a server that counts from 1 may take 0 for 1, and a
                # `total` that only counts the page would agree.
                again = dry == 1 and bool(following.endpoints) and _ids(following) == _ids(first)
                if dry == 2 or (len(self.found) >= self.total and not again):
                    return
            number += 1
        self.flaw = f"there was no end after {MOST_PAGES} pages"

    def _add(self, page: Page) -> bool:
        """Whether the page brought an endpoint not seen before; of two with one ID the later one stays."""
        before = len(self.found)
        self.found.update((live.id, live) for live in page.endpoints)
        news = len(self.found) - before
        self._has_moved |= 0 < news < len(page.endpoints)
        if page.endpoints and page.total is not None:
            self.totals.append(page.total)
        self.total = max(self.total, page.total or 0)
        self._tell(len(self.found), self.total)
        return news > 0

    def _expected(self, first: Page) -> int:
        """How many pages should follow the first, the one past the end included."""
        size = len(first.endpoints)
        return min(-(-self.total // size), MOST_PAGES) if size else 1

    def _next(self, number: int) -> Page | None:
        return _page_or_nothing(self._fetch, number)

    @contextmanager
    def _pages_after(self, first: int, expected: int) -> Iterator[Iterator[Page | None]]:
        """The pages after the first, in order: the expected ones at once if several, the rest one by one."""
        if expected <= 1:
            yield self._one_by_one(first + 1)
            return
        following = range(first + 1, first + 1 + expected)
        with DaemonThreadPool(self._parallelism) as crew:
            yield chain(self._ahead(crew, following), self._one_by_one(following.stop))

    def _ahead(self, crew: DaemonThreadPool, numbers: range) -> Iterator[Page | None]:
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


def _page_or_nothing(fetch: Fetch, number: int) -> Page | None:
    """A page after the first; empty when it is refused as past the end, None when it is no listing."""
    try:
        return fetch(number)
    except Refused as error:
        if not is_past_end(error):
            raise
        return _NOTHING
    except ValueError:
        return None


def _ids(page: Page) -> list[str]:
    return [live.id for live in page.endpoints]


def is_past_end(error: ApiError) -> bool:
    """Whether a refused page may lie past the end; a count that is short tells if it did not."""
    return isinstance(error, Refused) and error.status in (400, 404)


def _incomplete(walks: Sequence[_Walk]) -> Problem:
    last = walks[-1]
    flaw = last.flaw or f"but Novita counts {min(last.totals)}"
    is_at_rest = _say_the_same(walks[-3:])
    how = ", and showed the same each time" if is_at_rest else ", and changed from one time to the next"
    return Problem(
        code="incomplete-listing",
        summary=f"the endpoints could not be listed completely: {len(last.found)} found, {flaw}",
        detail=f"The listing was read {len(walks)} times, the last time in {last.asked} calls"
        f"{'' if last.flaw else how}."
        " Nothing is concluded from a part: an endpoint that is missing in it may well be alive.",
        hint="Run it again in a minute, as endpoints may be coming and going; if it stays,"
        " `reconciler plan -v` shows each call",
    )


def incomplete_at_page(error: ApiError, page: int) -> IncompleteListing:
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
