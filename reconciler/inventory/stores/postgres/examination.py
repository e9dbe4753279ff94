"""The facts about an inventory in PostgreSQL that `doctor` shows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Final

from reconciler.inventory.lock_holder import LockHolder
from reconciler.inventory.stores.postgres import failures, schema
from reconciler.inventory.stores.postgres.address import Address
from reconciler.inventory.stores.postgres.libpq import Connection, ConnectionLost, StatementFailed
from reconciler.inventory.stores.rows import clock_row, fact, owner_row
from reconciler.model.errors import InventoryError
from reconciler.model.problem import Problem, Severity

_SERVER: Final = """select current_setting('server_version'), to_regclass($1::text)::text,
    extract(epoch from clock_timestamp())::text"""

_JOURNAL: Final = """select count(*)::text, coalesce(extract(epoch from now() - min(at)), 0)::bigint::text,
    (select version::text from {0}.version) from {0}.journal where name = $1::text"""

_MAY_CREATE: Final = """select has_database_privilege(current_database(), 'CREATE')::text,
    coalesce(has_schema_privilege(to_regnamespace($1::text)::oid, 'CREATE'), false)::text"""

_MAY_WRITE: Final = """select bool_and(has_table_privilege(c.oid, 'SELECT, INSERT')
    and has_table_privilege(c.oid, 'UPDATE') and has_table_privilege(c.oid, 'DELETE'))::text
    from pg_class c where c.relnamespace = to_regnamespace($1::text)::oid and c.relkind = 'r'"""


def examine(
    address: Address, connect: Callable[[], Connection], holder: Callable[[], LockHolder | None]
) -> Iterator[Problem]:
    """Yield a row for each fact, up to the first failure. Nothing is written."""
    try:
        connection = connect()
    except (InventoryError, ConnectionLost) as error:
        found = error if isinstance(error, InventoryError) else failures.unreachable(address, str(error))
        yield from found.problems
        return
    try:
        yield from _rows(address, connection)
        owner = holder()
    except StatementFailed as error:
        yield failures.refused(address, error, "read the tables", connection.user).problem
        return
    except ConnectionLost as error:
        yield failures.unreachable(address, str(error)).problem
        return
    except InventoryError as error:
        yield from error.problems
        return
    finally:
        connection.close()
    if owner is not None:
        yield owner_row(owner)


def _rows(address: Address, connection: Connection) -> Iterator[Problem]:
    sent = time.time()
    ((server, table, clock),) = connection.execute(_SERVER, f"{address.schema}.version")
    difference = float(clock) - (sent + time.time()) / 2
    tls = "with TLS" if connection.is_encrypted else "without TLS"
    yield fact("store-reachable", f"{address.label} can be read as {connection.user}, {tls}")
    ((backend,),) = connection.execute("select pg_backend_pid()::text")
    if int(backend) != connection.backend:
        yield Problem(
            code="store-locks",
            severity=Severity.WARNING,
            summary="the server is behind a connection pooler",
            detail="A pool in transaction mode is refused by the first run that takes the lock.",
            hint=failures.DIRECT,
        )
    else:
        yield _may_write(address, connection, has_tables=bool(table))
    if table:
        ((count, age, version),) = connection.execute(_JOURNAL.format(address.schema), address.inventory)
        if version != b"%d" % schema.VERSION:
            yield failures.too_new(address).problem
            return
        yield fact("store-version", f"PostgreSQL {server.decode()}, tables of version {version.decode()}")
        if int(count):
            lines = "1 line" if int(count) == 1 else f"{int(count):,} lines, the first one of them"
            yield fact("store-journal", f"{lines} written {int(age):,} s ago")
    else:
        yield fact("store-version", f"PostgreSQL {server.decode()}; the first apply creates the tables")
    differs = f"the clock of the store differs by {round(difference):+} s"
    yield clock_row(
        difference,
        f"{differs} from the one of this machine",
        "Locks do not depend on it.",
        summary_if_close=differs,
    )


def _may_write(address: Address, connection: Connection, *, has_tables: bool) -> Problem:
    if has_tables:
        is_allowed = connection.execute(_MAY_WRITE, address.schema) == [(b"true",)]
    else:
        ((database, namespace),) = connection.execute(_MAY_CREATE, address.schema)
        is_allowed = b"true" in (database, namespace)
    if is_allowed:
        return fact("store-locks", f"{connection.user} may lock and write")
    return Problem(
        code="store-locks",
        severity=Severity.WARNING,
        summary=f"{connection.user} may read, but not {'write' if has_tables else 'create the tables'}",
        hint=failures.grants(address, connection.user, has_tables=has_tables),
    )
