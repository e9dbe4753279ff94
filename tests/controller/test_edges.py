"""Each event is told when it begins, once a day, and when it ends; a new leader does not repeat it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from reconciler.controller.edges import News, news
from reconciler.controller.events import Event, EventKind
from reconciler.controller.round_events import MAX_LINE, MAX_LINES, Findings
from reconciler.controller.state import SyncState, WaitingPlan
from reconciler.model.apply_events import ChangeResult, Outcome
from reconciler.model.drift import Alarm, DriftItem, DriftReport, DriftState
from reconciler.model.plan import Cause, Drift, FieldChange
from reconciler.model.problem import Place, Problem
from reconciler.model.secrets import Secret
from tests import builders

START = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
STATE = SyncState(environment="prod", leader="deploy@a (pid 1)", revision="c0ffee")
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def alarm(name: str = "chat", value: int = 5, state: DriftState = DriftState.NEW) -> Alarm:
    change = FieldChange(path=("workerConfig", "maxNum"), before=3, after=value, cause=Cause.DRIFT)
    live = builders.live(name)
    drift = Drift(name=name, id=live.id, before={}, live=live, fields=(change,))
    item = DriftItem(field=change, fingerprint=f"{name}-{value}", state=state)
    return Alarm(drift=drift, items=(item,))


def drifted(*alarms: Alarm) -> Findings:
    return Findings(drift=DriftReport(alarms=alarms))


CALM = drifted()


class Story:
    """The rounds of one controller after another, with what each of them tells."""

    def __init__(self) -> None:
        self.now = START
        self.state: SyncState | None = None

    def round(
        self, findings: Findings, after: timedelta = timedelta(), state: SyncState = STATE
    ) -> tuple[Event, ...]:
        self.now += after
        found: News = news(self.state, state, findings, self.now)
        self.state = replace(state, told=found.told)
        return found.events


def kinds(events: tuple[Event, ...]) -> list[str]:
    return [f"{event.kind}{'!' if event.is_repeated else ''} {event.subject}" for event in events]


def test_drift_is_told_when_it_begins_and_when_it_ends() -> None:
    story = Story()
    (event,) = story.round(drifted(alarm()))
    assert event.summary == "novita_endpoint.chat was changed outside of reconciler"
    assert event.details == ("maxReplicas: 3 → 5",)
    assert (event.environment, event.revision, event.at) == ("prod", "c0ffee", START)
    assert story.round(drifted(alarm()), HOUR) == ()
    assert kinds(story.round(CALM, HOUR)) == ["drift_gone novita_endpoint.chat"]
    assert story.round(CALM, HOUR) == ()


def test_what_lasts_is_told_again_after_a_day() -> None:
    story = Story()
    story.round(drifted(alarm()))
    assert story.round(drifted(alarm()), 24 * HOUR - MINUTE) == ()
    assert kinds(story.round(drifted(alarm()), MINUTE)) == ["drift_found! novita_endpoint.chat"]
    assert story.round(drifted(alarm()), 23 * HOUR) == ()


def test_other_drift_of_the_same_endpoint_is_news() -> None:
    story = Story()
    story.round(drifted(alarm(value=5)))
    (event,) = story.round(drifted(alarm(value=6)), HOUR)
    assert event.details == ("maxReplicas: 3 → 6",)


def test_known_and_ignored_drift_is_not_told() -> None:
    story = Story()
    assert story.round(drifted(alarm(state=DriftState.KNOWN), alarm("embed", state=DriftState.IGNORED))) == ()


def test_nothing_ends_because_the_account_cannot_be_read() -> None:
    story = Story()
    guard = {"plan": Problem(code="too-many", summary="would delete half")}
    story.round(replace(drifted(alarm()), refused=guard))
    failure = Problem(code="unreachable", summary="Novita cannot be reached")
    assert kinds(story.round(Findings(failed={"account": failure}), HOUR)) == ["failed account"]
    assert kinds(story.round(replace(drifted(alarm()), refused=guard), HOUR)) == ["recovered account"]


def test_a_plan_that_waits_is_told_once_for_each_digest_and_its_end_is_silent() -> None:
    story = Story()

    def waiting(digest: str) -> SyncState:
        plan = WaitingPlan(digest=digest, since=START, revision="c0ffee", summary="1 to add")
        return replace(STATE, waiting=plan)

    (event,) = story.round(CALM, state=waiting("aaa"))
    assert (event.kind, event.digest, event.summary) == (
        EventKind.WAITING, "aaa", "A plan waits for an approval: 1 to add",
    )  # fmt: skip
    assert story.round(CALM, MINUTE, waiting("aaa")) == ()
    assert story.round(CALM, MINUTE) == ()
    assert story.round(CALM, MINUTE, waiting("aaa")) == ()
    assert [event.digest for event in story.round(CALM, MINUTE, waiting("bbb"))] == ["bbb"]
    told = sum(len(story.round(CALM, MINUTE, waiting(f"d{number}"))) for number in range(30))
    assert told == 10, "at most twelve in an hour"


def test_a_revision_that_does_not_validate_is_told_until_it_moves() -> None:
    story = Story()
    problem = Problem(
        code="schema", summary="`replicas` is not a number", place=Place(file="a.yaml", line=3, column=5),
        hint="write a number",
    )  # fmt: skip
    (event,) = story.round(Findings(drift=CALM.drift, refused={"source": problem}),
                           state=replace(STATE, rejected="bad1"))  # fmt: skip
    assert event.summary == "revision bad1 is not valid, so c0ffee stays in force"
    assert event.details == ("a.yaml:3:5: `replicas` is not a number", "write a number")
    (silent,) = story.round(CALM, MINUTE, replace(STATE, rejected="bad2"))
    assert (silent.summary, silent.details) == ("revision bad2 is not valid, so c0ffee stays in force", ())
    assert story.round(CALM, MINUTE, replace(STATE, rejected="bad2")) == ()
    assert kinds(story.round(CALM, MINUTE)) == ["recovered source"]


def test_a_failure_of_this_round_is_told_with_what_the_server_said() -> None:
    change = builders.change(builders.endpoint("chat"), None, None)
    problem = Problem(code="api", summary="failed to create", detail="the image is not allowed")
    result = ChangeResult(change=change, outcome=Outcome.FAILED, problem=problem)
    kept = {change.address: Problem(code="api", summary="failed to create", hint="again at noon")}
    story = Story()
    (event,) = story.round(replace(CALM, applied=(result,), failed=kept))
    assert event.summary == "novita_endpoint.chat: failed to create"
    assert event.details == ("the image is not allowed",)
    assert story.round(replace(CALM, failed=kept), HOUR) == ()


def test_failures_recover_one_by_one() -> None:
    story = Story()
    failed = {f"novita_endpoint.{name}": Problem(code="api", summary="no stock") for name in ("a", "b")}
    assert len(story.round(Findings(drift=CALM.drift, failed=failed))) == 2
    del failed["novita_endpoint.a"]
    assert kinds(story.round(Findings(drift=CALM.drift, failed=failed), HOUR)) == [
        "recovered novita_endpoint.a"
    ]


def test_an_apply_and_a_new_leader_are_told_as_they_happen() -> None:
    story = Story()
    story.round(CALM)
    change = builders.change(builders.endpoint("chat"), None, None)
    results = (
        ChangeResult(change=change, outcome=Outcome.DONE),
        ChangeResult(change=builders.change(builders.endpoint("embed"), None, None), outcome=Outcome.FAILED),
    )
    other = replace(STATE, leader="deploy@b (pid 9)")
    leader, applied = story.round(replace(CALM, applied=results), HOUR, other)
    assert leader.summary == "deploy@b (pid 9) acts now"
    assert (applied.summary, applied.details) == ("1 change was applied", ("created novita_endpoint.chat",))
    assert story.round(CALM, HOUR, other) == ()


def test_what_comes_and_goes_is_told_a_few_times_and_then_its_latest_state() -> None:
    story = Story()
    told = [
        event
        for number in range(6 * 24)
        for event in story.round(drifted(alarm()) if number % 2 == 0 else CALM, 10 * MINUTE)
    ]
    assert len(told) == 6
    assert kinds(tuple(told[:3])) == [
        f"{kind} novita_endpoint.chat" for kind in ("drift_found", "drift_gone", "drift_found")
    ]
    assert "changes often" in told[2].details[-1]
    for _ in range(3):
        story.round(CALM, 24 * HOUR)
    assert story.state is not None
    assert list(story.state.told) == ["leader_changed leader"], "nothing else is kept for ever"


def test_a_state_that_settles_while_it_was_held_back_is_told_then() -> None:
    story = Story()
    for value in (5, 6, 7):
        assert story.round(drifted(alarm(value=value)), MINUTE)
    assert story.round(CALM, MINUTE) == ()
    assert kinds(story.round(CALM, HOUR)) == ["drift_gone novita_endpoint.chat"]


@pytest.mark.parametrize("told", ["", "x", "mark,nonsense", "mark,99999999999999999999", ",,,"])
def test_a_told_state_that_is_not_readable_counts_as_nothing(told: str) -> None:
    before = replace(STATE, told={"drift_found novita_endpoint.chat": told, "nonsense": "a", "": ""})
    found = news(before, STATE, drifted(alarm()), START)
    assert set(found.told) == {"drift_found novita_endpoint.chat", "leader_changed leader"}
    assert kinds(found.events) == ["drift_found novita_endpoint.chat"]


@pytest.mark.parametrize("jump", [timedelta(seconds=-90), timedelta(days=-4000), timedelta(days=4000)])
def test_a_clock_that_jumps_repeats_at_most_once(jump: timedelta) -> None:
    story = Story()
    story.round(drifted(alarm()))
    first = story.round(drifted(alarm()), jump)
    assert len(first) == (1 if abs(jump) > timedelta(days=1) else 0)
    assert story.round(drifted(alarm()), MINUTE) == ()


def test_texts_are_bounded_and_on_one_line_each() -> None:
    detail = "\n".join(f"line {number}" for number in range(100))
    problem = Problem(code="x", summary="s" * 10_000 + "\x1b[31m\n::error::", detail=detail)
    (event,) = Story().round(Findings(drift=CALM.drift, failed={"account": problem}))
    assert len(event.summary) == MAX_LINE
    assert (len(event.details), event.details[-1]) == (MAX_LINES, "and 81 more")


def test_a_secret_value_is_masked() -> None:
    secret = Secret("hunter2-hunter2", "${env:TOKEN}")
    change = FieldChange(path=("envs", "TOKEN"), before=secret, after=Secret("other-secret", ""),
                         cause=Cause.DRIFT, sensitive=True)  # fmt: skip
    drift = replace(alarm().drift, fields=(change,))
    (event,) = Story().round(drifted(Alarm(drift=drift, items=(DriftItem(field=change, fingerprint="f"),))))
    assert "hunter2" not in str(event)
    assert "other-secret" not in str(event)
    assert event.details == ("env.TOKEN: (sensitive value) → (sensitive value)",)


def test_a_deleted_endpoint_is_told_as_deleted() -> None:
    drift = replace(alarm().drift, live=None, fields=())
    (event,) = Story().round(drifted(Alarm(drift=drift, items=(DriftItem(field=None, fingerprint="f"),))))
    assert (event.summary, event.details) == ("novita_endpoint.chat was deleted outside of reconciler", ())
