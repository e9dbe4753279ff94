"""Answers about network storages, read into normal form."""

from typing import Any

import pytest

from reconciler.kinds.network_storage import codec

from .samples import ANSWER, FIELDS


def page(*items: Any, total: Any = None) -> dict[str, Any]:
    return {"data": list(items), "total": len(items) if total is None else total}


def test_a_page_is_read() -> None:
    """Numbers may be texts; what plans do not compare is kept as it came."""
    found = codec.parse_page(page({**ANSWER, "storageSize": "200"}, total="1"))
    (storage,) = found.endpoints
    assert (found.total, storage.id, storage.name, storage.kind) == (1, "st-1", "weights", "novita_storage")
    assert storage.fields == FIELDS
    assert storage.raw == {"clusterName": "US-Dallas-NAS-02", "price": "200"}
    assert storage.unread == ()
    assert codec.parse_page({"data": None, "total": 0}).endpoints == ()


@pytest.mark.parametrize("answer", [None, [], {}, {"data": {}}, page("x"), page({"id": "st-1"})])
def test_another_answer_is_no_listing(answer: Any) -> None:
    """An answer of another form never counts as an empty account."""
    with pytest.raises(ValueError, match=r"data"):
        codec.parse_page(answer)


def test_unreadable_values_are_named() -> None:
    """They are not compared; an item without a readable ID still counts."""
    odd = {"storageId": 7, "storageName": {"a": 1}, "storageSize": "much", "clusterId": ["x"]}
    first, second = codec.parse_page(page(ANSWER, odd)).endpoints
    assert first.is_identified
    assert not second.is_identified
    assert set(second.unread) == {("id",), ("name",), ("storageSize",), ("clusterId",)}
    (nameless,) = codec.parse_page(page({"storageId": "st-2"})).endpoints
    assert (nameless.fields, nameless.unread) == ({}, (("name",),))


def test_one_storage() -> None:
    """A single item of the listing."""
    assert codec.parse_one(ANSWER).fields == FIELDS
    with pytest.raises(ValueError, match="no network storage"):
        codec.parse_one({"id": "x"})


def test_one_is_found_by_its_id() -> None:
    """Absence counts only if the answer is the whole listing or an empty one."""
    other = {**ANSWER, "storageId": "st-2"}
    found = codec.find_one(page(other, ANSWER), "st-1")
    assert found is not None
    assert found.id == "st-1"
    assert codec.find_one(page(), "st-1") is None
    assert codec.find_one(page(other, total=1), "st-1") is None
    with pytest.raises(ValueError, match="other storages than st-1"):
        codec.find_one(page(other, total=101), "st-1")
    with pytest.raises(ValueError, match="other storages than st-1"):
        codec.find_one({"data": [other]}, "st-1")


@pytest.mark.parametrize(
    ("answer", "object_id"),
    [
        ("st-1", "st-1"),
        ({"storageId": "st-1"}, "st-1"),
        ({"id": "st-1"}, "st-1"),
        ({}, None),
        ("", None),
        (None, None),
        ({"id": 3}, None),
    ],
)
def test_the_answer_to_a_create(answer: Any, object_id: str | None) -> None:
    """A bare JSON string is what Novita documents; without an ID the outcome is looked for."""
    assert codec.parse_created(answer) == object_id
