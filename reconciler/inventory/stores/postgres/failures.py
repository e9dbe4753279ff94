"""The failures of PostgreSQL as problems for the user: what happened, and what to do."""

from __future__ import annotations

from typing import Final

from reconciler.inventory.lock_holder import LockHolder, not_held_problem
from reconciler.inventory.stores.postgres.address import Address
from reconciler.inventory.stores.postgres.libpq import StatementFailed
from reconciler.model.command import command_line
from reconciler.model.errors import InventoryError
from reconciler.model.problem import Problem

OTHER_TABLES: Final = frozenset({"42P01", "3F000", "42703", "42804"})
"""The states of a statement whose tables do not exist, or are those of another version."""

CREATE_TABLES: Final = "create the tables"
"""The task of a statement that creates tables."""

_NO_PRIVILEGE: Final = "42501"
_READ_ONLY: Final = "25006"
_FULL: Final = frozenset({"53100", "53200"})
_AGAIN: Final = "Run the command again: it finds what this run has done, and completes it"
DIRECT: Final = (
    "Name the server itself in the address, or a pool in session mode (`pool_mode = session` of PgBouncer)"
)


def unreachable(address: Address, message: str) -> InventoryError:
    """Return the error for a connection that was not made. libpq's messages contain no password."""
    text = " ".join(message.split())
    code, hint = "store-unavailable", f"Check the address and the network; `{_doctor()}` tries again"
    if "password" in text:
        code, hint = "store-refused", "Put the password of this user into PGPASSWORD or ~/.pgpass"
    elif "does not exist" in text and "database" in text:
        code, hint = "store-not-found", "Create the database with `createdb`, or correct the address"
    elif "unsupported startup parameter" in text:
        code, hint = "store-cannot-lock", DIRECT
    return _error(code, f"Cannot connect to {address.label}: {text}", hint=hint)


def not_valid(address: Address, message: str) -> InventoryError:
    """Return the error for an address that libpq does not accept."""
    return _error(
        "store-address",
        f"The address {address.label} is not valid: {message}",
        hint="Write it like postgres://db.internal/infra?inventory=prod, with the parameters of libpq",
    )


def no_library(error: ImportError) -> InventoryError:
    """Return the error for a machine without a libpq that can be loaded."""
    return _error(
        "missing-extra",
        "there is no libpq, the client library of PostgreSQL",
        str(error).partition("\n")[0],
        hint="pip install 'novita-reconciler[postgres]'",
    )


def refused(address: Address, failure: StatementFailed, task: str, user: str = "") -> InventoryError:
    """Return the error for a statement that the server refused. task: such as `write the journal`."""
    message = str(failure).partition("\n")[0].removeprefix("ERROR:").strip()
    summary = f"Cannot {task} of {address.label}: {message}"
    if failure.state == _NO_PRIVILEGE:
        is_create = "for database" in message or task == CREATE_TABLES
        hint = grants(address, user, has_tables=not is_create, has_schema="for schema" in message)
        return _error("store-refused", summary, hint=hint)
    if failure.state == _READ_ONLY:
        hint = "Name the primary server in the address, such as with `target_session_attrs=read-write`"
        return _error("store-refused", summary, hint=hint)
    if failure.state in _FULL:
        return _error("store-unavailable", summary, "Nothing was written.", hint="Make room on the server")
    return _error("store-failed", summary, f"SQLSTATE {failure.state}.", hint=f"`{_doctor()}` shows more")


def lost(address: Address, why: str, detail: str = "") -> InventoryError:
    """Return the error for a lock that this run does not hold any more."""
    return _error("lock-lost", f"The lock of {address.label} is lost: {why}", detail, hint=_AGAIN)


def pooled(address: Address) -> InventoryError:
    """Return the error for a pooler that gives one session to several clients."""
    return _error(
        "store-cannot-lock",
        f"{address.label} is behind a connection pooler that gives one session to several clients",
        "A lock of such a session belongs to nobody, so two runs could change the account at once.",
        hint=DIRECT,
    )


def too_new(address: Address) -> InventoryError:
    """Return the error for tables of a later release."""
    return _error(
        "inventory-too-new",
        f"The tables of {address.label} were written by a newer release",
        hint="Install that release with `pip install --upgrade 'novita-reconciler[postgres]'`",
    )


def not_held(address: Address, lock_id: str, holder: LockHolder | None) -> InventoryError:
    """Return the error for an unlock of a lock that does not exist, or is another one."""
    return InventoryError(not_held_problem(address.label, lock_id, is_locked=holder is not None))


def not_ended(address: Address, holder: LockHolder) -> InventoryError:
    """Return the error for a session that this user may not end."""
    pid = holder.lock_id.partition("-")[0]
    return _error(
        "store-refused",
        f"The session that locks {address.label} belongs to another role",
        hint=f"Let that role or an administrator run `SELECT pg_terminate_backend({pid});`",
    )


def grants(address: Address, user: str, *, has_tables: bool, has_schema: bool = False) -> str:
    """Return the SQL that an administrator runs, so that this user may write."""
    name = address.schema
    role = '"' + user.replace('"', '""') + '"'
    if has_tables:
        return (
            f"Let the owner of the schema run `GRANT USAGE ON SCHEMA {name} TO {role}; "
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {name} TO {role};`"
        )
    if has_schema:
        return f"Let the owner of the schema run `GRANT CREATE, USAGE ON SCHEMA {name} TO {role};`"
    return f"Let an administrator run `CREATE SCHEMA {name} AUTHORIZATION {role};`"


def _doctor() -> str:
    return command_line("reconciler", "doctor")


def _error(code: str, summary: str, detail: str = "", *, hint: str) -> InventoryError:
    return InventoryError(Problem(code=code, summary=summary, detail=detail, hint=hint))
