"""Content of a store that somebody else wrote: it is refused in plain words, or shown shortened."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import pytest

from reconciler.inventory.lock_holder import MAX_TEXT, parse_holder
from reconciler.inventory.stores.object_store import head as heads
from reconciler.inventory.stores.postgres import open_store
from reconciler.inventory.stores.terraform_http.document import parse_document
from reconciler.model.errors import InventoryError
from tests.postgres_server import PostgresServer
from tests.stores.object_stores import holder

FACTS: dict[str, Any] = asdict(holder())
HEAD: dict[str, Any] = {
    **asdict(heads.Head(fence=7, closed=6, lease=60.0, holder=holder(), documents={}, nonce="n")),
    "format": 1,
}
DEEP = "[" * 100_000


@pytest.mark.parametrize(
    "facts",
    [
        "a text",
        [],
        None,
        {**FACTS, "pid": "4711"},
        {**FACTS, "pid": 10**400},
        {**FACTS, "pid": -1},
        {**FACTS, "pid": True},
        {**FACTS, "who": {"a": 1}},
        {**FACTS, "since": 7},
        {**FACTS, "lock_id": None},
    ],
)
def test_a_holder_of_other_types_is_refused(facts: object) -> None:
    with pytest.raises(ValueError, match="damaged"):
        parse_holder(facts)


def test_facts_of_a_holder_are_cut_and_unknown_ones_are_left_out() -> None:
    found = parse_holder({**FACTS, "who": "w" * 100_000, "host": "\ud800", "later": {}})
    assert (found.who, found.host, found.pid) == ("w" * MAX_TEXT, "?", 4711)


@pytest.mark.parametrize(
    "change",
    [
        *({"fence": value} for value in (10**10, 10**400, 7.5, True, "7", None, float("nan"))),
        *({"closed": value} for value in (8, 1.5, -1, "0")),
        *({"lease": value} for value in (0, float("inf"), float("nan"), 10**30, "60")),
        *({"map": value} for value in ("../other/head.json", "head.json", "/etc/passwd", "parts/../x", 5)),
        {"journal": ["../journal/0000000001-000000001"]},
        {"journal": [{}]},
        {"history": ["parts/0000000001-000001-x"] * (heads.MAX_PARTS + 1)},
        {"documents": {"approved": ""}},
        {"documents": None},
        {"start": 0},
        {"nonce": 5},
        {"holder": "x"},
        {"more": 1},
        {"format": "1"},
    ],
    ids=lambda change: str(change)[:40],
)
def test_a_head_that_no_run_writes_is_refused(change: dict[str, Any]) -> None:
    assert heads.decode(json.dumps(HEAD).encode()).holder == holder()
    with pytest.raises(ValueError, match=r"\S"):
        heads.decode(json.dumps({**HEAD, **change}).encode())


@pytest.mark.parametrize("text", [DEEP, '{"format":1,"holder":' + DEEP])
def test_a_deep_head_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="recursion"):
        heads.decode(text.encode())


def test_a_document_of_half_a_character_is_refused() -> None:
    """It could be read, and no run could write the state again."""
    parts = {"format": 1, "map": None, "journal": None, "history": None, "documents": {"\ud800": "x"}}
    with pytest.raises(InventoryError) as refused:
        parse_document(json.dumps({"serial": 1, "novita_inventory": parts}).encode(), "the state")
    assert refused.value.problem.code == "inventory-unreadable"


@pytest.mark.parametrize("text", [DEEP, "9" * 5000, "{}", '{"pid": 1, "who": []}', ""])
def test_a_session_is_shown_if_its_run_is_not_described(postgres_server: PostgresServer, text: str) -> None:
    address = postgres_server.address()
    store, schema = open_store(address, {}), address.rpartition("=")[2]
    with store.hold(holder()):
        postgres_server.run_sql(f"update {schema}.inventory set holder = '{text}'")
        found = store.holder()
    assert found is not None
    assert (found.who, found.pid) == ("reconciler", 0)


def test_doctor_names_tables_without_their_version(postgres_server: PostgresServer) -> None:
    address = postgres_server.address()
    with open_store(address, {}).hold(holder()):
        pass
    postgres_server.run_sql(f"delete from {address.rpartition('=')[2]}.version")
    assert "inventory-too-new" in [row.code for row in open_store(address, {}).examine()]
