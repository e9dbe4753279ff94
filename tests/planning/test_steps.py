"""A change -> the calls that it takes."""

import pytest

from reconciler.model.plan import Change
from reconciler.planning.steps import requests_of
from tests.builders import LARGER, change, endpoint, live, tracked


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


def test_one_change_always_has_the_same_bytes() -> None:
    """However the answer that it was planned from was ordered."""
    made = change(endpoint(port=1), tracked(), live(imageAuthId="a", command="c", env={"A": "1"}))
    again = change(endpoint(port=1), tracked(), live(imageAuthId="a", command="c", env={"A": "1"}))
    (request,) = requests_of(made)
    assert [one.body_bytes() for one in requests_of(again)] == [request.body_bytes()]
    assert list(request.body["image"]) == ["image", "authId", "command"]
