"""An inventory in a store that a team shares: every command works as with a file, from any machine."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from reconciler.inventory.session import load
from reconciler.inventory.stores.address import open_store
from reconciler.inventory.stores.base import APPROVED_PLAN, Store
from reconciler.simulator import Request
from tests.e2e.sandbox import Sandbox, item
from tests.postgres_server import PostgresServer
from tests.s3_server import S3Server
from tests.stores.gitlab_server import environment, state_server


@pytest.fixture(name="address", params=["s3", "postgres", "gitlab"])
def _address(sandbox: Sandbox, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a new inventory on each engine."""
    if request.param == "postgres":
        server: PostgresServer = request.getfixturevalue("postgres_server")
        yield server.address("prod")
        return
    if request.param == "gitlab":
        with state_server() as gitlab:
            for name, value in environment(gitlab).items():
                sandbox.monkeypatch.setenv(name, value)
            yield gitlab.gitlab("prod")
        return
    s3: S3Server = request.getfixturevalue("s3_server")
    for name, value in s3.environ().items():
        sandbox.monkeypatch.setenv(name, value)
    yield s3.new_address()


@pytest.fixture(name="store")
def _store(sandbox: Sandbox, address: str) -> Store:
    return open_store(address, sandbox.root, os.environ)


def test_every_command_works_on_it(sandbox: Sandbox, address: str, store: Store) -> None:
    state = ("--state", address)
    sandbox.declare(item("a"), item("b"))
    sandbox.apply(*state)
    assert set(load(store).records) == {"a", "b"}
    assert sandbox.plan(*state).code == 0
    assert "a" in sandbox.run("state", "list", *state).out
    assert "create" in sandbox.run("history", *state).out
    assert sandbox.run("drift", *state).code == 0
    assert sandbox.run("scale", "a", "2", "--yes", *state).code == 0
    assert sandbox.run("rollback", "a", "1", "--auto-approve", *state).code == 0
    assert sandbox.run("state", "rm", "b", *state).code == 0
    assert sandbox.run("import", "b", sandbox.id("b"), *state).code == 0
    assert sandbox.run("state", "rebuild", *state).code == 0
    assert sandbox.run("doctor", *state).code == 0
    assert sandbox.run("destroy", "--auto-approve", *state).code == 0
    assert sandbox.live() == {}
    assert [name for name in sandbox.files() if name.startswith("state/")] == []


def test_the_owner_does_not_name_a_folder_of_one_machine(
    sandbox: Sandbox, address: str, store: Store
) -> None:
    sandbox.declare(item("a"))
    sandbox.apply("--state", address)
    assert load(store).owner.root == "."


def moved(sandbox: Sandbox) -> Sandbox:
    """Return the sandbox on another machine: the same files in another folder."""
    folder = sandbox.root.parent / "checkout" / "infra"
    shutil.move(sandbox.root, folder)
    sandbox.monkeypatch.chdir(folder)
    return replace(sandbox, root=folder)


def test_an_apply_is_resumed_from_another_machine(sandbox: Sandbox, address: str, store: Store) -> None:
    sandbox.declare(item("a"), item("b"))
    sandbox.monkeypatch.setenv("RECONCILER_OBJECT_STORE_LEASE_SECONDS", "1")
    sandbox.killed("create", "--state", address, "--parallelism", "1")
    assert store.read_document(APPROVED_PLAN) is not None
    if (holder := store.holder()) is not None and address.startswith("http"):
        store.unlock(holder.lock_id)  # it outlives its run
    other = moved(sandbox)
    ran = other.run("apply", "--resume", "--state", address, "--lock-timeout", "30s")
    assert ran.code == 0, ran.err
    assert len(other.sent("create")) == 2
    assert set(load(store).records) == {"a", "b"}
    assert store.read_document(APPROVED_PLAN) is None


def test_a_saved_plan_belongs_to_the_inventory(sandbox: Sandbox, address: str) -> None:
    sandbox.declare(item("a"))
    assert sandbox.run("plan", "--out", "the.plan", "--state", address).code == 0
    refused = sandbox.run("apply", "the.plan", "--state", f"{address}2")
    assert refused.code == 6
    assert f"--state: it was made with {address}, this run has {address}2" in refused.err
    assert sandbox.run("apply", "the.plan").code == 0
    assert set(sandbox.live()) == {"a"}


def test_nothing_is_sent_after_the_lock_was_lost(sandbox: Sandbox, address: str, store: Store) -> None:
    sandbox.declare(item("a"), item("b"), item("c"))

    def take_the_lock(_request: Request) -> None:
        holder = store.holder()
        assert holder is not None
        store.unlock(holder.lock_id)
        with store.hold(replace(holder, who="bob")):
            pass

    sandbox.sim.faults.after("create", take_the_lock)
    ran = sandbox.run("apply", "--auto-approve", "--parallelism", "1", "--state", address)
    assert ran.code == 1, ran.err
    assert "the lock" in ran.err.lower(), ran.err
    assert len(sandbox.sent("create")) == 1
    sandbox.apply("--state", address)
    assert len(sandbox.sent("create")) == 3
    assert set(load(store).records) == set(sandbox.live()) == {"a", "b", "c"}
    assert sandbox.plan("--state", address).code == 0


REFUSED = {
    "unknown": ("mysql://db/infra", "unknown-store", "postgres://, postgresql://, s3://"),
    "password": ("postgres://me:hunter2@db/infra", "credential-in-address", "PGPASSWORD"),
    "parameter": ("postgres://db/infra?password=hunter2", "credential-in-address", "PGPASSWORD"),
    "user": ("https://hunter2@gitlab.example.com/state", "credential-in-address", "TF_HTTP_PASSWORD"),
    "unencrypted": ("http://gitlab.example.com/state", "insecure-address", "https://"),
    "malformed": ("https://[hunter2/state", "bad-address", "https://gitlab.example.com/"),
}


@pytest.mark.parametrize(("address", "code", "hint"), REFUSED.values(), ids=REFUSED)
def test_an_address_that_cannot_be_used(sandbox: Sandbox, address: str, code: str, hint: str) -> None:
    """It is refused before any call, and a credential in it is not repeated."""
    sandbox.declare(item("a"))
    ran = sandbox.run("plan", "--json", "--state", address)
    (problem,) = ran.document["problems"]
    assert (ran.code, problem["code"]) == (1, code)
    assert hint in problem["hint"]
    assert "hunter2" not in ran.out + ran.err
    assert sandbox.sim.requests == []


@pytest.fixture(name="without")
def _without(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Make packages look as if they were not installed."""
    import sys

    def hide(*names: str) -> None:
        for name in [*sys.modules]:
            if name.startswith("reconciler.inventory.stores.object_store"):
                monkeypatch.delitem(sys.modules, name)
        for name in names:
            monkeypatch.setitem(sys.modules, name, None)  # type: ignore[arg-type]

    return hide


def test_a_missing_extra_is_named(sandbox: Sandbox, without: Callable[..., None]) -> None:
    without("obstore", "obstore.store")
    sandbox.declare(item("a"))
    ran = sandbox.run("plan", "--state", "s3://bucket/missing-extra")
    assert ran.code == 1
    assert "pip install 'novita-reconciler[object-store]'" in ran.err
