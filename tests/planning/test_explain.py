"""Why a change is planned, by which row of the planner's table, and with which calls."""

from __future__ import annotations

import dataclasses

import pytest

from reconciler.model.plan import Action, Cause, Change, Plan, Replace
from reconciler.model.resource import Desired, Live, Tracked
from reconciler.planning.explain import CAUSE_TEXT, explain, rule_of
from reconciler.planning.steps import requests_of, steps_of
from tests.builders import LARGER, change, endpoint, live, plan, tracked

BY_ID = "declared, recorded, live by its ID; "
ROWS: list[tuple[str, Desired | None, Tracked | None, Live | None]] = [
    ("declared, not recorded, none live of that name -> create", endpoint(), None, None),
    (
        "declared, recorded, its ID is gone, none live of that name -> create",
        endpoint(),
        tracked(object_id="id-gone"),
        None,
    ),
    ("declared, not recorded, one live of that name -> adopt", endpoint(), None, live()),
    ("declared, not recorded, one live of that name -> adopt", endpoint(port=1), None, live()),
    (
        "declared, recorded, its ID is gone, one live of that name -> adopt",
        endpoint(),
        tracked(object_id="id-gone"),
        live(),
    ),
    (f"{BY_ID}no field differs -> no-op", endpoint(), tracked(), live()),
    (f"{BY_ID}an immutable field differs -> replace", endpoint(spec=LARGER), tracked(), live()),
    (f"{BY_ID}only worker counts differ -> scale", endpoint(replicas=2), tracked(), live()),
    (f"{BY_ID}fields differ that can be changed -> update", endpoint(port=1), tracked(), live()),
    ("not wanted, recorded, live by its ID under that name -> delete", None, tracked(), live()),
    ("not wanted, recorded, its ID is gone -> forget", None, tracked(), None),
    (
        "not wanted, recorded, live by its ID under another name -> forget",
        None,
        tracked(object_id="id-other"),
        live("other"),
    ),
]


@pytest.mark.parametrize(("rule", "desired", "record", "found"), ROWS)
def test_each_row_of_the_table_has_its_rule(
    rule: str, desired: Desired | None, record: Tracked | None, found: Live | None
) -> None:
    """It says what is so, and what follows."""
    assert rule_of(change(desired, record, found)) == rule


def replaced(*, create_first: bool) -> Change:
    made = change(endpoint(spec=LARGER), tracked(), live())
    assert isinstance(made, Replace)
    return dataclasses.replace(made, create_first=create_first)


CHANGES = [*(change(*row[1:]) for row in ROWS), replaced(create_first=True)]


@pytest.mark.parametrize("made", CHANGES, ids=lambda made: made.action.value)
def test_the_calls_hold_every_write_in_its_order(made: Change) -> None:
    """Preview and explanation tell of the same requests; all that stands between them only reads."""
    calls = list(steps_of(made))
    writes = [(call.method, call.path) for call in calls if call.method != "GET"]
    assert writes == [(request.method, request.path) for request in requests_of(made)]
    assert all("/endpoint?id=" in call.path for call in calls if call.method == "GET")
    assert bool(calls) == bool(writes)


def test_a_create_waits_for_the_app_name_that_another_gives_up() -> None:
    """The explanation names the other endpoint; a free app name needs no wait."""
    made = plan(
        [endpoint("new", appName="shared"), endpoint("other")],
        [tracked("old")],
        [live("old", appName="shared")],
    )
    calls = {name: [call.purpose for call in one.calls] for name, one in explain(made).items()}
    assert calls["new"][0] == "creates it, once `old` has released the app name"
    assert calls["other"][0] == "creates it"


def test_the_reason_comes_with_who_moved_what() -> None:
    """Fields of one cause in one sentence."""
    made = change(
        endpoint(replicas=4, port=9000),
        tracked(replicas=2, port=8000),
        live(replicas=3, port=8000),
    )
    (found,) = explain(Plan(changes=(made,))).values()
    assert found.why == (
        "differs from what is declared",
        f"minReplicas (workerConfig.minNum), maxReplicas (workerConfig.maxNum): {CAUSE_TEXT[Cause.BOTH]}",
        f"port (ports): {CAUSE_TEXT[Cause.CONFIG]}",
    )


def test_what_is_new_was_moved_by_nobody() -> None:
    """And what does not change needs no explanation."""
    made = plan([endpoint("new"), endpoint("same")], [tracked("same")], [live("same")])
    assert {name: one.why for name, one in explain(made).items()} == {"new": ("does not exist yet",)}
    assert {one.action for one in made.changes} == {Action.CREATE, Action.NO_OP}


def test_every_cause_has_its_words() -> None:
    """A cause to come must be told as well."""
    assert set(CAUSE_TEXT) == set(Cause)
