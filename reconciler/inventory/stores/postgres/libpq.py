"""A connection to PostgreSQL over libpq, its client library, with a deadline for each statement."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Mapping, Sequence
from math import inf
from typing import Final

from reconciler.inventory.stores.postgres import library
from reconciler.inventory.stores.postgres.library import libpq
from reconciler.model.durations import CONNECT_TIMEOUT, DEAD_SESSION, STATEMENT_TIMEOUT

Row = tuple[bytes, ...]
"""A row of a result. NULL is b"", and so is an empty value."""

KEEPALIVES: Final = {
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": str(round(DEAD_SESSION * 1000)),
}
"""The parameters of libpq with which an end notices within 30 s that the other one is gone."""

_BAD: Final = 1
_READING, _WRITING, _CONNECTED = 1, 2, 3
_SANE: Final = range(1, 1_000_000)  # the kernel counts milliseconds in 32 bits
_WITH_ROWS: Final = (1, 2)  # a command that is done, and one with rows
_SQLSTATE: Final = ord("C")
_SHUTDOWN: Final = ("57P01", "57P02", "57P03", "57P05", "08")
"""The states with which the server ends a session, and the class of connection errors."""


class ConnectionLost(Exception):
    """There is no connection, or it ended: it is not known whether the server performed the statement."""


class StatementFailed(Exception):
    """The server refused a statement, and performed no part of it. `state` is the SQLSTATE."""

    def __init__(self, state: str, message: str) -> None:
        super().__init__(message)
        self.state = state


class Connection:
    """A session of the server. One statement at a time; the caller takes care of that."""

    def __init__(self, options: Mapping[str, str], *, timeout: float = inf) -> None:
        """Connect. Raise ConnectionLost after `connect_timeout` of the options, and after `timeout` seconds.

        options: the parameters of libpq. Its functions that do not block leave the timeout to the caller.
        """
        self._session: int | None = None
        self._finish = libpq().PQfinish  # kept, as modules are gone when the interpreter ends
        info = " ".join(f"{key}={_quoted(value)}" for key, value in options.items())
        self._session = libpq().PQconnectStart(info.encode("utf-8", "surrogateescape"))
        end = time.monotonic() + min(int(options["connect_timeout"]), timeout)
        try:
            libpq().PQsetNoticeReceiver(self._session, library.ignore_notice, None)
            if libpq().PQstatus(self._session) == _BAD:
                raise ConnectionLost(self._message)
            status = _WRITING
            while status != _CONNECTED:
                self._wait(select.POLLIN if status == _READING else select.POLLOUT, end - time.monotonic())
                status = libpq().PQconnectPoll(self._session)
                if not status:
                    raise ConnectionLost(self._message)
            libpq().PQsetnonblocking(self._session, 1)
        except BaseException:
            self.close()
            raise

    @property
    def backend(self) -> int:
        """The process ID of the session, as the server told it when the connection was made."""
        return int(libpq().PQbackendPID(self._session))

    @property
    def server_version(self) -> int:
        """The version of the server, such as 150013 for 15.13."""
        return int(libpq().PQserverVersion(self._session))

    @property
    def user(self) -> str:
        """The role of the session."""
        return _text(libpq().PQuser(self._session))

    @property
    def is_encrypted(self) -> bool:
        return bool(libpq().PQsslInUse(self._session))

    @property
    def has_ended(self) -> bool:
        """Return whether the other side has ended the connection, as far as the kernel knows by now."""
        if libpq().PQstatus(self._session) == _BAD:
            return True
        poll = select.poll()
        poll.register(libpq().PQsocket(self._session), select.POLLIN | getattr(select, "POLLRDHUP", 0))
        return any(events & ~select.POLLIN for _, events in poll.poll(0))

    def execute(
        self, statement: str, *parameters: str | bytes | int | None, timeout: float = STATEMENT_TIMEOUT
    ) -> list[Row]:
        """Run one statement and return its rows, whose columns are text or bytea.

        Raise StatementFailed, or ConnectionLost if nothing was sent or received for `timeout` seconds. After
        that, and after an interrupt, the connection is closed.
        """
        values = [str(one).encode() if isinstance(one, int | str) else one for one in parameters]
        try:
            status, rows, state, message = self._result(statement, values, timeout)
        except BaseException:
            self.close()
            raise
        if status in _WITH_ROWS:
            return rows
        if state.startswith(_SHUTDOWN) or not state:
            self.close()
            raise ConnectionLost(message)
        raise StatementFailed(state, message)

    def __del__(self) -> None:
        self.close()

    def close(self) -> None:
        """End the session. The server frees what it held."""
        session, self._session = self._session, None
        if session is not None:
            self._finish(session)

    def _result(
        self, statement: str, values: Sequence[bytes | None], timeout: float
    ) -> tuple[int, list[Row], str, str]:
        """Return the status, rows, SQLSTATE and message of a statement. Raise ConnectionLost."""
        if not library.send(self._session, statement, values):
            raise ConnectionLost(self._message)
        while (pending := libpq().PQflush(self._session)) > 0:
            self._wait(select.POLLIN | select.POLLOUT, timeout)
            self._read()
        if pending:
            raise ConnectionLost(self._message)
        last: tuple[int, list[Row], str, str] = (0, [], "", "")
        while True:
            while libpq().PQisBusy(self._session):
                self._wait(select.POLLIN, timeout)
                self._read()
            result = libpq().PQgetResult(self._session)
            if result is None:
                return last
            try:
                last = (
                    libpq().PQresultStatus(result),
                    library.rows_of(result),
                    _text(libpq().PQresultErrorField(result, _SQLSTATE)),
                    _text(libpq().PQresultErrorMessage(result)),
                )
            finally:
                libpq().PQclear(result)

    def _read(self) -> None:
        if not libpq().PQconsumeInput(self._session):
            raise ConnectionLost(self._message)

    @property
    def _message(self) -> str:
        return _text(libpq().PQerrorMessage(self._session)) or "the connection was closed"

    def _wait(self, events: int, timeout: float) -> None:
        poll = select.poll()
        poll.register(libpq().PQsocket(self._session), events)
        if not poll.poll(max(timeout, 0) * 1000):
            raise ConnectionLost("the server did not answer in time")


def options_of(uri: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters of libpq for a connection URI. Raise ValueError if it is none.

    libpq reads its variables, such as PGPASSWORD, from the environment of the process. Those of `environ`
    that differ are added, and `connect_timeout` always: the seconds for all hosts together.
    """
    named = {one.keyword: one.value for one in library.parsed(uri) if one.value is not None}
    for option in library.defaults():
        value = environ.get(option.variable)
        if option.keyword not in named and value is not None and value != os.environ.get(option.variable):
            named[option.keyword] = value
    timeout = named.get("connect_timeout") or environ.get("PGCONNECT_TIMEOUT") or CONNECT_TIMEOUT
    try:
        seconds = int(timeout)
    except ValueError:
        raise ValueError(f"connect_timeout is no number of seconds: {timeout}") from None
    # psql waits for ever at 0. Nothing here does.
    named["connect_timeout"] = str(seconds if seconds in _SANE else round(CONNECT_TIMEOUT))
    return {**KEEPALIVES, "client_encoding": "UTF8", **named}


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _text(value: bytes | None) -> str:
    return (value or b"").decode("utf-8", "replace").strip()
