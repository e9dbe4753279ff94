"""The lock of an inventory, held by a session of the server, and its return after a lost connection.

It is an advisory lock: the server frees it when the session ends. Each run that takes it counts the fence of
the inventory up, and each write checks the fence. So a late write of a lost session has no effect, and a lock
that was lost and taken again is worth something only if the fence is still the same.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import Final

from reconciler.inventory.lock_holder import LockHolder
from reconciler.inventory.stores.clock import passed, pause
from reconciler.inventory.stores.postgres import failures, schema
from reconciler.inventory.stores.postgres.address import Address
from reconciler.inventory.stores.postgres.libpq import (
    KEEPALIVES,
    Connection,
    ConnectionLost,
    Row,
    StatementFailed,
)
from reconciler.model.durations import (
    MAX_LOCK_AGE,
    POOLER_TIMEOUT,
    RECONNECT_TIMEOUT,
    SESSION_POLL,
    STATEMENT_TIMEOUT,
)
from reconciler.model.errors import InventoryError

TAKEN: Final = "another run has taken it over, or it was freed by hand"

_TAKE: Final = """select pg_try_advisory_lock($1::text::bigint)::text, to_regclass($2::text)::text,
    set_config('statement_timeout', $3::text, false), set_config('lock_timeout', '0', false),
    set_config('tcp_keepalives_idle', $4::text, false),
    set_config('tcp_keepalives_interval', $5::text, false),
    set_config('tcp_keepalives_count', $6::text, false), set_config('tcp_user_timeout', $7::text, false)
    {idle} where pg_backend_pid() = $8::text::integer"""

_IDLE: Final = ", set_config('idle_session_timeout', '{}', false)"
"""A part of `_TAKE` for servers that can end idle sessions, which are those since 14."""

_CLAIM: Final = """insert into {0}.inventory as i (name, fence, holder, backend)
    select $1::text, 1, $2::text, pg_backend_pid() where (select version from {0}.version) = $3::text::integer
    on conflict (name) do update
    set fence = i.fence + 1, holder = excluded.holder, backend = excluded.backend
    returning fence::text, generation::text,
    (select coalesce(max(seq), 0)::text from {0}.journal where name = $1::text)"""

_REGAIN: Final = """update {0}.inventory set backend = pg_backend_pid()
    where name = $1::text and fence = $2::text::bigint returning generation::text,
    (select coalesce(max(seq), 0)::text from {0}.journal where name = $1::text)"""

_END_FORMER: Final = """select (
        select count(pg_terminate_backend(l.pid))::text from pg_locks l where l.pid = i.backend
        and l.locktype = 'advisory' and l.granted and l.objsubid = 1 and l.pid <> pg_backend_pid()
        and l.database = (select oid from pg_database where datname = current_database())
        and (l.classid::bigint << 32) | l.objid::bigint = $3::text::bigint
    ) from {0}.inventory i where i.name = $1::text and i.fence = $2::text::bigint"""

_PROVE: Final = """select 1::text from {0}.inventory
    where name = $1::text and fence = $2::text::bigint and backend = pg_backend_pid()"""

_RELEASE: Final = """with freed as (
        update {0}.inventory set holder = null, backend = null
        where name = $1::text and fence = $2::text::bigint returning 1
    ) select pg_advisory_unlock($3::text::bigint)::text, (select count(*)::text from freed)"""


class SessionLock:
    """The lock of one inventory. `take` it before anything else. Thread-safe.

    stop: ends the wait for a lost connection when it is set. idle: seconds after which the server ends a
    session that runs no statement, 0 for never; servers before 14 cannot.
    """

    def __init__(
        self,
        address: Address,
        options: Mapping[str, str],
        *,
        stop: threading.Event | None = None,
        idle: float = 0.0,
    ) -> None:
        self._address = address
        self._options = options
        self._stop = stop
        self._idle = round(idle * 1000)
        self._guard = threading.RLock()  # one statement at a time; guards all below
        self._connection: Connection | None = None
        self._lost: InventoryError | None = None
        self._proved_at = 0.0
        self.fence = 0
        self.generation = 0
        self.last_line = 0

    def take(self, holder: LockHolder) -> bool:
        """Take the lock if it is free. Raise InventoryError if this server or this user cannot lock."""
        try:
            if self._connection is None:
                self._connection = Connection(self._options)
            if not self._try(self._connection):
                return False
            self._claim(self._connection, holder)
        except ConnectionLost as error:
            raise failures.unreachable(self._address, str(error)) from error
        except StatementFailed as error:
            raise failures.refused(self._address, error, "take the lock", self._user()) from error
        return True

    def check(self) -> None:
        """Raise InventoryError if the lock is lost. Ask the server only if it did not answer for a while."""
        connection = self._connection
        is_recent = self._lost is None and passed() - self._proved_at < MAX_LOCK_AGE
        if is_recent and connection is not None and not self._has_ended(connection):
            return
        if not self.run("check the lock", _PROVE, self._address.inventory, self.fence):
            raise self.lose(TAKEN)

    def run(self, task: str, statement: str, *parameters: str | bytes | int | None) -> list[Row]:
        """Run a statement that may be repeated, and return its rows. Raise InventoryError.

        If the connection is lost, the lock is taken again over a new one, and the statement is repeated.
        """
        statement = statement.format(self._address.schema)
        with self._guard:
            if self._lost is not None:
                raise self._lost
            try:
                try:
                    return self._execute(statement, *parameters)
                except ConnectionLost as error:
                    self._regain(str(error))
                    return self._execute(statement, *parameters)
            except ConnectionLost as error:
                raise self.lose(str(error)) from error
            except StatementFailed as error:
                raise failures.refused(self._address, error, task, self._user()) from error

    def lose(self, why: str) -> InventoryError:
        """Give the lock up for good, and return the error that says so."""
        with self._guard:
            if self._lost is None:
                self._lost = failures.lost(self._address, why)
                self._close()
            return self._lost

    def release(self) -> None:
        """Free the lock and end the session."""
        with self._guard:
            if self._connection is not None and self._lost is None and self.fence:
                with suppress(ConnectionLost, StatementFailed):
                    statement = _RELEASE.format(self._address.schema)
                    self._execute(statement, self._address.inventory, self.fence, self._address.key)
            self._lost = self._lost or failures.lost(self._address, "this run has released it")
            self._close()

    def _execute(self, statement: str, *parameters: str | bytes | int | None) -> list[Row]:
        if self._connection is None:
            raise ConnectionLost("the connection was closed")
        at = passed()
        rows = self._connection.execute(statement, *parameters)
        self._proved_at = at
        return rows

    def _try(self, connection: Connection) -> bool:
        """Try to take the lock, and set the timeouts of the session. Refuse a pooler that shares it.

        Nothing happens in a session that is not the one of the connection: a pooler would keep the lock.
        """
        words = [self._options[key] for key in KEEPALIVES]
        timeout = round(STATEMENT_TIMEOUT * 900)  # in ms, and before this end gives up
        table = f"{self._address.schema}.version"
        statement = _TAKE.format(idle=_IDLE.format(self._idle) if connection.server_version >= 140000 else "")
        for backend in (connection.backend, None):
            backend = backend or self._behind_pooler(connection)
            rows = connection.execute(statement, self._address.key, table, timeout, *words, backend)
            if rows:
                break
        else:
            raise failures.pooled(self._address)
        is_taken, has_tables, *_ = rows[0]
        if is_taken == b"true" and not has_tables:
            self._create_tables(connection)
        return is_taken == b"true"

    def _has_ended(self, connection: Connection) -> bool:
        """Return whether the kernel knows the end of the connection. A running statement finds out itself."""
        if not self._guard.acquire(blocking=False):
            return False
        try:
            return connection.has_ended
        finally:
            self._guard.release()

    def _behind_pooler(self, connection: Connection) -> int:
        """Return the session that a pooler gave to a connection. Raise InventoryError if it shares it."""
        ask = "select pg_backend_pid()::text"
        backend = int(connection.execute(ask)[0][0])
        # A pool in session mode may have no second session.
        with suppress(ConnectionLost):
            other = Connection(self._options, timeout=POOLER_TIMEOUT)
            try:
                if int(other.execute(ask, timeout=POOLER_TIMEOUT)[0][0]) == backend:
                    raise failures.pooled(self._address)
            finally:
                other.close()
        return backend

    def _claim(self, connection: Connection, holder: LockHolder) -> None:
        facts = json.dumps(asdict(holder))
        statement = _CLAIM.format(self._address.schema)
        for may_migrate in (True, False):
            rows = []
            try:
                rows = connection.execute(statement, self._address.inventory, facts, schema.VERSION)
            except StatementFailed as error:
                if error.state not in failures.OTHER_TABLES:
                    raise
            if rows:
                self.fence, self.generation, self.last_line = map(int, rows[0])
                self._proved_at = passed()
                return
            if may_migrate:
                self._create_tables(connection)
        raise failures.too_new(self._address)

    def _create_tables(self, connection: Connection) -> None:
        user = connection.user
        try:
            schema.create(connection, self._address.schema)
        except StatementFailed as error:
            raise failures.refused(self._address, error, failures.CREATE_TABLES, user) from error

    def _regain(self, why: str) -> None:
        """Take the lock again over a new connection. Raise InventoryError if another run had it meanwhile."""
        self._close()
        name, key = self._address.inventory, self._address.key
        end_former, regain = (text.format(self._address.schema) for text in (_END_FORMER, _REGAIN))
        end = time.monotonic() + RECONNECT_TIMEOUT
        while True:
            try:
                if self._connection is None:
                    left = max(end - time.monotonic(), SESSION_POLL)
                    self._connection = Connection(self._options, timeout=left)
                rows = self._connection.execute(end_former, name, self.fence, key)
                if not rows:
                    break
                if self._try(self._connection):
                    rows = self._connection.execute(regain, name, self.fence)
                    break
            except ConnectionLost as error:
                self._close()
                why = str(error)
            except (StatementFailed, InventoryError) as error:
                raise self.lose(f"the connection was lost ({why}), and then: {error}") from error
            if time.monotonic() > end or pause(SESSION_POLL, self._stop):
                raise self.lose(f"the connection was lost: {why}")
        if not rows:
            raise self.lose(TAKEN)
        generation, last_line = map(int, rows[0])
        if generation < self.generation or (generation == self.generation and last_line < self.last_line):
            raise self.lose("the server has forgotten what this run wrote")

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _user(self) -> str:
        return self._connection.user if self._connection is not None else ""
