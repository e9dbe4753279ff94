"""Waiting until what was written serves, against an account that is told what to say."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from reconciler.apply.wait_ready import wait_until_serving
from reconciler.kinds.registry import ENDPOINT
from reconciler.model.apply_events import (
    ApplyEvent,
    ChangeResult,
    ChangeServing,
    ChangeWaiting,
    Outcome,
    WaitStarted,
)
from reconciler.model.errors import AnswerLost, IncompleteListing, KeyRefused
from reconciler.model.problem import ExitCode, Problem
from reconciler.model.resource import Listing, Live
from reconciler.novita.account import AccountReader
from reconciler.reports.terminal.progress import event_line
from tests.builders import answer, change, endpoint, live, tracked

UNREADABLE = Problem(code="x", summary="the account cannot be read")
REFUSED = Problem(code="key-refused", summary="the key is refused")


@dataclass
class HandClock:
    """Waits end at once and have passed all the same."""

    time: float = 0.0
    waits: list[float] = field(default_factory=list)

    def now(self) -> float:
        return self.time

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.time += seconds


@dataclass
class Account:
    """Says one thing after another in its listings, the last one again and again; an error is raised."""

    script: Sequence[Sequence[Live] | Exception]
    lookups: list[str] = field(default_factory=list)
    listings: int = 0

    def of(self, _kind: str) -> Account:
        return self

    def listing(self) -> Listing:
        said = self.script[min(self.listings, len(self.script) - 1)]
        self.listings += 1
        if isinstance(said, Exception):
            raise said
        return Listing(endpoints=tuple(said))

    def get(self, object_id: str) -> Live | None:
        self.lookups.append(object_id)
        return None


def seen(name: str, state: str, *workers: tuple[str, str, str]) -> Live:
    """An endpoint in a state, with workers of (ID, state, error); one that serves has a ready one."""
    if state == "serving":
        workers = workers or (("w1", "running", ""),)
    told = {
        **answer(name),
        "state": {"state": state, "error": "it broke" if state == "failed" else ""},
        "workers": [
            {"id": worker, "state": {"state": word, "error": error}, "healthy": word == "running"}
            for worker, word, error in workers
        ],
    }
    return ENDPOINT.parse_one(told)


def result(name: str, outcome: Outcome = Outcome.DONE) -> ChangeResult:
    return ChangeResult(change=change(endpoint(name), None, None), outcome=outcome, id=f"id-{name}")


def waited(
    script: Sequence[Sequence[Live] | Exception],
    *results: ChangeResult,
    within: float = 60.0,
    stop: Callable[[int], bool] = lambda _count: False,
) -> tuple[list[str], tuple[Problem, ...], Account, HandClock]:
    """Return the events, the problems and the requests. `stop` gets the count of events."""
    account, clock, stopping = Account(script), HandClock(), threading.Event()
    said: list[str] = []

    def emit(event: ApplyEvent) -> None:
        if isinstance(event, WaitStarted):
            return
        assert isinstance(event, ChangeWaiting | ChangeServing)
        said.append(str(event_line(event)).removeprefix("novita_endpoint."))
        if stop(len(said)):
            stopping.set()

    problems = wait_until_serving(
        results or (result("a"),),
        cast(AccountReader, account),
        clock,
        emit,
        within=within,
        every=10.0,
        stop=stopping,
    )
    return said, problems, account, clock


def test_a_reason_is_reported_when_it_changes() -> None:
    """The same words twice in a row are one line; words that come back are news again."""
    pending, failed = ("w1", "pending", ""), ("w1", "failed", "no stock")
    steps = [pending, pending, failed, failed, pending]
    script = [[seen("a", "initializing", step)] for step in steps] + [[seen("a", "serving")]]
    said, problems, account, _ = waited(script)
    assert said == [
        "a: Waiting: worker w1 pending",
        "a: Waiting: worker w1 failed: no stock",
        "a: Waiting: worker w1 pending",
        "a: Serving after 21s",
    ]
    assert problems == ()
    assert (account.listings, account.lookups) == (6, [])


def test_one_listing_serves_all_endpoints() -> None:
    """An endpoint that serves is not read again."""
    script = [
        [seen("a", "serving"), seen("b", "initializing")],
        [seen("b", "serving")],
    ]
    said, problems, account, _ = waited(script, result("a"), result("b"))
    assert said == ["a: Serving after 0s", "b: Waiting: initializing", "b: Serving after 1s"]
    assert (problems, account.listings, account.lookups) == ((), 2, [])


def test_a_failed_endpoint_ends_its_wait() -> None:
    """Novita gave it up; in its own words, and the others are waited for."""
    script = [[seen("a", "failed"), seen("b", "initializing")], [seen("b", "serving")]]
    said, (problem,), *_ = waited(script, result("a"), result("b"))
    assert said[-1] == "b: Serving after 1s"
    assert problem.summary == "`a` (id-a) was applied and does not serve: it broke"
    assert (problem.exit_code, problem.address) == (ExitCode.INCOMPLETE, "novita_endpoint.a")


def test_an_endpoint_that_is_neither_listed_nor_readable_is_gone() -> None:
    """Only the second of the two says so."""
    _, (problem,), account, _ = waited([[live("b")]])
    assert problem.summary.endswith("does not serve: it is gone")
    assert account.lookups == ["id-a"]


def test_the_wait_has_a_time_limit() -> None:
    """The last look is at the very end, and the last reason is what is told."""
    _, (problem,), account, clock = waited([[seen("a", "initializing", ("w", "pulling", ""))]], within=25.0)
    assert problem.summary == "`a` (id-a) was applied and does not serve after 25 s: worker w pulling"
    assert (account.listings, clock.time) == (7, 25.0)
    assert max(clock.waits) <= 0.25, "an interrupt is noticed meanwhile"


@pytest.mark.parametrize("within", [0.0, 60.0])
def test_a_time_limit_of_zero_reads_once(within: float) -> None:
    """Endpoints that serve already are reported in both cases."""
    said, problems, account, _ = waited([[seen("a", "serving")]], within=within)
    assert (said, problems, account.listings) == (["a: Serving after 0s"], (), 1)


def test_an_interrupt_ends_the_wait() -> None:
    """No further look, and the exit code of an interrupt."""
    _, (problem,), account, clock = waited([[seen("a", "initializing")]], stop=lambda count: count == 1)
    assert problem.summary.endswith("does not serve when the wait was interrupted: initializing")
    assert (problem.exit_code, account.listings, clock.time) == (ExitCode.INTERRUPTED, 1, 0.0)


@pytest.mark.parametrize("error", [AnswerLost(UNREADABLE), IncompleteListing(UNREADABLE)])
def test_a_failed_read_is_repeated(error: Exception) -> None:
    """An endpoint that cannot be read may still serve."""
    said, problems, *_ = waited([error, error, [seen("a", "serving")]])
    assert said == ["a: Waiting: the account cannot be read", "a: Serving after 3s"]
    assert problems == ()


def test_a_refused_key_ends_the_wait() -> None:
    """No other look could see more."""
    _, problems, account, _ = waited([KeyRefused(REFUSED)], result("a"), result("b"))
    assert [one.summary for one in problems] == [
        "`a` (id-a) was applied and does not serve: the key is refused",
        "`b` (id-b) was applied and does not serve: the key is refused",
    ]
    assert account.listings == 1


def test_a_bug_is_not_swallowed() -> None:
    """Only what the account says is waited out."""
    with pytest.raises(ZeroDivisionError):
        waited([ZeroDivisionError()])


@pytest.mark.parametrize(
    "one",
    [
        result("a", Outcome.FAILED),
        result("a", Outcome.NOT_ATTEMPTED),
        ChangeResult(change=change(None, tracked("a"), live("a")), outcome=Outcome.DONE, id="id-a"),
        ChangeResult(change=change(None, tracked("a"), None), outcome=Outcome.DONE, id="id-a"),
    ],
    ids=["failed", "not attempted", "deleted", "forgotten"],
)
def test_nothing_to_wait_for_sends_no_request(one: ChangeResult) -> None:
    """A change that was not done and a deleted endpoint cannot serve."""
    said, problems, account, _ = waited([[]], one)
    assert (said, problems, account.listings) == ([], (), 0)


def updated(name: str, before: Live, **declared: Any) -> ChangeResult:
    """Return the result of an update of an endpoint that had these workers before."""
    made = change(endpoint(name, **declared), tracked(name), before)
    return ChangeResult(change=made, outcome=Outcome.DONE, id=f"id-{name}")


OLD, NEW = ("w-old", "running", ""), ("w-new", "running", "")


def test_an_update_is_served_once_new_workers_have_replaced_the_old_ones() -> None:
    """The old ones serve until then, and prove nothing."""
    before = seen("a", "serving", OLD)
    script = [
        [seen("a", "serving", OLD)],
        [seen("a", "serving", OLD, ("w-new", "pulling", ""))],
        [seen("a", "serving", OLD, NEW)],
        [seen("a", "serving", ("w-old", "terminating", ""), NEW)],
    ]
    said, problems, _, _ = waited(script, updated("a", before, image="ubuntu:24.04"))
    assert said == [
        "a: Waiting: no new worker has started yet, those from before serve",
        "a: Waiting: worker w-new pulling",
        "a: Waiting: workers from before the change still serve",
        "a: Serving after 6s",
    ]
    assert problems == ()


def test_no_new_worker_at_all_is_a_warning() -> None:
    """After two minutes; the change may need none, or Novita did not notice it."""
    before = seen("a", "serving", OLD)
    said, problems, _, clock = waited([[before]], updated("a", before, image="ubuntu:24.04"), within=600.0)
    assert said[-1].startswith("a: Serving after 2m")
    (problem,) = problems
    assert (problem.code, problem.is_error) == ("no-new-worker", False)
    assert 120 <= clock.time < 140


def test_no_new_worker_in_time_is_an_error() -> None:
    before = seen("a", "serving", OLD)
    _, problems, _, _ = waited([[before]], updated("a", before, image="ubuntu:24.04"), within=30.0)
    (problem,) = problems
    assert (problem.code, problem.exit_code) == ("not-serving", ExitCode.INCOMPLETE)
    assert problem.summary.endswith("after 30 s: no new worker has started yet, those from before serve")


def test_a_change_of_other_fields_needs_no_new_worker() -> None:
    before = seen("a", "serving", OLD)
    said, _, _, _ = waited([[before]], updated("a", before, freeTimeout=9))
    assert said == ["a: Serving after 0s"]
    said, _, _, _ = waited(
        [[seen("a", "serving", NEW)]], updated("a", seen("a", "initializing"), image="x:1")
    )
    assert said == ["a: Serving after 0s"]
