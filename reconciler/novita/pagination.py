"""Listings that are proven complete, although Novita does not document how its pages are counted or end.

Pages may be counted from 0 or 1 and be shorter than requested. A page past the end may be empty, repeat the
last one, or be refused. So a listing is complete if the last page had no new endpoint, all pages named the
same total, and as many endpoints were found.

While others create and delete endpoints, these move between pages, and one scan may miss some. Then several
scans are merged until one of them reaches its total; see docs/decisions/0024.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Final

from reconciler.model import durations
from reconciler.model.errors import ApiError, IncompleteListing, Refused
from reconciler.model.problem import Problem
from reconciler.model.resource import Listing, Live, Page
from reconciler.novita.thread_pool import DaemonThreadPool, Pending

PAGE_SIZE: Final = 100
MAX_PAGES: Final = 2000
"""Pages (count) after which a listing is taken to be endless."""

ENOUGH_SCANS: Final = 4
"""Scans (count) that together miss no endpoint that existed all the time."""

Fetch = Callable[[int], Page]
"""Returns a page by its number. Raises ValueError if it is not a listing, and the errors of `Client.send`."""

Progress = Callable[[int, int], None]
"""Gets the number of found endpoints and the total after each page."""

_EMPTY_PAGE: Final = Page(endpoints=(), total=None)


def list_all(
    fetch: Fetch,
    *,
    parallelism: int,
    pause: Callable[[float], None] = lambda _seconds: None,
    confirm: Callable[[Iterable[str]], Iterable[Live]] = lambda _ids: (),
    on_progress: Progress = lambda _count, _total: None,
) -> Listing:
    """Return all endpoints that exist from the first request to the last. Raise IncompleteListing.

    An account without changes takes one scan. `pause` waits some seconds between scans. `confirm` reads the
    IDs that only earlier scans found.
    """
    scans: list[_Scan] = []
    for seconds in (0.0, *durations.SCAN_PAUSES):
        if scans:
            pause(seconds)
        scans.append(_Scan(fetch, parallelism, on_progress))
        scans[-1].run()
        if scans[-1].is_complete or _any_reaches_total(scans):
            return _merge(scans, confirm)
        if sum(bool(scan.flaw) for scan in scans) > 1 or _agree(scans[-3:]):
            break
    raise IncompleteListing(_incomplete(scans))


def _any_reaches_total(scans: Sequence[_Scan]) -> bool:
    """Return whether one of several scans reaches its total, with the endpoints that it must have missed.

    An endpoint that was found before and after a scan existed during it. From `ENOUGH_SCANS` on, those of the
    previous scan count too: they may have been deleted before their page was read.
    """
    usable = [scan for scan in scans if not scan.flaw]
    for number, scan in enumerate(usable):
        before = {object_id for other in usable[:number] for object_id in other.found}
        after = {object_id for other in usable[number + 1 :] for object_id in other.found}
        existing = scan.found.keys() | (before & after)
        if number and len(usable) >= ENOUGH_SCANS:
            existing |= usable[number - 1].found.keys()
        if len(usable) > 1 and len(existing) >= min(scan.totals):
            return True
    return False


def _agree(scans: Sequence[_Scan]) -> bool:
    """Return whether three scans are equal: then nothing changes, and the total of the server is wrong."""
    first = scans[0]
    return len(scans) > 2 and all(
        scan.found.keys() == first.found.keys() and set(scan.totals) == set(first.totals) for scan in scans
    )


def _merge(scans: Sequence[_Scan], confirm: Callable[[Iterable[str]], Iterable[Live]]) -> Listing:
    """Return what the last scan found, and what only earlier ones found and still exists."""
    last = scans[-1]
    unsure = {
        live.id: None
        for scan in scans
        for live in scan.found.values()
        if live.id not in last.found and live.is_identified
    }
    confirmed = confirm(tuple(unsure)) if unsure else ()
    return Listing(
        endpoints=(*confirmed, *(live for live in last.found.values() if live.is_identified)),
        unidentified=tuple(live for live in last.found.values() if not live.is_identified),
        requests=sum(scan.requests for scan in scans),
        pages=range(0) if last.is_complete and len(last.pages) < 2 else last.pages,
    )


def read_pages(fetch: Fetch, numbers: Iterable[int], *, parallelism: int) -> tuple[Live, ...]:
    """Return the endpoints of these pages, which are read in parallel."""
    with DaemonThreadPool(parallelism) as pool:
        futures = [pool.submit(fetch, number) for number in numbers]
        pages = [_page_or_none(future.result) or _EMPTY_PAGE for future in futures]
    return tuple(live for page in pages for live in page.endpoints)


def list_unverified(fetch: Fetch, *, parallelism: int) -> Listing:
    """Return what one scan finds. If it is not complete, an endpoint that is missing in it may exist."""
    scan = _Scan(fetch, parallelism)
    scan.run()
    identified = tuple(live for live in scan.found.values() if live.is_identified)
    return Listing(
        endpoints=identified,
        requests=scan.requests,
        is_complete=scan.is_complete and len(identified) == len(scan.found),
    )


class _Scan:
    """One pass over the pages.

    `flaw` is what is wrong with it, other than its count. `totals` are the totals of the pages with
    endpoints, `pages` the numbers of the pages with new ones, `requests` the number of requests.
    """

    def __init__(
        self, fetch: Fetch, parallelism: int, on_progress: Progress = lambda _count, _total: None
    ) -> None:
        self._fetch = fetch
        self._on_progress = on_progress
        self._parallelism = parallelism
        self.found: dict[str, Live] = {}
        self.total = 0
        self.totals: list[int] = []
        self.pages = range(0)
        self.requests = 0
        self.flaw = ""
        self._has_moved = False  # a page had new endpoints and some of an earlier page

    @property
    def is_complete(self) -> bool:
        """Return whether nothing moved between pages, and as many endpoints were found as all pages count."""
        is_steady = len(set(self.totals)) == 1 and not self._has_moved
        return is_steady and not self.flaw and len(self.found) >= self.total

    def run(self) -> None:
        """Read all pages, or up to a flaw. The first two pages are requested at the same time."""
        with DaemonThreadPool(self._parallelism) as pool:
            second = pool.submit(self._fetch, 1)
            self.requests = 2
            try:
                first, page = self._first_page(second)
            except ValueError as error:
                self.flaw = f"the first page is no listing ({error})"
                return
            self.pages = range(first, first + 1)
            self._add(page)
            if page.total is None:
                self.flaw = "Novita did not say how many there are"
                return
            self.totals = [page.total]
            self._read_to_end(page, self._pages_after(first, page, second, pool), first + 1)

    def _first_page(self, second: Pending[Page]) -> tuple[int, Page]:
        """Return the number of the first page, and the page. Raise ValueError if there is none."""
        try:
            page = self._fetch(0)
        except Refused as error:
            if error.status != 400:
                raise
            return 1, second.result()
        if page.endpoints or not page.total:
            return 0, page
        # Page 0 is empty although there are endpoints: this server counts pages from 1.
        following = _page_or_none(second.result)
        if following is None or not following.endpoints:
            raise ValueError(f"it is empty, yet counts {page.total}")
        return 1, following

    def _read_to_end(self, first: Page, pages: Iterator[Page | None], number: int) -> None:
        """Read until two pages in a row have nothing new, or one does and the count is right."""
        without_news = 0
        for following in pages:
            if following is None:
                self.flaw = f"page {number} is no listing"
                return
            if self._add(following):
                without_news = 0
                self.pages = range(self.pages.start, number + 1)
            else:
                without_news += 1
                # A repeated first page is no end: a server that counts from 1 may take page 0 for page 1,
                # and a `total` that counts only the page would agree.
                is_first_again = bool(following.endpoints) and _ids(following) == _ids(first)
                is_counted = len(self.found) >= self.total and not (without_news == 1 and is_first_again)
                if without_news == 2 or is_counted:
                    return
            number += 1
        self.flaw = f"there was no end after {MAX_PAGES} pages"

    def _add(self, page: Page) -> bool:
        """Add the endpoints of a page, and return whether it has a new one. The last one of an ID is kept."""
        before = len(self.found)
        self.found.update((live.id, live) for live in page.endpoints)
        news = len(self.found) - before
        self._has_moved |= 0 < news < len(page.endpoints)
        if page.endpoints and page.total is not None:
            self.totals.append(page.total)
        self.total = max(self.total, page.total or 0)
        self._on_progress(len(self.found), self.total)
        return news > 0

    def _expected_pages(self, first: Page) -> int:
        """Return how many pages should follow the first one, with the one past the end."""
        size = len(first.endpoints)
        return min(max(1, -(-self.total // size)), MAX_PAGES) if size else 1

    def _pages_after(
        self, first: int, page: Page, second: Pending[Page], pool: DaemonThreadPool
    ) -> Iterator[Page | None]:
        """Yield the pages after the first in order. The expected ones are read in parallel.

        A limited number is requested ahead, because the total may be too high.
        """
        expected = range(first + 1, first + 1 + self._expected_pages(page))
        waiting = deque([second] if first == 0 else [])
        for number in expected[len(waiting) :]:
            waiting.append(pool.submit(self._fetch, number))
            self.requests += 1
            if len(waiting) >= 2 * self._parallelism:
                yield _page_or_none(waiting.popleft().result)
        while waiting:
            yield _page_or_none(waiting.popleft().result)
        yield from self._in_sequence(expected.stop)

    def _in_sequence(self, number: int) -> Iterator[Page | None]:
        for following in range(number, MAX_PAGES):
            self.requests += 1
            yield _page_or_none(partial(self._fetch, following))


def _page_or_none(read: Callable[[], Page]) -> Page | None:
    """Return a page after the first: an empty one if it is past the end, None if it is not a listing."""
    try:
        return read()
    except Refused as error:
        if not is_past_end(error):
            raise
        return _EMPTY_PAGE
    except ValueError:
        return None


def _ids(page: Page) -> list[str]:
    return [live.id for live in page.endpoints]


def is_past_end(error: ApiError) -> bool:
    """Return whether a refused page may be past the end. If it is not, the count is too low."""
    return isinstance(error, Refused) and error.status in (400, 404)


def _incomplete(scans: Sequence[_Scan]) -> Problem:
    last = scans[-1]
    flaw = last.flaw or f"but Novita counts {min(last.totals)}"
    how = ", with the same result each time" if _agree(scans[-3:]) else ", with different results"
    return Problem(
        code="incomplete-listing",
        summary=f"the endpoints could not be listed completely: {len(last.found)} found, {flaw}",
        detail=f"The listing was read {len(scans)} times, the last time in {last.requests} calls"
        f"{'' if last.flaw else how}."
        " An incomplete listing is not used, because an endpoint that is missing in it may exist.",
        hint="Run the command again in a minute, as others may be creating or deleting endpoints; if it fails"
        " again, `reconciler plan -v` shows each call",
    )


def unreadable_listing(why: str) -> Problem:
    """Return the problem of a listing of one answer that cannot be read."""
    return Problem(
        code="incomplete-listing",
        summary="the listing of the account cannot be read",
        detail=f"The answer is not as expected: {why}",
        hint="run the command again in a minute; if it fails again, `reconciler plan -v` shows each call",
    )


def incomplete_at_page(error: ApiError, page: int) -> IncompleteListing:
    """Return the error of a listing whose later page failed. The problem of the call follows."""
    return IncompleteListing(
        Problem(
            code="incomplete-listing",
            summary=f"the endpoints could not be listed completely: page {page} failed",
            detail=error.problem.summary,
            hint=error.problem.hint,
        ),
        error.problem,
    )
