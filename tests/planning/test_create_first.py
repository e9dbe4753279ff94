"""Replacements whose new endpoint may serve before the old one goes."""

from reconciler.model.plan import Replace
from reconciler.planning.create_first import created_first
from reconciler.planning.steps import create_request, requests_of
from tests.builders import LARGER, change, endpoint, live, tracked


def replaced(**declared: str) -> Replace:
    """A move to a larger product, with perhaps another app name."""
    found = change(endpoint("a", spec=LARGER, **declared), tracked("a"), live("a"))
    assert isinstance(found, Replace)
    return found


def test_another_app_name_lets_the_new_one_come_first() -> None:
    """The order of the calls turns round, and what they say stays the same."""
    before = replaced(appName="a-2")
    (after,), notes = created_first([before])
    assert notes == ()
    assert isinstance(after, Replace)
    assert requests_of(after) == tuple(reversed(requests_of(before)))
    assert create_request(after) == create_request(before) == requests_of(after)[0]


def test_the_same_app_name_cannot_be_had_twice() -> None:
    """It stays as it was, and the user is told what to do."""
    before = replaced()
    (after,), (note,) = created_first([before])
    assert after == before
    assert (note.code, note.severity.value, note.address) == (
        "not-created-first",
        "note",
        "novita_endpoint.a",
    )
    assert "`appName`" in note.hint


def test_other_changes_stay_as_they_are() -> None:
    """Only replacements have two halves."""
    update = change(endpoint("a", image="x:2"), tracked("a"), live("a"))
    assert created_first([update]) == ((update,), ())
