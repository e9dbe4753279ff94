"""Whatever comes and goes: nothing is told twice or too often, and the latest state is told in the end."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.controller.edges import LIMITS, news
from reconciler.controller.events import Event, EventKind
from reconciler.controller.round_events import Findings
from reconciler.controller.state import SyncState
from reconciler.model.problem import Problem

from .test_edges import START, STATE, alarm, drifted

DAY = timedelta(days=1)

Round = tuple[int, bool, dict[str, int], set[str], bool]

ROUNDS = st.lists(
    st.tuples(
        st.integers(1, 12 * 3600),  # seconds since the round before
        st.booleans(),  # is there a plan
        st.dictionaries(st.sampled_from(["chat", "embed"]), st.integers(4, 6), max_size=2),
        st.sets(st.sampled_from(["account", "source"])),
        st.booleans(),  # is this round that of a new leader, which reads the state
    ),
    max_size=60,
)


def findings(has_plan: bool, drift: dict[str, int], failing: set[str]) -> Findings:
    failed = {name: Problem(code="x", summary="it fails") for name in failing}
    if not has_plan:
        return Findings(failed=failed)
    return replace(drifted(*(alarm(name, value) for name, value in drift.items())), failed=failed)


@settings(max_examples=150)
@given(ROUNDS)
def test_what_is_told_is_what_happened(rounds: list[Round]) -> None:
    now, state = START, STATE
    told: list[Event] = []

    def tell(found: Findings, leader: str) -> None:
        nonlocal state
        before = state
        after = replace(STATE, leader=leader)
        result = news(before, after, found, now)
        state = replace(after, told=result.told)
        told.extend(result.events)
        assert len(result.told) <= 5, "two endpoints, two failures and the leader"

    number = 0
    for seconds, has_plan, drift, failing, is_new in rounds:
        now += timedelta(seconds=seconds)
        number += is_new
        tell(findings(has_plan, drift, failing), f"leader {number}")
    last_drift, last_failing = (rounds[-1][2], rounds[-1][3]) if rounds else ({}, set())
    for _ in range(3):  # it stays like that for some days
        now += DAY + timedelta(seconds=1)
        tell(findings(True, last_drift, last_failing), f"leader {number}")

    by_subject: dict[str, list[Event]] = defaultdict(list)
    for event in told:
        by_subject[event.subject].append(event)
    for subject, events in by_subject.items():
        if subject == "leader":
            continue
        assert_alternation(events)
        assert_limits(events)
        is_on = subject.removeprefix("novita_endpoint.") in {*last_drift, *last_failing}
        assert (events[-1].kind in (EventKind.DRIFT_FOUND, EventKind.FAILED)) == is_on
    assert set(state.told) == {
        "leader_changed leader",
        *(f"drift_found novita_endpoint.{name}" for name in last_drift),
        *(f"failed {name}" for name in last_failing),
    }


def assert_alternation(events: list[Event]) -> None:
    """Each begins before it ends, and the same is told again only after a day."""
    assert events[0].kind in (EventKind.DRIFT_FOUND, EventKind.FAILED)
    for earlier, later in pairwise(events):
        if later.is_repeated:
            assert (earlier.kind, earlier.fingerprint) == (later.kind, later.fingerprint)
            assert later.at - earlier.at >= DAY
        else:
            assert (earlier.kind, earlier.fingerprint) != (later.kind, later.fingerprint)


def assert_limits(events: list[Event]) -> None:
    for seconds, count in LIMITS:
        for first in range(len(events) - count):
            assert (events[first + count].at - events[first].at).total_seconds() >= seconds


def test_a_state_that_was_never_kept_tells_the_same_again() -> None:
    """If the state could not be written, what was found is found again, and told then."""
    first = news(STATE, STATE, drifted(alarm()), START)
    again = news(STATE, STATE, drifted(alarm()), START)
    assert first == again
    assert first.events
    assert isinstance(STATE, SyncState)
