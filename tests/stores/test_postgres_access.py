"""What a user of PostgreSQL needs: a server, a database, a password, rights, and tables of this release."""

import os
import shutil
from pathlib import Path

import pytest

from reconciler.inventory.stores.base import Content, Store
from reconciler.inventory.stores.postgres import open_store
from reconciler.model.errors import InventoryError
from reconciler.model.problem import Problem, Severity
from tests.postgres_server import PostgresServer, free_port, postgres
from tests.stores.postgres_runs import holder
from tests.tls_relay import make_certificate


def problem_of_read(store: Store) -> Problem:
    with pytest.raises(InventoryError) as refused:
        store.read()
    return refused.value.problem


def problem_of_hold(store: Store) -> Problem:
    with pytest.raises(InventoryError) as refused, store.hold(holder()):
        pass
    return refused.value.problem


def rows(store: Store) -> dict[str, str]:
    """Return the rows of `doctor`: the severity of each code."""
    return {row.code: row.severity.value for row in store.examine()}


def test_a_server_that_is_not_there(postgres_server: PostgresServer) -> None:
    store = open_store(postgres_server.address(port=free_port()), {})
    for problem in (problem_of_read(store), problem_of_hold(store), *store.examine()):
        assert problem.code == "store-unavailable"
        assert "Connection refused" in problem.summary
        assert store.label in problem.summary


def test_a_database_that_is_not_there(postgres_server: PostgresServer) -> None:
    problem = problem_of_read(
        open_store(f"postgres://reconciler@127.0.0.1:{postgres_server.port}/nothing", {})
    )
    assert problem.code == "store-not-found"
    assert 'database "nothing" does not exist' in problem.summary


def test_a_password_comes_from_the_variables_and_is_never_shown(
    postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PGPASSWORD", "PGPASSFILE", "PGUSER"):
        monkeypatch.delenv(name, raising=False)
    postgres_server.run_sql("create role with_password login password 's3cret-of-pg'")
    address = f"postgres://with_password@127.0.0.1:{postgres_server.port}/postgres"
    assert open_store(address, {"PGPASSWORD": "s3cret-of-pg"}).read() == Content()
    assert "PGPASSWORD" in problem_of_read(open_store(address, {})).hint
    problem = problem_of_read(open_store(address, {"PGPASSWORD": "other-s3cret"}))
    assert problem.code == "store-refused"
    assert "s3cret" not in str(problem.to_dict())
    monkeypatch.setenv("PGPASSWORD", "s3cret-of-pg")
    assert open_store(address, dict(os.environ)).read() == Content()


def test_a_user_without_rights_gets_the_statements_that_give_them(postgres_server: PostgresServer) -> None:
    postgres_server.run_sql('create role "ci-job" login')
    plain = f"127.0.0.1:{postgres_server.port}/postgres?schema=gpu"
    store = open_store(f"postgres://ci-job@{plain}", {})
    owner = open_store(f"postgres://reconciler@{plain}", {})

    assert store.read() == Content()
    assert rows(store)["store-locks"] == "warning"
    problem = problem_of_hold(store)
    assert problem.code == "store-refused"
    assert 'CREATE SCHEMA gpu AUTHORIZATION "ci-job";' in problem.hint

    postgres_server.run_sql("create schema gpu")
    assert problem_of_hold(store).hint.startswith(
        "Let the owner of the schema run `GRANT USAGE ON SCHEMA gpu"
    )
    postgres_server.run_sql('grant usage on schema gpu to "ci-job"')
    assert 'GRANT CREATE, USAGE ON SCHEMA gpu TO "ci-job";' in problem_of_hold(store).hint
    postgres_server.run_sql('revoke usage on schema gpu from "ci-job"')

    with owner.hold(holder()) as hold:
        hold.fold(b"{}", b"")
    for problem in (problem_of_read(store), problem_of_hold(store)):
        assert problem.code == "store-refused"
        statements = problem.hint.partition("`")[2].rpartition("`")[0]
        assert statements.startswith("GRANT USAGE ON SCHEMA gpu")
    assert list(rows(store).values())[-1] in ("error", "warning")

    postgres_server.run_sql('grant usage on schema gpu to "ci-job"')
    postgres_server.run_sql('grant select on all tables in schema gpu to "ci-job"')
    assert store.read() == Content(map=b"{}")
    assert rows(store)["store-locks"] == "warning"
    assert problem_of_hold(store).code == "store-refused"

    postgres_server.run_sql(statements)
    with store.hold(holder()) as hold:
        hold.append(b"one\n")
        hold.write_document("approved", b"{}")
    assert set(rows(store).values()) == {"note"}


def test_tables_of_a_newer_release_are_refused(postgres_server: PostgresServer) -> None:
    address = postgres_server.address(schema="newer")
    store = open_store(address, {})
    with store.hold(holder()) as hold:
        hold.fold(b"{}", b"")
    postgres_server.run_sql("update newer.version set version = 99")
    assert problem_of_read(store).code == "inventory-too-new"
    assert problem_of_hold(store).code == "inventory-too-new"
    assert "inventory-too-new" in rows(store)
    postgres_server.run_sql("alter table newer.inventory rename column map to content")
    assert problem_of_read(store).code == "inventory-too-new"
    assert postgres_server.run_sql("select fence from newer.inventory") == "1"


def test_tables_are_migrated_under_the_lock(postgres_server: PostgresServer) -> None:
    """As the next release does it: a schema of version 0 has no tables but the version."""
    postgres_server.run_sql("create schema older", "create table older.version (version integer not null)")
    postgres_server.run_sql("insert into older.version values (0)")
    store = open_store(postgres_server.address(schema="older"), {})
    with store.hold(holder()) as hold:
        hold.fold(b"{}", b"")
    assert store.read() == Content(map=b"{}")
    assert postgres_server.run_sql("select version from older.version") == "1"


def test_doctor_shows_the_facts(postgres_server: PostgresServer) -> None:
    store = open_store(postgres_server.address("prod"), {})
    assert rows(store) == dict.fromkeys(
        ("store-reachable", "store-locks", "store-version", "store-clock"), "note"
    )
    with store.hold(holder()) as hold:
        hold.append(b"one\n")
        found = {row.code: row.summary for row in store.examine()}
    assert "PostgreSQL 1" in found["store-version"]
    assert found["store-journal"].startswith("1 line written ")
    assert found["store-owner"].startswith("ann on ")


def test_tls_is_as_libpq_does_it(tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path)
    with postgres() as server:
        for name, file in (("server.crt", certificate), ("server.key", key)):
            target = server.folder / "data" / name
            shutil.copy(file, target)
            target.chmod(0o600)
            if server.user:
                shutil.chown(target, server.user)
        server.run_sql("alter system set ssl = on", "select pg_reload_conf()")
        address = server.address()
        (found,) = [row for row in open_store(address, {}).examine() if row.code == "store-reachable"]
        assert "with TLS" in found.summary
        strict = f"{address}&sslmode=verify-full"
        assert open_store(f"{strict}&sslrootcert={certificate}", {}).read() == Content()
        assert open_store(strict, {"PGSSLROOTCERT": str(certificate)}).read() == Content()
        assert problem_of_read(open_store(strict, {"PGSSLROOTCERT": str(key)})).severity is Severity.ERROR
