"""What must not pass unasked, and exactly where each guard trips."""

import pytest

from reconciler.model.plan import Change
from reconciler.model.problem import ExitCode, Problem
from reconciler.model.settings import Allowances
from reconciler.planning.guards import guards
from reconciler.planning.options import without_deletes
from tests.builders import LARGER, change, endpoint, live, record, tracked

PROTECTED = {"lifecycle": {"preventDestroy": True}}


def deletes(count: int) -> list[Change]:
    names = [f"e{number}" for number in range(count)]
    return [change(None, tracked(name), live(name)) for name in names]


def tripped(
    changes: list[Change], *, declared: int = 1, records: int = 1, allow: Allowances | None = None
) -> list[Problem]:
    return list(guards(changes, declared=declared, tracked=records, allow=allow or Allowances()))


REPLACE = change(endpoint("r", spec=LARGER), tracked("r"), live("r"))
OVERWRITE = change(endpoint("o", port=1), None, live("o"))


@pytest.mark.parametrize(
    ("removals", "records", "expected"),
    [
        (3, 9, []),
        (9, 9, []),
        (3, 10, []),
        (4, 10, ["too-many-deletes"]),
        (3, 11, []),
        (4, 13, ["too-many-deletes"]),
        (4, 14, []),
        (30, 100, []),
        (31, 100, ["too-many-deletes"]),
        (0, 100, []),
    ],
)
def test_more_than_thirty_percent_of_at_least_ten(removals: int, records: int, expected: list[str]) -> None:
    """Exactly 30 % passes, and so does any share of nine."""
    assert [one.code for one in tripped(deletes(removals), records=records)] == expected


def test_a_replacement_counts_as_a_delete() -> None:
    """Its old endpoint goes as well."""
    (problem,) = tripped([*deletes(3), REPLACE], records=10)
    assert problem.summary == "4 of 10 recorded resources would be deleted or replaced, more than 30%"
    assert problem.hint == "if it is intended, pass --allow-delete 4"
    assert problem.exit_code is ExitCode.GUARD


def test_other_changes_do_not_count() -> None:
    """Forgetting, creating, updating and adopting delete nothing."""
    harmless = [
        change(None, tracked("f"), None),
        change(endpoint("c"), None, None),
        change(endpoint("u", port=1), tracked("u"), live("u")),
        change(endpoint("a"), None, live("a")),
    ]
    assert tripped(harmless * 5, records=10) == []


@pytest.mark.parametrize(
    ("removals", "allowed", "expected"),
    [
        (4, 4, []),
        (4, 3, ["allow-delete-mismatch"]),
        (4, 5, ["allow-delete-mismatch"]),
        (1, 2, ["allow-delete-mismatch"]),
        (0, 1, []),
        (0, 0, []),
    ],
)
def test_an_allowance_is_for_exactly_that_many(removals: int, allowed: int, expected: list[str]) -> None:
    """A number that was read off another plan allows nothing; with nothing to delete it says nothing."""
    found = tripped(deletes(removals), records=10, allow=Allowances(deletes=allowed))
    assert [one.code for one in found] == expected


@pytest.mark.parametrize(
    ("declared", "records", "removals", "allow", "expected"),
    [
        (0, 1, 1, Allowances(), ["empty-desired-set"]),
        (0, 20, 20, Allowances(), ["empty-desired-set"]),
        (0, 20, 20, Allowances(deletes=20), []),
        (0, 20, 20, Allowances(is_destroy=True), []),
        (0, 0, 0, Allowances(), []),
        (0, 1, 0, Allowances(), []),
        (1, 2, 1, Allowances(), []),
    ],
)
def test_an_empty_desired_set_is_asked_about(
    declared: int, records: int, removals: int, allow: Allowances, expected: list[str]
) -> None:
    """Mostly it is a wrong directory. Where nothing would be deleted there is nothing to ask."""
    found = tripped(deletes(removals), declared=declared, records=records, allow=allow)
    assert [one.code for one in found] == expected


