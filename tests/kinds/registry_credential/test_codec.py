"""Answers about registry credentials, read into normal form."""

from typing import Any

import pytest

from reconciler.kinds.registry_credential import codec
from reconciler.model.secrets import Secret, reveal

from .samples import ANSWER


def listing(*items: Any) -> dict[str, Any]:
    return {"data": list(items)}


def test_a_listing_is_read() -> None:
    """One answer has all of them. A password is a secret as soon as it is read."""
    page = codec.parse_page(listing(ANSWER, {**ANSWER, "id": "auth-2", "password": 12345678}))
    first, second = page.endpoints
    assert (page.total, first.id, first.name, first.kind) == (2, "auth-1", "ghcr", "novita_registry")
    assert isinstance(first.fields["password"], Secret)
    assert reveal(first.fields) == {"name": "ghcr", "username": "robot", "password": "s3cret-of-ghcr"}
    assert reveal(second.fields["password"]) == "12345678"
    assert "s3cret" not in f"{page} {first!r} {first.fields}"
    assert codec.parse_page({"data": None}).endpoints == ()


@pytest.mark.parametrize("answer", [None, [], {}, {"data": {}}, listing("x"), listing({"name": "ghcr"})])
def test_another_answer_is_no_listing(answer: Any) -> None:
    """An answer of another form never counts as an account without credentials."""
    with pytest.raises(ValueError, match=r"data"):
        codec.parse_page(answer)


def test_unreadable_values_are_named() -> None:
    """They are not compared; an item without a readable ID still counts."""
    odd = {"id": 7, "name": ["x"], "username": {"a": 1}, "password": ["s3cret-of-ghcr"]}
    first, second = codec.parse_page(listing(ANSWER, odd)).endpoints
    assert first.is_identified
    assert not second.is_identified
    assert set(second.unread) == {("id",), ("name",), ("username",), ("password",)}
    assert "s3cret" not in repr(second)
    (nameless,) = codec.parse_page(listing({"id": "auth-2", "password": ""})).endpoints
    assert nameless.unread == (("name",),)


def test_one_credential() -> None:
    """A single item of the listing."""
    assert codec.parse_one(ANSWER).id == "auth-1"
    with pytest.raises(ValueError, match="no registry credential"):
        codec.parse_one({"id": "x"})


def test_one_is_found_by_its_id() -> None:
    """The listing is whole, so that an ID which it lacks does not exist."""
    found = codec.find_one(listing({**ANSWER, "id": "auth-2"}, ANSWER), "auth-1")
    assert found is not None
    assert found.id == "auth-1"
    assert codec.find_one(listing(), "auth-1") is None


@pytest.mark.parametrize(
    ("answer", "object_id"),
    [({}, None), (None, None), ({"id": "auth-1"}, "auth-1"), ({"id": 7}, None), ({"id": ""}, None)],
)
def test_the_id_of_a_new_one_may_be_missing(answer: Any, object_id: str | None) -> None:
    """The documentation has an empty answer, other sources one with the ID."""
    assert codec.parse_created(answer) == object_id
