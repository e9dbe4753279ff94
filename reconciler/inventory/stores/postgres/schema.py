"""The tables of a schema, and how they are created and migrated.

    version     the version of the tables
    inventory   a row for each inventory: the map, the fence, and the run that holds the lock
    journal     a row for each line
    history     a row for each line, in the order of fence and number
    document    the other documents

Contents are bytea, so that their bytes stay as they are.
"""

from __future__ import annotations

from typing import Final

from reconciler.inventory.stores.postgres.libpq import Connection

_MIGRATIONS: Final = (
    (
        """create table inventory (
            name text primary key,
            map bytea,
            generation bigint not null default 0,
            fence bigint not null default 0,
            holder text,
            backend integer,
            updated_at timestamptz
        )""",
        """create table journal (
            name text not null,
            seq bigint not null,
            fence bigint not null,
            line bytea not null,
            at timestamptz not null default now(),
            primary key (name, seq)
        )""",
        """create table history (
            name text not null,
            fence bigint not null,
            number bigint not null,
            resource text not null,
            line bytea not null,
            primary key (name, fence, number)
        )""",
        "create index on history (name, resource)",
        """create table document (
            name text not null,
            document text not null,
            data bytea not null,
            primary key (name, document)
        )""",
    ),
)
"""The statements that lead from each version to the next one."""

VERSION: Final = len(_MIGRATIONS)
"""The version of the tables that this release reads and writes."""


def create(connection: Connection, schema: str) -> None:
    """Create the tables or migrate them, in one transaction. A newer version stays as it is."""
    connection.execute("begin")
    try:
        connection.execute(
            "select pg_advisory_xact_lock(hashtextextended($1::text, 0))::text", f"novita-reconciler:{schema}"
        )
        if connection.execute("select to_regnamespace($1::text)::text", schema) == [(b"",)]:
            connection.execute(f"create schema {schema}")
        connection.execute(f"set local search_path to {schema}")
        if connection.execute("select to_regclass($1::text)::text", f"{schema}.version") == [(b"",)]:
            connection.execute("create table version (version integer not null)")
            connection.execute("insert into version values (0)")
        ((found,),) = connection.execute("select version::text from version for update")
        for number, statements in enumerate(_MIGRATIONS[int(found) :], int(found) + 1):
            for statement in statements:
                connection.execute(statement)
            connection.execute("update version set version = $1::text::integer", number)
        connection.execute("commit")
    except BaseException:
        connection.close()  # the server rolls back
        raise