@pytest.mark.parametrize("allow", [Allowances(), Allowances(deletes=1), Allowances(is_destroy=True)])
def test_prevent_destroy_holds_against_every_allowance(allow: Allowances) -> None:
    """Neither --allow-delete nor destroy is exempt from it; it was recorded when it was last declared."""
    doomed = change(None, tracked(**PROTECTED), live())
    (problem,) = tripped([doomed], allow=allow)
    assert (problem.code, problem.address) == ("prevent-destroy", "novita_endpoint.base-test")
    assert problem.summary == "`base-test` has preventDestroy and would be deleted"
    assert problem.exit_code is ExitCode.GUARD


def test_prevent_destroy_holds_against_replacement() -> None:
    """Declared or recorded: lifting it in the same edit is not enough."""
    protected = endpoint(spec=LARGER, **PROTECTED)
    (problem,) = tripped([change(protected, tracked(), live())])
    assert problem.summary == "`base-test` has preventDestroy and would be replaced"
    (problem,) = tripped([change(endpoint(spec=LARGER), tracked(**PROTECTED), live())])
    assert problem.code == "prevent-destroy"


def test_prevent_destroy_does_not_hold_against_anything_else() -> None:
    """Updates pass, and so does forgetting what is gone already."""
    passing = [
        change(endpoint(port=1, **PROTECTED), tracked(**PROTECTED), live()),
        change(None, record(endpoint("gone", **PROTECTED)), None),
    ]
    assert tripped(passing) == []


def test_an_adoption_that_overwrites_is_asked_about() -> None:
    """The plan says so, --adopt allows it, and an equal one needs no leave."""
    (problem,) = tripped([OVERWRITE])
    assert problem.code == "adopt-would-overwrite"
    assert problem.summary == "`o` exists as id-o, was not created from here, and differs"
    assert tripped([OVERWRITE], allow=Allowances(adopt=True)) == []
    assert tripped([change(endpoint("a"), None, live("a"))]) == []


@pytest.mark.parametrize("adopt", [True, False])
def test_an_adoption_never_replaces(adopt: bool) -> None:
    """What cannot be changed in place is named, and no allowance helps."""
    other = change(endpoint(spec=LARGER, appName="mine"), None, live(appName="theirs"))
    (problem,) = tripped([other], allow=Allowances(adopt=adopt))
    assert problem.code == "adopt-would-replace"
    assert problem.summary == (
        "`base-test` exists as id-base-test and differs in fields that cannot be changed: "
        "appName, specName.productId"
    )


def test_all_guards_speak_at_once() -> None:
    """Nobody has to fix one to learn of the next."""
    doomed = change(None, tracked("p", **PROTECTED), live("p"))
    found = tripped([*deletes(4), doomed, OVERWRITE], declared=0, records=10)
    assert [one.code for one in found] == ["prevent-destroy", "adopt-would-overwrite", "empty-desired-set"]


def test_no_delete_leaves_out_what_deletes_and_says_so() -> None:
    """A replacement deletes as well."""
    kept = change(endpoint("c"), None, None)
    gone = change(None, tracked("d"), live("d"))
    moved = change(endpoint("r", spec=LARGER), tracked("r"), live("r"))
    changes, notes = without_deletes([kept, gone, moved])
    assert changes == (kept,)
    assert [(note.code, note.severity.value, note.address) for note in notes] == [
        ("not-deleted", "note", "novita_endpoint.d"),
        ("not-deleted", "note", "novita_endpoint.r"),
    ]


def test_no_replace_refuses_replacements_alone() -> None:
    """A delete is what the files ask for."""
    found = tripped([*deletes(1), REPLACE], allow=Allowances(no_replace=True))
    assert [(one.code, one.address) for one in found] == [("would-replace", "novita_endpoint.r")]
