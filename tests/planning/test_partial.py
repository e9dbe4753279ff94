"""An endpoint that is changed by hand: only what was named changes, live and recorded."""

from dataclasses import replace
from typing import Any

from reconciler.kinds.endpoint.ownership import recorded
from reconciler.model.plan import Adopt, NoOp, Scale, Update
from reconciler.model.resource import Desired
from tests.builders import PINNED, change, endpoint, live, secret, tracked


def by_hand(**fields: Any) -> Desired:
    whole = endpoint()
    return replace(whole, fields={"name": whole.name, **fields}, partial=True, origin="imperative")


SCALED = by_hand(workerConfig={"minNum": 2, "maxNum": 2})


def test_only_what_is_named_changes() -> None:
    """Whatever else differs from the record, or was applied once, stays as it is."""
    there = live(port=9, command="theirs", spec=PINNED)
    record = tracked(command="ours", env={"A": "1"})
    found = change(SCALED, record, there)
    assert isinstance(found, Scale)
    assert {field.path[-1] for field in found.fields} == {"minNum", "maxNum"}


def test_the_record_keeps_the_rest() -> None:
    """And takes what was changed; a map of env is replaced whole."""
    before = tracked(port=9, env={"A": secret()}).applied
    after = recorded(SCALED, before)
    assert after["workerConfig"] == {**before["workerConfig"], "minNum": 2, "maxNum": 2}
    assert {key: after[key] for key in after if key != "workerConfig"} == {
        key: before[key] for key in before if key != "workerConfig"
    }
    assert recorded(by_hand(envs={"B": "2"}), before)["envs"] == {"B": "2"}
    assert recorded(SCALED, None) == SCALED.fields


def test_what_is_so_already_is_no_change() -> None:
    """Only the record may be behind."""
    found = change(SCALED, tracked(replicas=2, imperative=True), live(replicas=2))
    assert isinstance(found, NoOp)
    assert not found.is_stale
    found = change(SCALED, tracked(imperative=True), live(replicas=2))
    assert isinstance(found, NoOp)
    assert found.is_stale


def test_an_endpoint_that_is_nobodys_is_adopted_for_the_moment() -> None:
    """It is changed; whether it is recorded is the writer's business."""
    found = change(by_hand(image={"image": "new:1"}), None, live())
    assert isinstance(found, Adopt)
    assert [field.path for field in found.fields] == [("image", "image")]


def test_what_is_declared_after_all_is_recorded_as_declared() -> None:
    """From then on the plan may delete it."""
    found = change(endpoint(), tracked(imperative=True), live())
    assert isinstance(found, NoOp)
    assert found.is_stale


def test_an_update_by_hand_is_one() -> None:
    """Of the image alone."""
    found = change(by_hand(image={"image": "new:1"}), tracked(command="ours"), live(command="ours"))
    assert isinstance(found, Update)
