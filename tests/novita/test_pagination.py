"""Listings are proven complete whatever the paging habits, or refused as incomplete."""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import pytest

from reconciler.model import durations
from reconciler.model.errors import AnswerLost, IncompleteListing, KeyRefused, Refused, ServerError
from reconciler.model.problem import Problem
from reconciler.model.resource import Live, Page
from reconciler.novita import pagination
from reconciler.novita.pagination import list_all, read_pages

NO = Problem(code="refused", summary="no")


def live(number: int, name: str = "n") -> Live:
    return Live(id=f"id{number}", name=name, fields={})


@dataclass
class Pages:
    """A server with `count` endpoints and habits of its own.

    total: what it says of `count`; None says nothing. on_page: called with the page before it is answered.
    """

    count: int
    base: int = 0
    size: int = 100
    past_end: str = "empty"
    page_zero: str = "first"
    total: Callable[[int, int], int | None] = lambda count, shown: count
    on_page: Callable[["Pages", int], None] = lambda pages, number: None
    asked: list[int] = field(default_factory=list)

    def __call__(self, number: int) -> Page:
        self.asked.append(number)
        self.on_page(self, number)
        position = number - self.base
        if position < 0:
            if self.page_zero == "400":
                raise Refused(NO, status=400, reason="VALIDATOR_PARAM")
            if self.page_zero == "empty":
                return Page(endpoints=(), total=self.total(self.count, 0))
            position = 0
        last = max(0, -(-self.count // self.size) - 1)
        if position > last:
            if self.past_end in ("400", "404"):
                raise Refused(NO, status=int(self.past_end))
            if self.past_end == "repeat":
                position = last
        start = position * self.size
        shown = tuple(live(item) for item in range(start, min(start + self.size, self.count)))
        return Page(endpoints=shown, total=self.total(self.count, len(shown)))


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 199, 200, 250, 1000])
@pytest.mark.parametrize("past_end", ["empty", "repeat", "400", "404"])
@pytest.mark.parametrize(
    ("base", "page_zero"), [(0, "first"), (1, "first"), (1, "400"), (1, "empty")], ids=str
)
@pytest.mark.parametrize("size", [100, 30, 7])
def test_every_page_style_gives_the_whole_account(
    count: int, past_end: str, base: int, page_zero: str, size: int
) -> None:
    """Numbered from 0 or 1, capped, repeating or refusing past the end: all are found, once."""
    pages = Pages(count, base=base, size=size, past_end=past_end, page_zero=page_zero)
    listing = list_all(pages, parallelism=4)
    assert {found.id for found in listing.endpoints} == {live(item).id for item in range(count)}
    assert len(listing.endpoints) == count
    assert listing.requests == len(pages.asked)
    assert len(pages.asked) <= -(-count // size) + 4


def test_the_first_two_pages_are_requested_at_the_same_time() -> None:
    """The page past the end proves the end of most accounts; it does not cost a second round trip."""
    both = threading.Barrier(2, timeout=60)
    pages = Pages(3, on_page=lambda _pages, _number: both.wait())
    assert len(list_all(pages, parallelism=4).endpoints) == 3


def test_the_other_pages_do_not_wait_for_the_second() -> None:
    """They are requested as soon as the first page says how many there are."""
    others = threading.Event()

    def on_page(pages: Pages, number: int) -> None:
        if number == 1:
            assert others.wait(60)
        if number > 1:
            others.set()

    assert len(list_all(Pages(250, on_page=on_page), parallelism=4).endpoints) == 250


@pytest.mark.parametrize(
    ("count", "requests"), [(0, 2), (1, 2), (99, 2), (100, 2), (101, 3), (250, 4), (1000, 11), (10_000, 101)]
)
@pytest.mark.parametrize("past_end", ["empty", "400"])
def test_the_number_of_requests_of_a_listing(count: int, requests: int, past_end: str) -> None:
    """A page for each hundred, and the one past the end that proves it."""
    pages = Pages(count, past_end=past_end)
    assert list_all(pages, parallelism=10).requests == requests
    assert sorted(pages.asked) == list(range(requests))


def test_the_order_is_the_order_of_the_pages() -> None:
    """However the pages come in, the listing reads the same."""

    def dawdle(pages: Pages, number: int) -> None:
        time.sleep(0.01 if number == 1 else 0)

    listing = list_all(Pages(350, on_page=dawdle), parallelism=10)
    assert [found.id for found in listing.endpoints] == [live(item).id for item in range(350)]


@pytest.mark.parametrize("base", [0, 1])
@pytest.mark.parametrize("count", [150, 250, 400])
@pytest.mark.parametrize(
    "total",
    [lambda count, shown: shown, lambda count, shown: 0, lambda count, shown: count - 60],
    ids=["of the page", "zero", "too low"],
)
def test_a_total_that_is_too_low_hides_nothing(
    base: int, count: int, total: Callable[[int, int], int]
) -> None:
    """Only a page without news ends a listing, and the first page again is no such page."""
    listing = list_all(Pages(count, base=base, total=total), parallelism=4)
    assert len(listing.endpoints) == count


@pytest.mark.parametrize("past_end", ["empty", "repeat", "400"])
@pytest.mark.parametrize("excess", [1, 100, 10**9])
@pytest.mark.parametrize("count", [0, 60, 250])
def test_a_total_that_is_too_high_is_incomplete(count: int, excess: int, past_end: str) -> None:
    """Fewer endpoints than Novita counts is no listing, and it does not take for ever to say so."""
    pages = Pages(count, past_end=past_end, total=lambda count, shown: count + excess)
    with pytest.raises(IncompleteListing) as caught:
        list_all(pages, parallelism=4)
    problem = caught.value.problem
    assert str(count) in problem.summary
    assert "Run the command again" in problem.hint
    assert "is not used" in problem.detail
    assert len(pages.asked) < 40


def test_a_missing_total_is_incomplete() -> None:
    """Without a count there is no proof; it is requested twice."""
    pages = Pages(5, total=lambda count, shown: None)
    with pytest.raises(IncompleteListing, match="did not say how many"):
        list_all(pages, parallelism=4)
    assert pages.asked.count(0) == 2


def test_a_total_on_the_first_page_is_enough() -> None:
    """A page past the end need not repeat the count."""
    pages = Pages(3, total=lambda count, shown: count if shown else None)
    assert len(list_all(pages, parallelism=4).endpoints) == 3


def test_deleted_endpoints_cost_a_second_scan() -> None:
    """A deletion moves later endpoints forward, past a page already read; looking again finds them."""

    def vanish(pages: Pages, number: int) -> None:
        if number == 1 and len(pages.asked) < 4:
            pages.count -= 1

    pages = Pages(201, on_page=vanish, total=lambda count, shown: count)
    listing = list_all(pages, parallelism=1)
    assert len(listing.endpoints) == 200
    assert listing.requests > 4


def test_new_endpoints_are_found() -> None:
    """A growing account is followed to its new end."""

    def grow(pages: Pages, number: int) -> None:
        if number == 2 and pages.count < 500:
            pages.count += 250

    assert len(list_all(Pages(250, on_page=grow), parallelism=1).endpoints) == 500


def test_the_later_of_two_with_one_id_is_kept() -> None:
    """An endpoint met again on a later page is newer there."""
    answers = [Page(endpoints=(live(1, "old"),), total=2), Page(endpoints=(live(1, "new"), live(2)), total=2)]

    def fetch(number: int) -> Page:
        return answers[number] if number < 2 else Page(endpoints=(), total=2)

    assert [found.name for found in list_all(fetch, parallelism=4).endpoints] == ["new", "n"]


def test_one_page_without_news_is_no_end() -> None:
    """A page that came back empty by mistake is seen in the count, and looked at again."""
    hiccups = [1]

    def fetch(number: int) -> Page:
        if number == 1 and hiccups:
            hiccups.pop()
            return Page(endpoints=(), total=300)
        return Pages(300)(number)

    assert len(list_all(fetch, parallelism=1).endpoints) == 300


@pytest.mark.parametrize("bad", [0, 1, 2, 3])
def test_a_page_that_is_no_listing_is_read_again(bad: int) -> None:
    """One odd answer is forgiven, the same one twice is not."""
    for times in (1, 2):
        left = [None] * times

        def fetch(number: int, left: list[None] = left) -> Page:
            if number == bad and left:
                left.pop()
                raise ValueError("no `endpoints` in the answer")
            return Pages(250)(number)

        if times == 1:
            assert len(list_all(fetch, parallelism=2).endpoints) == 250
        else:
            with pytest.raises(IncompleteListing, match="no listing"):
                list_all(fetch, parallelism=2)


def test_a_server_that_never_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """New endpoints on every page stop at a cap."""
    monkeypatch.setattr(pagination, "MAX_PAGES", 50)
    asked: list[int] = []

    def fetch(number: int) -> Page:
        asked.append(number)
        return Page(endpoints=(live(number),), total=1)

    with pytest.raises(IncompleteListing, match="no end after 50 pages"):
        list_all(fetch, parallelism=2)
    assert len(asked) == 100


@pytest.mark.parametrize(
    "error",
    [KeyRefused(NO, status=403), ServerError(NO, status=500), AnswerLost(NO), Refused(NO, status=403)],
)
@pytest.mark.parametrize("page", [0, 1, 2])
def test_a_failing_call_raises(error: Exception, page: int) -> None:
    """An error of the call is raised at once; only a 400 or 404 may mean a page past the end."""

    def fetch(number: int) -> Page:
        if number == page:
            raise error
        return Pages(250)(number)

    with pytest.raises(type(error)):
        list_all(fetch, parallelism=2)


def test_pages_zero_and_one_refused_is_a_refusal() -> None:
    """A 400 on both is about something else than numbering."""

    def fetch(number: int) -> Page:
        raise Refused(NO, status=400)

    with pytest.raises(Refused):
        list_all(fetch, parallelism=2)


def test_ten_thousand_endpoints_are_listed_quickly() -> None:
    """The work grows with the account, not with its square."""
    started = time.process_time()
    listing = list_all(Pages(10_000), parallelism=10)
    assert len(listing.endpoints) == 10_000
    assert time.process_time() - started < 10


def walks_of(*walks: tuple[tuple[int, ...], int]) -> Callable[[int], Page]:
    """A server of one page, which shows each of these in turn: (endpoints, total)."""
    shown = iter(walks)

    def fetch(number: int) -> Page:
        numbers, total = next(shown) if number == 0 else ((), 0)
        return Page(endpoints=tuple(map(live, numbers)), total=total)

    return fetch


def test_scans_are_merged() -> None:
    """An earlier scan found what the last one missed; what only earlier ones found is read again."""
    asked: list[str] = []

    def confirm(ids: Iterable[str]) -> list[Live]:
        asked.extend(ids)
        return [live(2)]

    fetch = walks_of(((1, 2, 3), 4), ((1, 4, 5), 4), ((1, 3, 4), 4))
    listing = list_all(fetch, parallelism=1, confirm=confirm)
    assert {found.id for found in listing.endpoints} == {"id1", "id2", "id3", "id4"}
    assert asked == ["id2", "id5"]
    assert listing.pages == range(1)


def test_endpoints_deleted_before_their_page_count_after_four_scans() -> None:
    """Each walk sees three of the four that were there when it began."""
    fetch = walks_of(((1, 2), 4), ((1, 3), 4), ((1, 4), 4), ((1, 5, 6), 4))
    assert len(list_all(fetch, parallelism=1).endpoints) == 3


def test_three_equal_scans_end_the_listing() -> None:
    """The pauses grow, and their number has a bound."""
    pauses: list[float] = []
    with pytest.raises(IncompleteListing, match="2 found, but Novita counts 9") as caught:
        list_all(walks_of(*[((1, 2), 9)] * 3), parallelism=1, pause=pauses.append)
    assert pauses == list(durations.SCAN_PAUSES[:2])
    assert "read 3 times" in caught.value.problem.detail
    assert "with the same result each time" in caught.value.problem.detail


def test_a_total_that_no_scan_reaches_is_incomplete() -> None:
    """After as many walks as there are pauses, and one."""
    pauses: list[float] = []
    with pytest.raises(IncompleteListing, match="but Novita counts 9") as caught:
        list_all(walks_of(*(((one,), 9) for one in range(9))), parallelism=1, pause=pauses.append)
    assert pauses == sorted(pauses) == list(durations.SCAN_PAUSES)
    assert "with different results" in caught.value.problem.detail


@pytest.mark.parametrize(
    ("count", "pages"), [(0, range(0)), (100, range(0)), (101, range(2)), (250, range(3))]
)
def test_the_pages_of_a_listing(count: int, pages: range) -> None:
    """None for an account that came in one page, and so at one moment."""
    listing = list_all(Pages(count), parallelism=2)
    assert listing.pages == pages
    assert len(read_pages(Pages(count), pages, parallelism=2)) == (count if pages else 0)
