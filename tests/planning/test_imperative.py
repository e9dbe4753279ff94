"""Imperative changes: their target, and what the next apply reverts of them."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from reconciler.model.plan import Delete, Scale
from reconciler.model.resource import Desired, Inventory, Live, Tracked
from reconciler.model.sync.lease import Lease
from reconciler.planning.guards import replica_range_errors
from reconciler.planning.imperative import (
    ImperativeChange,
    ImperativeVerb,
    resolve_target,
    revert_notes,
)
from reconciler.planning.leases import with_lease
from tests.builders import change, endpoint, live, secret, tracked

NOTHING = Inventory()
RECORDED = Inventory(records={"a": tracked("a", "id-a")})
RECORDED_LIVE, UNRECORDED, SECOND = live("a", "id-a"), live("a", "id-x"), live("a", "id-y")


def resolved(verb: ImperativeVerb, inventory: Inventory, *there: Live) -> tuple[Inventory, list[str]]:
    found, problems = resolve_target(ImperativeChange(name="a", verb=verb), inventory, there)
    return found, [problem.code for problem in problems]


@pytest.mark.parametrize("verb", [ImperativeVerb.CHANGE, ImperativeVerb.DELETE])
def test_a_recorded_one_is_meant_by_its_id(verb: ImperativeVerb) -> None:
    """Others of its name are left alone."""
    assert resolved(verb, RECORDED, RECORDED_LIVE, UNRECORDED) == (RECORDED, [])


@pytest.mark.parametrize("verb", [ImperativeVerb.CHANGE, ImperativeVerb.DELETE])
@pytest.mark.parametrize("inventory", [NOTHING, RECORDED])
def test_the_only_one_of_the_name_counts_as_recorded(verb: ImperativeVerb, inventory: Inventory) -> None:
    """For this plan, with nothing known of what was applied; where another was recorded, that is told."""
    found, problems = resolve_target(
        ImperativeChange(name="a", verb=verb), inventory, (UNRECORDED, live("b", "id-b"))
    )
    assert found.records["a"] == Tracked(name="a", id="id-x", applied={})
    assert [problem.severity.value for problem in problems] == ["note"] * len(inventory.records)
    assert all("recorded as id-a, which is gone" in problem.summary for problem in problems)


@pytest.mark.parametrize("verb", [ImperativeVerb.CHANGE, ImperativeVerb.DELETE])
def test_several_of_the_name_are_refused_with_their_ids(verb: ImperativeVerb) -> None:
    """A guess could hit the wrong one."""
    _, (problem,) = resolve_target(ImperativeChange(name="a", verb=verb), NOTHING, [UNRECORDED, SECOND])
    assert problem.code == "ambiguous-name"
    assert "id-x, id-y" in problem.summary


@pytest.mark.parametrize("verb", [ImperativeVerb.CHANGE, ImperativeVerb.DELETE])
def test_none_of_the_name_is_an_error_in_known_words(verb: ImperativeVerb) -> None:
    """One on its way out counts as gone."""
    going = replace(UNRECORDED, state="terminating")
    _, (problem,) = resolve_target(ImperativeChange(name="a", verb=verb), NOTHING, [going, live("b")])
    assert problem.code == "endpoint-not-found"
    assert problem.summary == "endpoint not found in Novita: `a`"


def test_a_mistyped_name_gets_a_suggestion() -> None:
    """The hint names the closest live endpoint."""
    change = ImperativeChange(name="helo", verb=ImperativeVerb.CHANGE)
    _, (problem,) = resolve_target(change, NOTHING, [live("hello"), live("other")])
    assert problem.hint == "did you mean `hello`?"


@pytest.mark.parametrize("verb", [ImperativeVerb.CHANGE, ImperativeVerb.DELETE])
def test_a_recorded_one_that_lost_its_name_to_another_is_refused(verb: ImperativeVerb) -> None:
    """Whoever looks at the name sees the other one; alone, the recorded one is still meant."""
    renamed = live("a-old", "id-a")
    _, (problem,) = resolve_target(ImperativeChange(name="a", verb=verb), RECORDED, [renamed, UNRECORDED])
    assert problem.code == "ambiguous-name"
    assert all(said in problem.summary for said in ("id-a", "`a-old`", "id-x"))
    assert "reconciler state rm" in problem.hint
    codes = ["renamed-elsewhere"] if verb is ImperativeVerb.DELETE else []
    assert resolved(verb, RECORDED, renamed) == (RECORDED, codes)


@pytest.mark.parametrize("verb", [ImperativeVerb.CHANGE, ImperativeVerb.DELETE])
def test_the_name_that_a_renamed_one_has_now(verb: ImperativeVerb) -> None:
    """It is the consent to a delete; for a change it would be recorded twice."""
    change = ImperativeChange(name="a-old", verb=verb)
    found, problems = resolve_target(change, RECORDED, [live("a-old", "id-a")])
    if verb is ImperativeVerb.DELETE:
        assert ({name: record.id for name, record in found.records.items()}, problems) == (
            {"a-old": "id-a"},
            (),
        )
    else:
        assert [problem.code for problem in problems] == ["renamed-elsewhere"]


def test_a_record_of_what_is_gone_can_be_deleted_and_not_changed() -> None:
    """A delete forgets it."""
    assert resolved(ImperativeVerb.DELETE, RECORDED) == (RECORDED, [])
    assert resolved(ImperativeVerb.CHANGE, RECORDED) == (RECORDED, ["endpoint-not-found"])


@pytest.mark.parametrize("there", [RECORDED_LIVE, UNRECORDED])
def test_nothing_is_made_beside_one_of_its_name(there: Live) -> None:
    """Both ways out are named; of a name that is free nothing is said."""
    _, (problem,) = resolve_target(ImperativeChange(name="a", verb=ImperativeVerb.DEPLOY), RECORDED, [there])
    assert problem.code == "endpoint-exists"
    assert "reconciler update a" in problem.hint
    assert "declare it" in problem.hint
    assert resolved(ImperativeVerb.DEPLOY, RECORDED) == (RECORDED, [])


def test_at_least_more_than_at_most_is_refused() -> None:
    """Also where only one of the two is given; what is declared was checked elsewhere."""
    least = Desired(name="base-test", app_name="", fields={"workerConfig": {"minNum": 5}}, is_partial=True)
    scale = change(least, tracked(), live())
    assert isinstance(scale, Scale)
    delete = Delete(name="b", reason="", live=live("b"), tracked=tracked("b"))
    (problem,) = replica_range_errors([delete, scale])
    assert problem.code == "min-above-max"
    assert "at least 5 workers and at most 1" in problem.summary
    most = replace(least, fields={"workerConfig": {"minNum": 1, "maxNum": 5}})
    assert list(replica_range_errors([change(most, tracked(), live())])) == []


def imperative(**fields: Any) -> Desired:
    return Desired(name="base-test", app_name="", fields=fields, is_partial=True)


SCALED = imperative(workerConfig={"minNum": 2, "maxNum": 2})


def summaries(changed: Desired, declared: Desired) -> list[str]:
    return [problem.summary for problem in revert_notes(changed, declared)]


def test_each_field_that_is_declared_otherwise() -> None:
    """With what the YAML says of it."""
    (note,) = revert_notes(SCALED, endpoint(minReplicas=0, maxReplicas=2))
    assert note.summary == "`base-test` is declared with minReplicas = 0; the next apply reverts it"
    assert note.severity.value == "note"
    assert "ignoreChanges" in note.hint
    assert "scale --write" in note.hint


def test_env_is_one_whole_and_not_shown() -> None:
    """It may be secret on both sides, and one that is the same is no contradiction."""
    declared = endpoint(env={"A": secret("v")})
    assert summaries(imperative(envs={"A": "v"}), declared) == []
    (summary,) = summaries(imperative(envs={"A": "w"}), declared)
    assert "is declared with another env;" in summary


def test_what_applies_leave_alone_is_not_set_back() -> None:
    """Ignored fields, and fields that are not declared."""
    assert summaries(SCALED, endpoint(lifecycle={"ignoreChanges": ["replicas"]})) == []
    assert summaries(imperative(envs={"A": "w"}), endpoint(lifecycle={"ignoreChanges": ["env"]})) == []
    assert summaries(imperative(image={"authId": "mine"}), endpoint()) == []
    assert (
        summaries(imperative(image={"image": "x:1"}), replace(endpoint(), unset=(("image", "image"),))) == []
    )


def test_a_lease_sets_back_too() -> None:
    """And the way out is to end it."""
    lease = Lease(min=3, max=3, until=datetime(2026, 1, 31, tzinfo=UTC), why="")
    (note,) = revert_notes(SCALED, with_lease(endpoint(), lease))
    assert "has a lease with minReplicas = 3, maxReplicas = 3" in note.summary
    assert "--end-lease" in note.hint


def test_what_is_no_count_has_nothing_to_do_with_a_lease_or_with_scale() -> None:
    """Neither sets an image back, and neither keeps one."""
    lease = Lease(min=3, max=3, until=datetime(2026, 1, 31, tzinfo=UTC), why="")
    declared = with_lease(endpoint(), lease)
    both = summaries(imperative(image={"image": "x:1"}, **SCALED.fields), declared)
    assert [summary.split(" = ")[0] for summary in both] == [
        "`base-test` has a lease with minReplicas",
        "`base-test` is declared with image",
    ]
    for changed in (imperative(image={"image": "x:1"}), imperative(envs={"A": "w"})):
        (note,) = revert_notes(changed, declared)
        assert "is declared with" in note.summary
        assert "scale" not in note.hint
        assert "ignoreChanges" in note.hint
