"""An inventory in a PostgreSQL database, as a store."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reconciler.inventory.stores.base import Content, Store
from reconciler.inventory.stores.clock import pause
from reconciler.inventory.stores.postgres import failures, schema
from reconciler.inventory.stores.postgres.address import Address
from reconciler.inventory.stores.postgres.libpq import (
    Connection,
    ConnectionLost,
    Row,
    StatementFailed,
    options_of,
)
from reconciler.model.errors import InventoryError, InventoryLocked
from reconciler.model.problem import Problem

if TYPE_CHECKING:
    from reconciler.inventory.lock_holder import LockHolder
    from reconciler.inventory.stores.postgres.hold import PostgresHold

_HAS_TABLES: Final = "select to_regclass($1::text)::text"

_READ: Final = """select (select version::text from {0}.version), i.map,
    (select string_agg(line, ''::bytea order by seq) from {0}.journal where name = $1::text)
    from (select) as one left join {0}.inventory i on i.name = $1::text"""

_READ_HISTORY: Final = """select string_agg(line, ''::bytea order by fence, number) from {0}.history
    where name = $1::text"""

_ABOUT: Final = " and resource in (select json_array_elements_text($2::text::json))"

_READ_DOCUMENT: Final = "select data from {0}.document where name = $1::text and document = $2::text"

_HOLDER: Final = """select i.holder, l.pid::text, i.fence::text, a.usename::text, host(a.client_addr),
    to_char(a.backend_start at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
    from pg_locks l left join pg_stat_activity a on a.pid = l.pid
    left join {0}.inventory i on i.name = $1::text and i.backend = l.pid
    where l.locktype = 'advisory' and l.granted and l.objsubid = 1
    and l.database = (select oid from pg_database where datname = current_database())
    and (l.classid::bigint << 32) | l.objid::bigint = $2::text::bigint"""

_UNLOCK: Final = """with freed as (
        update {0}.inventory set fence = fence + 1, holder = null, backend = null
        where name = $1::text and backend = $2::text::integer and fence = $3::text::bigint returning 1
    ) select pg_terminate_backend($2::text::integer)::text from freed"""

_NEIGHBORS: Final = """select name from {0}.inventory i where name <> $1::text
    and (map is not null or exists (select from {0}.journal j where j.name = i.name)) order by name"""


class PostgresStore:
    """The inventory at an address. It connects when it is first used."""

    keeps_lock = False

    def __init__(self, address: Address, environ: Mapping[str, str]) -> None:
        self._address = address
        self._environ = environ
        self._guard = threading.Lock()  # guards the connection, which only reads
        self._connection: Connection | None = None

    @property
    def label(self) -> str:
        return self._address.label

    @property
    def folder(self) -> Path | None:
        return None

    @cached_property
    def sibling(self) -> Store:
        inventory = f"{self._address.inventory}.run"
        return PostgresStore(replace(self._address, inventory=inventory), self._environ)

    def prepare_read(self) -> None:
        with suppress(ConnectionLost, InventoryError), self._guard:
            self._connected()

    def read(self) -> Content:
        rows = self._query("read the inventory", _READ, self._address.inventory)
        if not rows:
            return Content()
        version, map_, journal = rows[0]
        if version != b"%d" % schema.VERSION:
            raise failures.too_new(self._address)
        return Content(map=map_ or None, journal=journal or None)

    def read_history(self, names: Collection[str] | None = None) -> bytes:
        about = () if names is None else (json.dumps(sorted(names)),)
        statement = _READ_HISTORY + (_ABOUT if about else "")
        rows = self._query("read the history", statement, self._address.inventory, *about)
        return rows[0][0] if rows else b""

    def read_document(self, name: str) -> bytes | None:
        rows = self._query(f"read the document {name}", _READ_DOCUMENT, self._address.inventory, name)
        return rows[0][0] if rows else None

    @contextmanager
    def hold(
        self,
        holder: LockHolder,
        *,
        timeout: float = 0.0,
        stop: threading.Event | None = None,
        idle: float = 0.0,
    ) -> Iterator[PostgresHold]:
        from reconciler.inventory.lock_holder import locked_problem
        from reconciler.inventory.stores.postgres.hold import PostgresHold
        from reconciler.inventory.stores.postgres.lock import SessionLock
        from reconciler.model.durations import MAX_SESSION_POLL, SESSION_POLL

        name = f"novita-reconciler {holder.who}@{holder.host} {holder.pid} {holder.command}"
        options = {**self._options(), "application_name": name}
        lock = SessionLock(self._address, options, stop=stop, idle=idle)
        end, between = time.monotonic() + timeout, SESSION_POLL
        try:
            while not lock.take(holder):
                left = end - time.monotonic()
                if left <= 0 or pause(min(between, left), stop):
                    raise InventoryLocked(locked_problem(self.label, self.holder()))
                between = min(2 * between, MAX_SESSION_POLL)
            yield PostgresHold(lock, self._address.inventory)
        finally:
            lock.release()

    def holder(self) -> LockHolder | None:
        from reconciler.inventory.lock_holder import LockHolder, parse_holder

        rows = self._query("read the lock", _HOLDER, self._address.inventory, self._address.key)
        if not rows:
            return None
        facts, pid, fence, user, client, since = (value.decode() for value in rows[0])
        lock_id = f"{pid}-{fence}"
        with suppress(ValueError, RecursionError):  # others may have written it
            return replace(parse_holder(json.loads(facts)), lock_id=lock_id)
        # It has just taken the lock, or its connection, and has not written its name yet.
        return LockHolder(
            who=user, host=client, pid=0, command="", since=since, ci_run_url="", version="", lock_id=lock_id
        )

    def unlock(self, lock_id: str) -> None:
        holder = self.holder()
        if holder is None or holder.lock_id != lock_id:
            raise failures.not_held(self._address, lock_id, holder)
        pid, _, fence = lock_id.partition("-")
        try:
            rows = self._query("end the session", _UNLOCK, self._address.inventory, pid, fence)
        except InventoryError as error:
            raise failures.not_ended(self._address, holder) from error
        if not rows:
            raise failures.not_held(self._address, lock_id, holder)
        self._wait_for_end(pid)

    def _wait_for_end(self, pid: str) -> None:
        """Wait until the session has freed the lock: the server ends it a moment after it was told to."""
        from reconciler.model.durations import CONNECT_TIMEOUT, SESSION_POLL

        end = time.monotonic() + CONNECT_TIMEOUT
        while (now := self.holder()) is not None and now.lock_id.partition("-")[0] == pid:
            if time.monotonic() >= end:
                return  # the next run says that it is still locked
            time.sleep(SESSION_POLL)

    def neighbors(self) -> Mapping[str, Store]:
        rows = self._query("list the inventories", _NEIGHBORS, self._address.inventory)
        addresses = [replace(self._address, inventory=name.decode()) for (name,) in rows]
        return {address.label: PostgresStore(address, self._environ) for address in addresses}

    def examine(self) -> Iterable[Problem]:
        from reconciler.inventory.stores.postgres.examination import examine

        return examine(self._address, lambda: Connection(self._options()), self.holder)

    def close(self) -> None:
        """End the session for reads."""
        with self._guard:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _options(self) -> dict[str, str]:
        """Return the parameters of the connection."""
        try:
            options = options_of(self._address.uri, self._environ)
        except ValueError as error:
            raise failures.not_valid(self._address, str(error)) from error
        except ImportError as error:
            raise failures.no_library(error) from error
        return {"application_name": "novita-reconciler", **options}

    def _query(self, task: str, statement: str, *parameters: str | int) -> list[Row]:
        """Return the rows of a statement; none if there are no tables yet. Raise InventoryError."""
        text = statement.format(self._address.schema)
        with self._guard:
            try:
                try:
                    return self._execute(text, *parameters)
                except StatementFailed as error:
                    if error.state not in failures.OTHER_TABLES:
                        raise
                    if self._execute(_HAS_TABLES, f"{self._address.schema}.version") == [(b"",)]:
                        return []
                # The tables are those of another version, or another run has just created them.
                return self._execute(text, *parameters)
            except ConnectionLost as error:
                raise failures.unreachable(self._address, str(error)) from error
            except StatementFailed as error:
                if error.state in failures.OTHER_TABLES:
                    raise failures.too_new(self._address) from error
                raise failures.refused(self._address, error, task, self._connected().user) from error

    def _execute(self, statement: str, *parameters: str | int) -> list[Row]:
        """Run a statement that reads, over a new connection if the server has ended the one there is."""
        was_connected = self._connection is not None
        try:
            return self._connected().execute(statement, *parameters)
        except ConnectionLost:
            self._connection = None
            if not was_connected:
                raise
        return self._connected().execute(statement, *parameters)

    def _connected(self) -> Connection:
        if self._connection is None:
            self._connection = Connection(self._options())
        return self._connection
