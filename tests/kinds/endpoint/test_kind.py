"""Requests as values, and the parsers of their answers."""

from typing import Any

import pytest

from reconciler.kinds.endpoint.kind import ENDPOINT
from reconciler.model.request import Request
from reconciler.model.resource import Page
from tests.builders import answer, endpoint, live

ROOT = "/gpu-instance/openapi/v1"


def test_reading_is_a_get() -> None:
    """Pages and IDs travel as text in the query."""
    assert ENDPOINT.list_request(0, 100) == Request(
        method="GET", path=f"{ROOT}/endpoints", query={"pageSize": "100", "pageNum": "0"}
    )
    assert ENDPOINT.get_request("x") == Request(method="GET", path=f"{ROOT}/endpoint", query={"id": "x"})


def test_only_a_create_is_not_safe_to_repeat() -> None:
    """Sending an update or a delete twice does what sending it once does."""
    create = ENDPOINT.create_request(endpoint())
    update = ENDPOINT.update_request(live(), endpoint().fields)
    assert (create.path, create.is_idempotent) == (f"{ROOT}/endpoint/create", False)
    assert (update.path, update.is_idempotent) == (f"{ROOT}/endpoint/update", True)


def test_a_replacement_is_created_from_other_fields() -> None:
    """They stand in for the desired ones; an app name among them wins over the declared one."""
    other = {**endpoint(image="kept:1").fields, "appName": "kept"}
    body = ENDPOINT.create_request(endpoint(), other).body["endpoint"]
    assert (body["image"], body["appName"]) == ({"image": "kept:1"}, "kept")


def test_a_delete_names_the_id_under_both_keys_first() -> None:
    """Then one key at a time, for a server that refuses the other; never the display name."""
    requests = ENDPOINT.delete_requests("x")
    assert [request.body for request in requests] == [{"id": "x", "name": "x"}, {"id": "x"}, {"name": "x"}]
    assert {(request.path, request.is_idempotent) for request in requests} == {
        (f"{ROOT}/endpoint/delete", True)
    }


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"endpoints": [answer()], "total": 1}, Page(endpoints=(live(),), total=1)),
        ({"endpoints": [], "total": "0"}, Page(endpoints=(), total=0)),
        ({"endpoints": None}, Page(endpoints=(), total=None)),
    ],
)
def test_a_page_holds_endpoints_and_perhaps_a_total(body: Any, expected: Page) -> None:
    """A null list is an empty one; a missing total is not zero."""
    assert ENDPOINT.parse_page(body) == expected


@pytest.mark.parametrize("body", [None, [], {}, {"total": 0}, {"endpoints": {}}, {"endpoints": [{}]}])
def test_what_is_no_listing_is_never_an_empty_one(body: Any) -> None:
    """An answer that is not understood must not look like an account without endpoints."""
    with pytest.raises(ValueError, match="endpoint"):
        ENDPOINT.parse_page(body)


def test_one_endpoint_comes_wrapped_or_bare() -> None:
    """Both bodies are seen; anything else is an error."""
    assert ENDPOINT.parse_one({"endpoint": answer()}) == ENDPOINT.parse_one(answer()) == live()
    for wrong in (None, {"endpoint": None}, {"endpoint": {}}):
        with pytest.raises(ValueError, match="without an id"):
            ENDPOINT.parse_one(wrong)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"id": "x"}, "x"),
        ({"endpoint": {"id": "x"}}, "x"),
        ({"id": ""}, None),
        ({"id": "x\ud800"}, None),
        ({"endpoint": {"id": "x\n"}}, None),
        ({"id": 5}, None),
        ({"endpoint": []}, None),
        ({}, None),
        ([], None),
        (None, None),
    ],
)
def test_a_created_id_is_found_or_not(body: Any, expected: str | None) -> None:
    """Without one, the caller looks in the listing."""
    assert ENDPOINT.parse_created(body) == expected
