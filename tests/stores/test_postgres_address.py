"""The address of an inventory in PostgreSQL."""

import pytest

from reconciler.inventory.stores.postgres import open_store
from reconciler.inventory.stores.postgres.address import parse_address
from reconciler.inventory.stores.postgres.libpq import options_of
from reconciler.model.errors import InventoryError


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("postgres://db.internal/infra", "postgres://db.internal/infra?inventory=default"),
        ("postgresql://ann@db:5433/infra?inventory=prod", "postgresql://ann@db:5433/infra?inventory=prod"),
        (
            "postgres://db/infra?schema=gpu&sslmode=verify-full&inventory=a%20b%26c",
            "postgres://db/infra?sslmode=verify-full&inventory=a%20b%26c&schema=gpu",
        ),
        (
            "postgres:///infra?host=/run/postgresql",
            "postgres:///infra?host=/run/postgresql&inventory=default",
        ),
        ("postgres://a,b:5433/infra", "postgres://a,b:5433/infra?inventory=default"),
    ],
)
def test_the_label_is_an_address_of_the_same_inventory(text: str, label: str) -> None:
    address = parse_address(text)
    assert address.label == label
    assert parse_address(label) == address


def test_the_inventory_and_the_schema_decide_about_the_lock() -> None:
    addresses = [
        f"postgres://db/infra?{query}"
        for query in ("", "inventory=prod", "schema=gpu", "inventory=prod&schema=gpu")
    ]
    assert len({parse_address(address).key for address in addresses}) == 4
    assert parse_address(addresses[0]).key == parse_address("postgres://db.internal/infra").key


@pytest.mark.parametrize(
    "text",
    [
        "postgres://ann:s3cret@db/infra",
        "postgres://ann:@db/infra",
        "postgres://db/infra?password=s3cret",
        "postgres://db/infra?%70assword=s3cret",
        "postgres://db/infra?sslpassword=s3cret",
    ],
)
def test_a_password_in_the_address_is_refused_and_not_shown(text: str) -> None:
    with pytest.raises(InventoryError) as refused:
        parse_address(text)
    assert refused.value.problem.code == "store-address"
    assert "s3cret" not in str(refused.value.problem.to_dict())
    assert "PGPASSWORD" in refused.value.problem.hint


@pytest.mark.parametrize(
    "text",
    [
        "mysql://db/infra",
        "postgres://db/infra?schema=Gpu",
        "postgres://db/infra?schema=a%22b",
        "postgres://db/infra?schema=",
        "postgres://db/infra?inventory=",
        "postgres://db/infra?inventory=a%0Ab",
        "postgres://db\x1b[31m/infra",
    ],
)
def test_other_addresses_are_refused(text: str) -> None:
    with pytest.raises(InventoryError) as refused:
        open_store(text, {})
    assert refused.value.problem.code == "store-address"


def test_a_parameter_that_libpq_does_not_know_is_refused() -> None:
    with pytest.raises(InventoryError) as refused:
        open_store("postgres://db/infra?ssl=yes", {}).read()
    assert refused.value.problem.code == "store-address"
    assert 'invalid URI query parameter: "ssl"' in refused.value.problem.summary


@pytest.mark.parametrize(
    ("query", "variable", "seconds"),
    [
        ("", "", "10"),
        ("", "4", "4"),
        ("?connect_timeout=3", "4", "3"),
        ("?connect_timeout=0", "", "10"),
        ("?connect_timeout=99999999999", "", "10"),
    ],
)
def test_the_time_to_connect_is_that_of_the_address_or_of_its_variable(
    query: str, variable: str, seconds: str
) -> None:
    options = options_of(f"postgres://db/infra{query}", {"PGCONNECT_TIMEOUT": variable})
    assert options["connect_timeout"] == seconds


def test_a_time_to_connect_that_is_no_number_is_refused() -> None:
    with pytest.raises(InventoryError) as refused:
        open_store("postgres://db/infra?connect_timeout=soon", {}).read()
    assert refused.value.problem.code == "store-address"
    assert "connect_timeout is no number of seconds: soon" in refused.value.problem.summary
