"""Partial declarations of imperative commands: only the named fields change, live and recorded."""

from dataclasses import replace
from typing import Any

from reconciler.model.plan import Cause, NoOp, Scale, Update
from reconciler.model.resource import Desired
from reconciler.planning.records import applied_record
from reconciler.planning.selection import Selection
from tests.builders import KEYRING, PINNED, change, endpoint, live, plan, secret, tracked


def by_hand(**fields: Any) -> Desired:
    return Desired(name="base-test", app_name="", fields=fields, is_partial=True)


SCALED = by_hand(workerConfig={"minNum": 2, "maxNum": 2})


def test_only_what_is_named_changes() -> None:
    """Whatever else differs from the record, or was applied once, stays as it is."""
    there = live(port=9, command="theirs", spec=PINNED)
    record = tracked(command="ours", env={"A": "1"})
    found = change(SCALED, record, there)
    assert isinstance(found, Scale)
    assert {field.path[-1] for field in found.fields} == {"minNum", "maxNum"}
    assert {field.cause for field in found.fields} == {Cause.IMPERATIVE}


def test_the_record_keeps_the_rest() -> None:
    """And takes what was changed; a map of env is replaced whole, and whose it is stays."""
    before = replace(tracked(port=9, env={"A": secret()}, imperative=True), prevent_destroy=True)
    after = applied_record(SCALED, before.id, KEYRING, before)
    worker = {**before.applied["workerConfig"], "minNum": 2, "maxNum": 2}
    assert after == replace(before, applied={**before.applied, "workerConfig": worker})
    emptied = applied_record(by_hand(envs={"B": "2"}), before.id, KEYRING, before)
    assert emptied.applied["envs"] == {"B": "2"}


def test_what_is_so_already_is_no_change() -> None:
    """Only the record may be behind."""
    found = change(SCALED, tracked(replicas=2, imperative=True), live(replicas=2))
    assert isinstance(found, NoOp)
    assert not found.is_stale
    found = change(SCALED, tracked(imperative=True), live(replicas=2))
    assert isinstance(found, NoOp)
    assert found.is_stale


def test_what_is_declared_after_all_is_recorded_as_declared() -> None:
    """From then on the plan may delete it."""
    found = change(endpoint(), tracked(imperative=True), live())
    assert isinstance(found, NoOp)
    assert found.is_stale


def test_what_was_made_without_yaml_is_listed_and_left_alone() -> None:
    """No plan deletes it, whatever is selected, and its drift is told when it is looked at."""
    record = tracked(imperative=True)
    seen = plan([], [record], [live(image="theirs:1")])
    assert (seen.changes, [one.name for one in seen.unmanaged]) == ((), ["base-test"])
    assert [one.name for one in seen.drift] == ["base-test"]
    elsewhere = plan([], [record], [live(image="theirs:1")], selection=Selection(excludes=("base-test",)))
    assert (elsewhere.changes, elsewhere.drift) == ((), ())


def test_an_update_by_hand_is_one() -> None:
    """Of the image alone, and it says so."""
    found = change(by_hand(image={"image": "new:1"}), tracked(command="ours"), live(command="ours"))
    assert isinstance(found, Update)
    assert found.reason == "requested by the command"
