"""What a hand takes hold of: one live endpoint of one name, or nothing."""

from dataclasses import replace

import pytest

from reconciler.model.plan import Delete, Scale
from reconciler.model.resource import Desired, Inventory, Live, Tracked
from reconciler.planning.imperative import Hand, Verb, grip, unordered
from tests.builders import change, live, tracked

NOTHING = Inventory()
RECORDED = Inventory(records={"a": tracked("a", "id-a")})
OURS, STRANGER, SECOND = live("a", "id-a"), live("a", "id-x"), live("a", "id-y")


def gripped(verb: Verb, inventory: Inventory, *there: Live) -> tuple[Inventory, list[str]]:
    found, problems = grip(Hand(name="a", verb=verb), inventory, there)
    return found, [problem.code for problem in problems]


@pytest.mark.parametrize("verb", [Verb.CHANGE, Verb.DELETE])
def test_a_recorded_one_is_meant_by_its_id(verb: Verb) -> None:
    """Others of its name are left alone."""
    assert gripped(verb, RECORDED, OURS, STRANGER) == (RECORDED, [])


@pytest.mark.parametrize("verb", [Verb.CHANGE, Verb.DELETE])
@pytest.mark.parametrize("inventory", [NOTHING, RECORDED])
def test_the_only_one_of_the_name_counts_as_recorded(verb: Verb, inventory: Inventory) -> None:
    """For this plan, with nothing known of what was applied; where another was recorded, that is told."""
    found, problems = grip(Hand(name="a", verb=verb), inventory, (STRANGER, live("b", "id-b")))
    assert found.records["a"] == Tracked(name="a", id="id-x", applied={})
    assert [problem.severity.value for problem in problems] == ["note"] * len(inventory.records)
    assert all("recorded as id-a, which is gone" in problem.summary for problem in problems)


@pytest.mark.parametrize("verb", [Verb.CHANGE, Verb.DELETE])
def test_several_of_the_name_are_refused_with_their_ids(verb: Verb) -> None:
    """A guess could hit the wrong one."""
    _, (problem,) = grip(Hand(name="a", verb=verb), NOTHING, [STRANGER, SECOND])
    assert problem.code == "ambiguous-name"
    assert "id-x, id-y" in problem.summary


@pytest.mark.parametrize("verb", [Verb.CHANGE, Verb.DELETE])
def test_none_of_the_name_is_an_error_in_known_words(verb: Verb) -> None:
    """One on its way out counts as gone."""
    going = replace(STRANGER, state="terminating")
    _, (problem,) = grip(Hand(name="a", verb=verb), NOTHING, [going, live("b")])
    assert problem.code == "endpoint-not-found"
    assert problem.summary == "endpoint not found in Novita: `a`"


@pytest.mark.parametrize("verb", [Verb.CHANGE, Verb.DELETE])
def test_a_recorded_one_that_lost_its_name_to_another_is_refused(verb: Verb) -> None:
    """Whoever looks at the name sees the other one; alone, the recorded one is still meant."""
    renamed = live("a-old", "id-a")
    _, (problem,) = grip(Hand(name="a", verb=verb), RECORDED, [renamed, STRANGER])
    assert problem.code == "ambiguous-name"
    assert all(said in problem.summary for said in ("id-a", "`a-old`", "id-x"))
    assert "reconciler state rm" in problem.hint
    assert gripped(verb, RECORDED, renamed) == (RECORDED, [])


def test_a_record_of_what_is_gone_can_be_deleted_and_not_changed() -> None:
    """A delete forgets it."""
    assert gripped(Verb.DELETE, RECORDED) == (RECORDED, [])
    assert gripped(Verb.CHANGE, RECORDED) == (RECORDED, ["endpoint-not-found"])


@pytest.mark.parametrize("there", [OURS, STRANGER])
def test_nothing_is_made_beside_one_of_its_name(there: Live) -> None:
    """Both ways out are named; of a name that is free nothing is said."""
    _, (problem,) = grip(Hand(name="a", verb=Verb.DEPLOY), RECORDED, [there])
    assert problem.code == "endpoint-exists"
    assert "reconciler update a" in problem.hint
    assert "declare it" in problem.hint
    assert gripped(Verb.DEPLOY, RECORDED) == (RECORDED, [])


def test_without_a_hand_nothing_changes() -> None:
    """Whatever there is."""
    assert grip(None, RECORDED, [STRANGER, SECOND]) == (RECORDED, ())


def test_at_least_more_than_at_most_is_refused() -> None:
    """Also where only one of the two is given; what is declared was checked elsewhere."""
    least = Desired(name="base-test", app_name="", fields={"workerConfig": {"minNum": 5}}, partial=True)
    scale = change(least, tracked(), live())
    assert isinstance(scale, Scale)
    delete = Delete(name="b", reason="", live=live("b"), tracked=tracked("b"))
    (problem,) = unordered([delete, scale])
    assert problem.code == "min-above-max"
    assert "at least 5 workers and at most 1" in problem.summary
    most = replace(least, fields={"workerConfig": {"minNum": 1, "maxNum": 5}})
    assert list(unordered([change(most, tracked(), live())])) == []
