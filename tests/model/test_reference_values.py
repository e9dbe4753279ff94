"""References within values: found, replaced and told apart from what is known."""

import pytest

from reconciler.model.encoding import json_bytes
from reconciler.model.secrets import digest, seal_to_json, to_json
from reconciler.model.values import (
    UNKNOWN_TEXT,
    Reference,
    has_reference,
    is_plain_data,
    nested,
    replace_references,
    unknown_parts,
)

HUB = Reference("novita_registry", "hub")
TREE = {"a": [1, {"id": HUB}], "b": {"id": HUB, "c": 2}, "d": ["x"], "e": "text"}


def test_they_are_found_at_any_depth() -> None:
    assert (has_reference(TREE), has_reference(HUB), has_reference({"a": [1]})) == (True, True, False)
    assert is_plain_data(TREE)
    assert (HUB.address, str(HUB)) == ("novita_registry.hub", UNKNOWN_TEXT)


def test_they_are_replaced_in_a_copy() -> None:
    """A value without any is returned as it is."""
    known = replace_references(TREE, lambda reference: reference.name)
    assert known == {"a": [1, {"id": "hub"}], "b": {"id": "hub", "c": 2}, "d": ["x"], "e": "text"}
    assert replace_references(known, str) is known


def test_unknown_parts_have_the_shape_of_terraform() -> None:
    assert unknown_parts(TREE) == {"a": [{}, {"id": True}], "b": {"id": True}}
    assert unknown_parts("text") is False


def test_they_have_a_digest_and_no_json() -> None:
    """Nothing can send or store one by accident."""
    assert digest({"id": HUB}) != digest({"id": "hub"})
    for encode in (json_bytes, lambda value: json_bytes(value, seal_to_json)):
        with pytest.raises(TypeError):
            encode({"id": HUB})
    with pytest.raises(TypeError):
        json_bytes(to_json({"id": HUB}))


def test_a_tree_is_made_of_a_path() -> None:
    assert nested(("a", "b"), 1) == {"a": {"b": 1}}
