"""A connection to PostgreSQL over libpq, its client library, with a deadline for each statement.

psycopg contains libpq. Its own connections, cursors and types are not imported: that takes twice as long as
the rest of a read, and a store sends a dozen statements, whose parameters and results are text and bytes.
"""

from __future__ import annotations

import os
import select
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import import_module, util
from types import ModuleType
from typing import Any, Final

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

_BINARY: Final = 1
_CONNECTED, _READING, _WRITING = 3, 1, 2
_WITH_ROWS: Final = (1, 2)  # a command that is done, and one with rows
_SQLSTATE: Final = 67
_DETAIL: Final = 68
_SHUTDOWN: Final = ("57P01", "57P02", "57P03", "57P05", "08")
"""The states with which the server ends a session, and the class of connection errors."""

_importing: Final = threading.Lock()


class ConnectionLost(Exception):
    """There is no connection, or it ended: it is not known whether the server performed the statement."""


class StatementFailed(Exception):
    """The server refused a statement, and performed no part of it. `state` is the SQLSTATE."""

    def __init__(self, state: str, message: str) -> None:
        super().__init__(message)
        self.state = state


class Connection:
    """A session of the server. One statement at a time; the caller takes care of that."""

    def __init__(self, options: Mapping[str, str], *, timeout: float = CONNECT_TIMEOUT) -> None:
        """Connect in `timeout` seconds. Raise ConnectionLost. options: the parameters of libpq."""
        prepare_import()
        from psycopg import errors, pq

        self._errors = errors
        info = " ".join(f"{key}={_quoted(value)}" for key, value in options.items())
        self._libpq = pq.PGconn.connect_start(info.encode())
        end = time.monotonic() + timeout
        try:
            while (status := self._libpq.connect_poll()) != _CONNECTED:
                if status not in (_READING, _WRITING):
                    raise ConnectionLost(_text(self._libpq.error_message))
                self._wait(select.POLLIN if status == _READING else select.POLLOUT, end - time.monotonic())
            self._libpq.nonblocking = 1
        except BaseException:
            self.close()
            raise

    @property
    def backend(self) -> int:
        """The process ID of the session, as the server told it when the connection was made."""
        return int(self._libpq.backend_pid)

    @property
    def server_version(self) -> int:
        """The version of the server, such as 150013 for 15.13."""
        return int(self._libpq.server_version)

    @property
    def user(self) -> str:
        """The role of the session."""
        return _text(self._libpq.user)

    @property
    def is_encrypted(self) -> bool:
        return bool(self._libpq.ssl_in_use)

    @property
    def has_ended(self) -> bool:
        """Return whether the other side has ended the connection, as far as the kernel knows by now."""
        if self._libpq.status:
            return True
        poll = select.poll()
        poll.register(self._libpq.socket, select.POLLIN | getattr(select, "POLLRDHUP", 0))
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
            result = self._result(statement, values, timeout)
        except BaseException:
            self.close()
            raise
        if result.status in _WITH_ROWS:
            columns = range(result.nfields)
            return [
                tuple(result.get_value(row, column) or b"" for column in columns)
                for row in range(result.ntuples)
            ]
        state, message = _text(result.error_field(_SQLSTATE)), _text(result.error_message)
        if state.startswith(_SHUTDOWN) or not state:
            self.close()
            raise ConnectionLost(message)
        raise StatementFailed(state, message)

    def close(self) -> None:
        """End the session. The server frees what it held."""
        self._libpq.finish()

    def _result(self, statement: str, values: Sequence[bytes | None], timeout: float) -> Any:
        try:
            self._libpq.send_query_params(
                statement.encode(), values, param_formats=[_BINARY] * len(values), result_format=_BINARY
            )
            while self._libpq.flush():
                self._wait(select.POLLIN | select.POLLOUT, timeout)
                self._libpq.consume_input()
            last = None
            while True:
                while self._libpq.is_busy():
                    self._wait(select.POLLIN, timeout)
                    self._libpq.consume_input()
                result = self._libpq.get_result()
                if result is None:
                    return last
                last = result
        except self._errors.Error as error:
            raise ConnectionLost(_text(self._libpq.error_message) or str(error)) from error

    def _wait(self, events: int, timeout: float) -> None:
        poll = select.poll()
        poll.register(self._libpq.socket, events)
        if not poll.poll(max(timeout, 0) * 1000):
            raise ConnectionLost("the server did not answer in time")


def options_of(uri: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters of libpq for a connection URI. Raise ValueError if it is none.

    libpq reads its variables, such as PGPASSWORD, from the environment of the process. Those of `environ`
    that differ are added.
    """
    prepare_import()
    from psycopg import errors, pq

    try:
        named = {
            option.keyword.decode(): option.val.decode()
            for option in pq.Conninfo.parse(uri.encode())
            if option.val is not None
        }
    except errors.Error as error:
        raise ValueError(str(error).strip()) from error
    for option in pq.Conninfo.get_defaults():
        variable, keyword = _text(option.envvar), option.keyword.decode()
        value = environ.get(variable)
        if keyword not in named and value is not None and value != os.environ.get(variable):
            named[keyword] = value
    return {**KEEPALIVES, "client_encoding": "UTF8", **named}


def prepare_import() -> None:
    """Let modules of psycopg be imported without the rest of it. Whoever imports psycopg itself gets it all.

    The package is put in place without running its `__init__`, which imports everything. That runs when an
    attribute is asked for that is no submodule.
    """
    with _importing:
        if "psycopg" not in sys.modules:
            spec = util.find_spec("psycopg")
            if spec is None or spec.loader is None:
                raise ModuleNotFoundError("No module named 'psycopg'", name="psycopg")
            package = util.module_from_spec(spec)
            package.__dict__["__getattr__"] = _loader(package)
            sys.modules["psycopg"] = package
        import_module("psycopg.pq")  # before psycopg.errors, which imports it


def _loader(package: ModuleType) -> Any:
    def load(name: str) -> Any:
        if name.startswith("__") or util.find_spec(f"psycopg.{name}"):
            raise AttributeError(name)
        with suppress(KeyError):
            del package.__dict__["__getattr__"]
            spec = package.__spec__
            assert spec is not None
            assert spec.loader is not None
            spec.loader.exec_module(package)
        return getattr(package, name)

    return load


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _text(value: bytes | None) -> str:
    return (value or b"").decode("utf-8", "replace").strip()
