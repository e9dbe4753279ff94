"""The right to write to an inventory in PostgreSQL, by statements of the session that holds the lock.

Each statement checks the fence, and may be repeated after a lost connection: lines have numbers that the
writer gives, so a line that is there already is not written twice.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from typing import Final

from reconciler.inventory.history_entries import MAX_VERSIONS, kept_lines
from reconciler.inventory.stores.base import HistoryLine
from reconciler.inventory.stores.postgres.libpq import Row
from reconciler.inventory.stores.postgres.lock import TAKEN, SessionLock

MAX_LINES: Final = 3 * MAX_VERSIONS
"""Lines of the history about one name (count), before the old ones are dropped."""

_HELD: Final = """held as (
        select name from {0}.inventory
        where name = $1::text and fence = $2::text::bigint and backend = pg_backend_pid() for share
    )"""
"""A row if this run has the lock. No other run can count the fence up before the statement has ended."""

_APPEND: Final = """with {held} insert into {0}.journal as j (name, seq, fence, line)
    select name, $3::text::bigint, $2::text::bigint, $4::bytea from held
    on conflict (name, seq) do update set line = excluded.line
    where j.fence = excluded.fence and j.line = excluded.line
    returning 1::text"""

_FOLD: Final = """with held as (
        update {0}.inventory set map = $3::bytea, generation = generation + 1, updated_at = now()
        where name = $1::text and fence = $2::text::bigint and backend = pg_backend_pid()
        returning name, generation
    ), gone as (
        delete from {0}.journal where name in (select name from held)
        and (seq <> $4::text::bigint or length($5::bytea) = 0)
    ), kept as (
        insert into {0}.journal (name, seq, fence, line)
        select name, $4::text::bigint, $2::text::bigint, $5::bytea from held where length($5::bytea) > 0
        on conflict (name, seq) do update set fence = excluded.fence, line = excluded.line
    ) select generation::text, pg_notify('novita_reconciler', name || ':' || generation)::text from held"""

_HISTORY: Final = """with {held}, gone as (
        delete from {0}.history where name in (select name from held)
        and resource in (select json_array_elements_text($5::text::json))
        and (fence < $2::text::bigint or number <= $3::text::bigint)
    ), written as (
        insert into {0}.history (name, fence, number, resource, line)
        select name, $2::text::bigint, $3::text::bigint + number, line ->> 0, decode(line ->> 1, 'hex')
        from held, json_array_elements($4::text::json) with ordinality as given(line, number)
        on conflict do nothing
    ) select 1::text from held"""

_LONG: Final = """select resource, string_agg(line, ''::bytea order by fence, number) from {0}.history
    where name = $1::text and resource in (select json_array_elements_text($2::text::json))
    group by resource having count(*) > $3::text::integer"""

_WRITE_DOCUMENT: Final = """with {held}, written as (
        insert into {0}.document (name, document, data) select name, $3::text, $4::bytea from held
        on conflict (name, document) do update set data = excluded.data
    ) select 1::text from held"""

_REMOVE_DOCUMENT: Final = """with {held}, gone as (
        delete from {0}.document where name in (select name from held) and document = $3::text
    ) select 1::text from held"""


class PostgresHold:
    """The hold of one run."""

    def __init__(self, lock: SessionLock, inventory: str) -> None:
        self._lock = lock
        self._inventory = inventory
        self._writing = threading.Lock()  # guards the two below
        self._line = lock.last_line
        self._history_line = 0

    def check(self) -> None:
        self._lock.check()

    def append(self, line: bytes) -> None:
        with self._writing:
            self._run("write the journal", _APPEND, self._line + 1, line)
            self._line += 1
            self._lock.last_line = self._line

    def fold(self, map_: bytes, journal: bytes) -> None:
        with self._writing:
            # An append whose answer was lost may have this number, and so may a fold that is repeated.
            self._line += 1
            ((generation, _),) = self._run("write the map", _FOLD, map_, self._line, journal)
            self._lock.generation, self._lock.last_line = int(generation), 0

    def append_history(self, lines: Sequence[HistoryLine]) -> None:
        if not lines:
            return
        with self._writing:
            self._write_history([(line.name, line.data) for line in lines])
            names = json.dumps(sorted({line.name for line in lines}))
            long = self._lock.run("read the history", _LONG, self._inventory, names, MAX_LINES)
            kept = [
                (name.decode(), line)
                for name, data in long
                for line in kept_lines(data).splitlines(keepends=True)
            ]
            if long:
                self._write_history(kept, instead_of=[name.decode() for name, _ in long])

    def write_document(self, name: str, data: bytes | None) -> None:
        with self._writing:
            task = f"write the document {name}"
            if data is None:
                self._run(task, _REMOVE_DOCUMENT, name)
            else:
                self._run(task, _WRITE_DOCUMENT, name, data)

    def _write_history(self, lines: Sequence[tuple[str, bytes]], instead_of: Sequence[str] = ()) -> None:
        encoded = json.dumps([(name, data.hex()) for name, data in lines])
        self._run("write the history", _HISTORY, self._history_line, encoded, json.dumps(instead_of))
        self._history_line += len(lines)

    def _run(self, task: str, statement: str, *parameters: str | bytes | int) -> list[Row]:
        """Run a statement that has no row if another run has the lock."""
        statement = statement.replace("{held}", _HELD)
        rows = self._lock.run(task, statement, self._inventory, self._lock.fence, *parameters)
        if not rows:
            raise self._lock.lose(TAKEN)
        return rows
