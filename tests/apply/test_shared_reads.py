"""Reads that several changes share: which call each costs, and what a listing proves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import pytest

from reconciler.apply.read_back import Condition, Gone, Visible
from reconciler.apply.shared_reads import Outcome, SharedReads, Wait
from reconciler.model import durations
from reconciler.model.errors import AnswerLost, IncompleteListing, ReconcilerError
from reconciler.model.problem import Problem
from reconciler.model.resource import Listing, Live
from reconciler.novita.account import AccountReader
from tests.builders import live

FAILURE = AnswerLost(Problem(code="answer-lost", summary="no answer"))


class Clock:
    def __init__(self) -> None:
        self.time = 100.0

    def now(self) -> float:
        return self.time

    def wait(self, seconds: float) -> None:
        self.time += seconds


class Account:
    """An account whose listing and whose single reads can differ."""

    def __init__(self, clock: Clock, *endpoints: Live) -> None:
        self.clock = clock
        self.listed = {one.id: one for one in endpoints}
        self.readable: dict[str, Live | ReconcilerError] = dict(self.listed)
        self.is_complete = True
        self.listing_error: ReconcilerError | None = None
        self.seconds = 0.0
        self.calls: list[str] = []

    def list_unverified(self) -> Listing:
        self.calls.append("list")
        self.clock.time += self.seconds
        if self.listing_error is not None:
            raise self.listing_error
        return Listing(endpoints=tuple(self.listed.values()), requests=2, is_complete=self.is_complete)

    def get(self, object_id: str) -> Live | None:
        self.calls.append(object_id)
        answer = self.readable.get(object_id)
        if isinstance(answer, ReconcilerError):
            raise answer
        return answer


def endpoint(number: int, *, state: str = "serving", **declared: Any) -> Live:
    return live(f"e{number}", f"id-{number}", state=state, **declared)


class World:
    """Five endpoints, their reads, and waits for them."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.endpoints = [endpoint(number) for number in range(5)]
        self.account = Account(self.clock, *self.endpoints)
        self.reads = SharedReads(cast(AccountReader, self.account), self.clock, parallelism=2, account_size=5)

    def waits(self, condition: Callable[[Live], Condition], count: int = 5) -> list[Wait]:
        return [Wait(condition(one), self.clock.time) for one in self.endpoints[:count]]

    def poll(self, waits: Sequence[Wait], checks: int = 0) -> dict[str, Outcome]:
        return {wait.condition.id: outcome for wait, outcome in self.reads.poll(waits, checks=checks)}


def written(one: Live) -> Condition:
    return Visible(id=one.id, target=one.fields)


def deleted(one: Live) -> Condition:
    return Gone(id=one.id, released=True)


ALL_MET = {f"id-{number}": None for number in range(5)}


@pytest.fixture
def world() -> World:
    return World()


def test_one_listing_reads_back_many(world: World) -> None:
    assert world.poll(world.waits(written)) == ALL_MET
    assert world.account.calls == ["list"]


def test_few_are_read_singly(world: World) -> None:
    assert world.poll(world.waits(written, 2)) == {"id-0": None, "id-1": None}
    assert sorted(world.account.calls) == ["id-0", "id-1"]


def test_few_new_endpoints_are_read_singly(world: World) -> None:
    """They may be listed before they can be read by their IDs."""
    waits = world.waits(lambda one: Visible(id=one.id, target=one.fields, is_new=True))
    world.account.readable.clear()
    assert world.poll(waits) == {}
    world.account.readable.update((one.id, one) for one in world.endpoints)
    assert world.poll(waits) == ALL_MET
    assert "list" not in world.account.calls


def test_what_a_late_listing_lacks_is_read_singly(world: World) -> None:
    del world.account.listed["id-1"], world.account.listed["id-3"]
    assert world.poll(world.waits(written)) == ALL_MET
    assert world.account.calls == ["list", "id-1", "id-3"]


def test_what_nobody_shows_yet_costs_one_read_besides_the_listing(world: World) -> None:
    world.account.listed.clear()
    world.account.readable.clear()
    waits = world.waits(written)
    assert world.poll(waits) == {}
    assert world.account.calls == ["list", "id-0"]
    assert world.poll(waits) == {}
    assert sorted(world.account.calls[2:]) == ["id-1", "list"], "another one each time"


def test_reads_that_are_ahead_of_the_listing_are_found_later_too(world: World) -> None:
    world.account.listed.clear()
    world.account.readable.clear()
    waits = world.waits(written)
    world.poll(waits)
    world.account.readable.update((one.id, one) for one in world.endpoints)
    assert world.poll(waits) == ALL_MET


def test_a_listing_that_fails_is_replaced_by_single_reads(world: World) -> None:
    world.account.listing_error = IncompleteListing(FAILURE.problem)
    assert world.poll(world.waits(written)) == ALL_MET
    assert world.poll(world.waits(written)) == ALL_MET
    assert world.account.calls.count("list") == 1


def test_a_failed_read_is_the_outcome_of_its_wait_alone(world: World) -> None:
    world.account.listing_error = FAILURE
    world.account.readable["id-2"] = FAILURE
    assert world.poll(world.waits(written)) == {**ALL_MET, "id-2": FAILURE}


def test_the_last_read_is_a_single_one(world: World) -> None:
    """The problem names what the endpoint itself answers, not what a listing showed."""
    waits = world.waits(lambda one: Visible(id=one.id, target={**one.fields, "name": "other"}))
    assert world.poll(waits) == {}
    world.clock.time += durations.VISIBLE_TIMEOUT
    found = world.poll(waits)
    assert {outcome.code for outcome in found.values() if isinstance(outcome, Problem)} == {"value-kept"}
    assert set(found) == set(ALL_MET)
    assert set(world.account.calls[-5:]) == set(ALL_MET) or set(world.account.calls[-6:]) >= set(ALL_MET)


