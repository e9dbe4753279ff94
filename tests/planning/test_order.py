"""What goes first."""

from typing import Any

import pytest

from reconciler.planning.order import stages
from tests.builders import LARGER, endpoint, live, plan, tracked

Names = list[list[str]]


def order(desired: list[Any], records: list[Any], there: list[Any]) -> Names:
    return [[one.name for one in stage] for stage in stages(plan(desired, records, there).changes)]


def test_records_first_then_writes_then_deletes() -> None:
    """New endpoints come before old ones go, so that a move keeps serving."""
    found = order(
        [
            endpoint("new"),
            endpoint("same"),
            endpoint("more", replicas=2),
            endpoint("found"),
            endpoint("taken", port=1),
        ],
        [tracked("old"), tracked("same"), tracked("more"), tracked("gone")],
        [live("old"), live("same"), live("more"), live("found"), live("taken")],
    )
    assert found == [["found", "gone"], ["more", "new", "taken"], ["old"]]


def test_nothing_to_do_has_no_stage() -> None:
    """A no-op is not worked."""
    assert order([endpoint()], [tracked()], [live()]) == []


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        (endpoint("new"), [["new"], ["old"]]),
        (endpoint("new", appName="shared"), [["old"], ["new"]]),
    ],
)
def test_a_delete_that_frees_an_app_name_goes_first(new: Any, expected: Names) -> None:
    """The create needs it."""
    assert order([new], [tracked("old")], [live("old", appName="shared")]) == expected


def test_a_replacement_may_need_the_app_name_of_a_deleted_one() -> None:
    """It creates as well."""
    found = order(
        [endpoint("moved", appName="shared")],
        [tracked("moved"), tracked("old")],
        [live("moved"), live("old", appName="shared")],
    )
    assert found == [["old"], ["moved"]]


def test_a_replacement_that_gives_up_an_app_name_goes_first() -> None:
    """Another endpoint is created under it."""
    found = order(
        [endpoint("a", appName="fresh"), endpoint("b", appName="shared"), endpoint("c")],
        [tracked("a", appName="shared")],
        [live("a", appName="shared")],
    )
    assert found == [["a"], ["b", "c"]]


def test_a_replacement_under_its_own_app_name_is_a_write_like_others() -> None:
    """It frees nothing for anybody else."""
    found = order([endpoint("a", spec=LARGER), endpoint("b")], [tracked("a")], [live("a")])
    assert found == [["a", "b"]]


def test_an_ignored_app_name_stays_taken() -> None:
    """The replacement keeps the one that is live, and asks for that."""
    kept = endpoint("a", spec=LARGER, appName="mine", lifecycle={"ignoreChanges": ["appName"]})
    found = order(
        [kept], [tracked("a"), tracked("old")], [live("a", appName="theirs"), live("old", appName="mine")]
    )
    assert found == [["a"], ["old"]]
