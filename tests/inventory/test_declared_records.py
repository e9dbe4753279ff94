"""Records that are not parsed because their fields are written as they are declared."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.inventory import declared_records
from reconciler.inventory.map_format import parse, serialize_inventory
from reconciler.model.errors import InventoryError
from reconciler.model.resource import STORAGE, Inventory, Tracked
from reconciler.model.secrets import Secret

from .helpers import SEALED, URL, inventories, tracked

FIELDS = {"name": "a", "image": {"image": "b", "command": "c"}, "ports": [{"port": 8000}]}
"""Declared fields, in another order than a map has them."""


@pytest.fixture(autouse=True)
def _short_maps_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(declared_records, "MIN_SIZE", 0)


def map_of(**applied: Any) -> str:
    """Return the map of endpoints with these fields."""
    records = {name: Tracked(name=name, id=f"id-{name}", applied=fields) for name, fields in applied.items()}
    return serialize_inventory(Inventory(base_url=URL, records=records)).decode()


def read(text: str, declared: Mapping[str, Any]) -> Mapping[str, Tracked]:
    """Return the records of a map, which are equal without the declared fields."""
    found = parse("shared", text.encode(), declared)
    assert found == parse("alone", text.encode())
    return found.records


def refusal(text: str, declared: Mapping[str, Any]) -> str:
    """Return the problems with which a map is refused, which are the same without the declared fields."""
    found = []
    for fields in (declared, {}):
        with pytest.raises(InventoryError) as caught:
            parse("map", text.encode(), fields)
        found.append("\n".join(f"{problem.summary} {problem.place}" for problem in caught.value.problems))
    assert found[0] == found[1]
    return found[0]


def test_equal_fields_are_the_declared_ones() -> None:
    """The record has the very object; that of another endpoint is parsed."""
    records = read(map_of(a=FIELDS, b={"name": "b"}), {"a": FIELDS, "b": {"name": "other"}})
    assert records["a"].applied is FIELDS
    assert records["b"].applied == {"name": "b"}


def test_the_other_keys_of_a_record_are_parsed() -> None:
    """Flags before and after the fields are read."""
    record = Tracked(
        name="a", id="7", applied=FIELDS, adopted=True, prevent_destroy=True, declared_counts="1"
    )
    text = serialize_inventory(Inventory(base_url=URL, records={"a": record})).decode()
    assert read(text, {"a": FIELDS}) == {"a": record}


@given(inventories, st.data())
@settings(max_examples=60, deadline=None)
def test_a_map_means_the_same(inventory: Inventory, data: st.DataObject) -> None:
    """Whatever is declared, under whatever name, the records are those of the map."""
    known = [record.applied for record in inventory.records.values()]
    declared = {name: data.draw(st.sampled_from(known)) for name in inventory.records}
    read(serialize_inventory(inventory).decode(), declared)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"command": "c"', '"command":  "c"'),  # another layout
        ('"command": "c"', '"command": "d"'),
        ('"command": "c"', '"command": "c", "more": 1'),
        ('"applied": {', '"applied" : {'),
        ('"id": "id-a"', '"id": "as declared: 0"'),
        ('"name": "a",', '"name": "as declared: 0",'),
    ],
)
def test_an_edited_record_is_parsed(old: str, new: str) -> None:
    """An edit by hand makes the text another one."""
    text = map_of(a=FIELDS)
    assert old in text
    records = read(text.replace(old, new), {"a": FIELDS})
    assert records["a"].applied is not FIELDS


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('"id": "id-a"', '"id": 1', '"id" must be'),
        ('"id": "id-a"', '"id": "id-a", "id": "id-b"', '"id" appears twice'),
        ('"id": "id-a"', '"id": oops', "is not JSON"),
        ('"id": "id-a"', '"id": "a\nb"', "is not JSON"),
        ('"format": 2', '"format": NaN', "NaN is no number"),
        ('    "b": {', '    "a": {', '"a" appears twice'),
        ('  "endpoints": {', '  "others": {', 'unknown key "others"'),
        ('  "endpoints": {', '  "endpoints": [', "is not JSON"),
        ('    "b": {', '    "b": null, "c": {', "not null"),
    ],
)
def test_a_wrong_map_is_refused_at_the_same_place(old: str, new: str, fault: str) -> None:
    """The problems name places of the whole text."""
    text = map_of(a=FIELDS, b=FIELDS)
    assert old in text
    assert fault in refusal(text.replace(old, new), {"a": FIELDS, "b": FIELDS})


def test_what_looks_like_a_record_elsewhere_is_parsed() -> None:
    """A value of another section, or inside of a record, is no record."""
    inner = json.loads(json.dumps(FIELDS))
    other = Inventory(records={"a": Tracked(name="a", id="7", applied=inner, kind=STORAGE)})
    inventory = Inventory(base_url=URL, records={"b": tracked("b")}, others={STORAGE: other})
    text = serialize_inventory(inventory).decode()
    found = parse("map", text.encode(), {f"{STORAGE}.a": FIELDS})
    assert found == inventory
    assert found.others[STORAGE].records["a"].applied is not FIELDS


def test_secrets_are_never_written_for_the_comparison() -> None:
    """Declared fields with a secret are not compared as text."""
    declared = {"name": "a", "envs": {"TOKEN": Secret("s3cret", "${env:T}")}}
    assert read(map_of(a={"name": "a", "envs": {"TOKEN": SEALED}}), {"a": declared})
    plain = read(map_of(a={"name": "a", "envs": {"TOKEN": "s3cret"}}), {"a": declared})
    assert plain["a"].applied == {"name": "a", "envs": {"TOKEN": "s3cret"}}


def test_a_short_map_is_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    """For a few records the comparison saves nothing."""
    monkeypatch.undo()
    assert read(map_of(a=FIELDS), {"a": FIELDS})["a"].applied is not FIELDS
