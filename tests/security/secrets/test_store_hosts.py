"""A file of the repository cannot choose the host that gets the credentials of the inventory.

The author of a pull request writes config.yaml, and hands over plans. The check of an address and the library
that connects must read it alike, so one test asks libpq itself where it would connect to.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.config.environments import Environments
from reconciler.config.store_hosts import untrusted_addresses
from reconciler.inventory.stores.postgres.address import parse_address
from reconciler.inventory.stores.postgres.libpq import options_of
from reconciler.model.errors import InvalidConfig, InventoryError
from reconciler.model.hosts import is_loopback
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.saved_plan.origin import Origin
from tests.e2e.sandbox import Sandbox

REDIRECTED = (
    "postgres://127.0.0.1#@evil.example/db",
    "postgres://127.0.0.1?x@evil.example/db",
    "postgres://127.0.0.1/db?inventory=x#&host=evil.example",
    "postgres://127.0.0.1/db#?host=evil.example",
    "postgres://u@evil.example,x@127.0.0.1/db",
    "postgres://u@127.0.0.1@evil.example/db",
    "postgres://127.0.0.1/db?inventory=x&hostaddr=",
    "postgres://127.0.0.1/db?inventory=x&%68ost=evil.example",
    "postgres://127.0.0.1%2Cevil.example/db",
    "postgres://localhost,evil.example/db",
    "postgresql://evil.example/db",
    "POSTGRES://evil.example/db",
    "postgres://[::1],evil.example:5432/db",
    "postgres:///db?host=evil.example",
    "https://127.0.0.1@evil.example/terraform/state/x",
    "https://evil.example#@127.0.0.1/terraform/state/x",
    "https://evil.example?@127.0.0.1/terraform/state/x",
    "https://evil.example\\@127.0.0.1/terraform/state/x",
    "https://evil.example,127.0.0.1/terraform/state/x",
)
"""Addresses that name this machine and lead, or seem to lead, to another one."""


REFUSALS = {
    "untrusted-host", "untrusted-parameter", "untrusted-address", "bad-address", "credential-in-address",
}  # fmt: skip


def problems(address: str, environ: dict[str, str] | None = None) -> list[str]:
    named = Environments(file="config.yaml", addresses={"novita.state": address})
    return [problem.code for problem in untrusted_addresses(named, environ or {})]


@pytest.mark.parametrize("address", REDIRECTED)
@pytest.mark.parametrize("place", ["novita", "environment", "plan"])
def test_an_address_of_a_file_leads_nowhere_else(sandbox: Sandbox, address: str, place: str) -> None:
    """It is refused before anything connects, and the value of no credential is printed."""
    sandbox.monkeypatch.setenv("PGPASSWORD", "the-password-of-the-store")
    sandbox.monkeypatch.setenv("TF_HTTP_USERNAME", "ci")
    sandbox.monkeypatch.setenv("TF_HTTP_PASSWORD", "the-password-of-the-store")
    if place == "plan":
        origin = Origin(
            directory=".", root=str(sandbox.root), way=".", files=(), state=address,
            targets=(), excludes=(), read=(), records=(),
        )  # fmt: skip
        with pytest.raises(InvalidConfig):
            origin.context(Context(root=sandbox.root, environ={}), Path("prod.plan"), "the plan")
        return
    config = (
        {"novita": {"state": address}}
        if place == "novita"
        else {"environments": {"prod": {"state": address}}}
    )
    sandbox.write("config.yaml", config)
    ran = sandbox.run("state", "list", "--json", *([] if place == "novita" else ["-e", "prod"]))
    assert ran.code == 1
    assert set(ran.codes) & REFUSALS, ran.out
    assert "the-password" not in ran.out + ran.err


@pytest.mark.parametrize("address", REDIRECTED)
def test_the_check_itself_refuses_it(address: str) -> None:
    """Without the help of the parsers that come later."""
    assert problems(address)


@pytest.mark.parametrize(
    "address",
    [
        "postgres://127.0.0.1/db?inventory=prod",
        "postgres://ann@localhost:5433/db?inventory=a%20b&schema=gpu",
        "postgres:///db?inventory=prod",
        "postgres://[::1]:5432,127.0.0.1/db",
        "https://127.0.0.1/terraform/state/x",
        "s3://acme-infra/prod",
    ],
)
def test_addresses_of_this_machine_are_allowed(address: str) -> None:
    assert problems(address) == []


def test_a_trusted_suffix_admits_no_other_host() -> None:
    """A comma that is written as %2C would end in a trusted name."""
    trusted = {"RECONCILER_TRUSTED_HOSTS": "*.internal"}
    assert problems("postgres://db.internal/infra", trusted) == []
    assert problems("postgres://a.internal,b.internal:5433/infra", trusted) == []
    for address in ("evil.example%2Cdb.internal", "evil.example,db.internal", "evil.example #.internal"):
        assert problems(f"postgres://{address}/infra", trusted)


PIECES = st.sampled_from(
    ["127.0.0.1", "localhost", "evil.example", "u", "db", "x", "inventory=a", "host=evil.example",
     "hostaddr=1.2.3.4", "service=s", "@", "#", "?", "/", ",", ":", "&", "=", "%", "%2C", "%40", "%23", "%2F",
     "[", "]", "[::1]", ";", "\\", " ", "+", "5432", ".", "//"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=9).map("".join))
@example("127.0.0.1#@evil.example/db")
@example("u@evil.example,x@127.0.0.1/db")
def test_libpq_connects_only_where_the_check_says(rest: str) -> None:
    address = f"postgres://{rest}"
    if problems(address):
        return
    try:
        options = options_of(parse_address(address).uri, {})
    except (InventoryError, ValueError):
        return
    hosts = options.get("host", "").split(",")
    assert all(not host or is_loopback(host) for host in hosts), options
    assert not {"hostaddr", "service", "passfile"} & options.keys()
