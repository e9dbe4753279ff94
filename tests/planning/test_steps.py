"""The steps of a change, and the order of changes."""

from typing import Any

import pytest

from reconciler.model.plan import Change
from reconciler.planning.steps import has_steps, requests_of, stages, steps_of
from tests.builders import LARGER, change, endpoint, live, plan, tracked


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (change(endpoint(), None, None), ["create"]),
        (change(endpoint(port=1), tracked(), live()), ["update"]),
        (change(endpoint(replicas=2), tracked(), live()), ["update"]),
        (change(endpoint(spec=LARGER), tracked(), live()), ["delete", "create"]),
        (change(None, tracked(), live()), ["delete"]),
        (change(endpoint(port=1), None, live()), ["update"]),
        (change(endpoint(), None, live()), []),
        (change(None, tracked(), None), []),
        (change(endpoint(), tracked(), live()), []),
    ],
)
def test_every_action_has_its_calls(made: Change, expected: list[str]) -> None:
    """In the order of sending; none where only the inventory is touched."""
    assert [request.path.rpartition("/")[2] for request in requests_of(made)] == expected
    assert has_steps(made) is bool(expected)


def test_one_change_always_has_the_same_bytes() -> None:
    """However the answer that it was planned from was ordered."""
    made = change(endpoint(port=1), tracked(), live(imageAuthId="a", command="c", env={"A": "1"}))
    again = change(endpoint(port=1), tracked(), live(imageAuthId="a", command="c", env={"A": "1"}))
    (request,) = requests_of(made)
    assert [one.body_bytes() for one in requests_of(again)] == [request.body_bytes()]
    assert list(request.body["image"]) == ["image", "authId", "command"]


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
    """It releases no name for other endpoints."""
    found = order([endpoint("a", spec=LARGER), endpoint("b")], [tracked("a")], [live("a")])
    assert found == [["a", "b"]]


def test_an_ignored_app_name_stays_taken() -> None:
    """The replacement keeps the one that is live, and asks for that."""
    kept = endpoint("a", spec=LARGER, appName="mine", lifecycle={"ignoreChanges": ["appName"]})
    found = order(
        [kept], [tracked("a"), tracked("old")], [live("a", appName="theirs"), live("old", appName="mine")]
    )
    assert found == [["a"], ["old"]]


def test_a_step_of_a_new_endpoint_has_no_planned_one() -> None:
    """Its ID is not known before the create."""
    create, read_back = steps_of(change(endpoint(), None, None))
    assert read_back.path.endswith("?id=NEW-ID")
    with pytest.raises(ValueError, match="CREATE has no endpoint yet"):
        _ = create.planned
