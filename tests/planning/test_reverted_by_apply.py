"""What the next apply undoes of a change by hand."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from reconciler.model.resource import Desired, Lease
from reconciler.planning.leases import under
from reconciler.planning.reverted_by_apply import set_back
from tests.builders import endpoint, secret


def by_hand(**fields: Any) -> Desired:
    return Desired(name="base-test", app_name="", fields=fields, partial=True)


SCALED = by_hand(workerConfig={"minNum": 2, "maxNum": 2})


def said(hand: Desired, declared: Desired) -> list[str]:
    return [problem.summary for problem in set_back(hand, declared)]


def test_each_field_that_is_declared_otherwise() -> None:
    """With what the YAML says of it."""
    (note,) = set_back(SCALED, endpoint(minReplicas=0, maxReplicas=2))
    assert note.summary == "`base-test` is declared with workerConfig.minNum = 0; the next apply sets it back"
    assert note.severity.value == "note"
    assert "ignoreChanges" in note.hint
    assert "scale --write" in note.hint


def test_env_is_one_whole_and_not_shown() -> None:
    """It may be secret on both sides, and one that is the same is no contradiction."""
    declared = endpoint(env={"A": secret("v")})
    assert said(by_hand(envs={"A": "v"}), declared) == []
    (summary,) = said(by_hand(envs={"A": "w"}), declared)
    assert "is declared with another env;" in summary


def test_what_applies_leave_alone_is_not_set_back() -> None:
    """Ignored fields, and fields that are not declared."""
    assert said(SCALED, endpoint(lifecycle={"ignoreChanges": ["replicas"]})) == []
    assert said(by_hand(envs={"A": "w"}), endpoint(lifecycle={"ignoreChanges": ["env"]})) == []
    assert said(by_hand(image={"authId": "mine"}), endpoint()) == []
    assert said(by_hand(image={"image": "x:1"}), replace(endpoint(), unset=(("image", "image"),))) == []


def test_a_lease_sets_back_too() -> None:
    """And the way out is to end it."""
    lease = Lease(min=3, max=3, until=datetime(2026, 1, 31, tzinfo=UTC), why="")
    (note,) = set_back(SCALED, under(endpoint(), lease))
    assert "has a lease with workerConfig.minNum = 3, workerConfig.maxNum = 3" in note.summary
    assert "--end-lease" in note.hint


def test_what_is_no_count_has_nothing_to_do_with_a_lease_or_with_scale() -> None:
    """Neither sets an image back, and neither keeps one."""
    lease = Lease(min=3, max=3, until=datetime(2026, 1, 31, tzinfo=UTC), why="")
    declared = under(endpoint(), lease)
    both = said(by_hand(image={"image": "x:1"}, **SCALED.fields), declared)
    assert [summary.split(" = ")[0] for summary in both] == [
        "`base-test` has a lease with workerConfig.minNum",
        "`base-test` is declared with image.image",
    ]
    for hand in (by_hand(image={"image": "x:1"}), by_hand(envs={"A": "w"})):
        (note,) = set_back(hand, declared)
        assert "is declared with" in note.summary
        assert "scale" not in note.hint
        assert "ignoreChanges" in note.hint