def seen(world: World) -> None:
    """Let a listing show all endpoints before they are deleted."""
    assert world.poll([], checks=5) == {}
    world.account.calls.clear()


def test_absence_from_a_complete_listing_proves_a_delete(world: World) -> None:
    seen(world)
    world.account.listed.clear()
    assert world.poll(world.waits(deleted)) == ALL_MET
    assert world.account.calls == ["list"]


@pytest.mark.parametrize("was_listed", [True, False])
def test_absence_from_an_incomplete_listing_or_of_an_unseen_endpoint_proves_nothing(
    world: World, was_listed: bool
) -> None:
    if was_listed:
        seen(world)
    world.account.is_complete = not was_listed
    world.account.listed.clear()
    assert world.poll(world.waits(deleted)) == {}
    assert world.account.calls == ["list", "id-0"]
    world.account.readable.clear()
    world.account.calls.clear()
    assert world.poll(world.waits(deleted)) == ALL_MET
    assert world.account.calls[0] == "list"
    assert set(world.account.calls[1:]) == set(ALL_MET)


def test_a_listing_that_still_shows_a_deleted_endpoint_is_asked_about(world: World) -> None:
    world.account.readable.clear()
    assert world.poll(world.waits(deleted)) == ALL_MET
    assert world.account.calls == ["list", *ALL_MET]


def test_a_terminating_endpoint_is_deleted_but_its_app_name_is_not_free(world: World) -> None:
    ending = [endpoint(number, state="terminating") for number in range(5)]
    world.account.listed = {one.id: one for one in ending}
    world.account.readable = dict(world.account.listed)
    assert world.poll(world.waits(deleted)) == {}
    assert world.poll(world.waits(lambda one: Gone(id=one.id, released=False))) == ALL_MET


def is_equal(planned: Live) -> Callable[[Live], bool]:
    return lambda now: now.fields == planned.fields


def checked(world: World, number: int = 0) -> Live | None:
    return world.reads.check(world.endpoints[number], is_equal(world.endpoints[number]))


def test_a_check_uses_a_recent_listing_once(world: World) -> None:
    assert not world.reads.has_fresh_listing
    world.poll([], checks=5)
    assert world.reads.has_fresh_listing
    assert checked(world) == world.endpoints[0]
    assert world.account.calls == ["list"]
    assert checked(world) == world.endpoints[0]
    assert world.account.calls == ["list", "id-0"], "its own write may have come between"


def test_a_check_reads_singly_what_the_listing_shows_otherwise_or_not_at_all(world: World) -> None:
    world.account.listed["id-0"] = endpoint(0, port=9000)
    del world.account.listed["id-1"]
    world.poll([], checks=5)
    assert checked(world, 0) == world.endpoints[0]
    assert checked(world, 1) == world.endpoints[1]
    assert world.account.calls == ["list", "id-0", "id-1"]


def test_an_old_listing_is_not_used(world: World) -> None:
    world.poll([], checks=5)
    world.clock.time += durations.MAX_CHECK_AGE
    assert not world.reads.has_fresh_listing
    checked(world)
    assert world.account.calls == ["list", "id-0"]


@pytest.mark.parametrize("fault", ["few", "failed", "slow"])
def test_checks_are_single_where_a_listing_is_not_worth_it(world: World, fault: str) -> None:
    """The stage goes on with single checks, and asks for no further listing before its writes."""
    world.account.listing_error = FAILURE if fault == "failed" else None
    world.account.seconds = durations.MAX_CHECK_AGE if fault == "slow" else 0.0
    world.poll([], checks=2 if fault == "few" else 5)
    world.account.calls.clear()
    world.clock.time += 60.0
    assert world.reads.has_fresh_listing
    assert checked(world) == world.endpoints[0]
    assert world.account.calls == ["id-0"]


def test_reads_between_writes_wait_for_a_batch(world: World) -> None:
    few, some, many = (
        [Wait(written(endpoint(number)), world.clock.time) for number in range(count)] for count in (2, 5, 8)
    )
    assert [world.reads.due(waits) for waits in (few, some, many)] == [()] * 3
    world.clock.time += durations.READ_BACK_INTERVAL
    assert [world.reads.due(waits) for waits in (few, some, many)] == [few, (), many]
    world.clock.time += durations.MAX_READ_BACK_INTERVAL
    assert world.reads.due(some) == some


def test_deletes_are_not_read_back_between_deletes(world: World) -> None:
    """No listing would prove them, and reading them singly costs a request for each."""
    gone, both = world.waits(deleted, 2), [*world.waits(deleted, 2), *world.waits(written, 2)]
    world.clock.time += durations.READ_BACK_INTERVAL
    assert (world.reads.due(gone), world.reads.due(both)) == ((), both[2:])
    world.clock.time += durations.MAX_READ_BACK_INTERVAL
    assert (world.reads.due(gone), world.reads.due(both)) == (gone, both)


@pytest.mark.parametrize(
    ("creates", "is_new", "expected"), [(31, True, True), (31, False, False), (32, True, False)]
)
def test_few_creates_are_read_back_by_their_own_threads(creates: int, is_new: bool, expected: bool) -> None:
    clock = Clock()
    account = cast(AccountReader, Account(clock))
    reads = SharedReads(account, clock, parallelism=4, account_size=creates, creates=creates)
    wait = Wait(Visible(id="a", target={}, is_new=is_new), clock.now())
    assert reads.is_read_at_once(wait) is expected
