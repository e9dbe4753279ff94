"""libpq, the client library of PostgreSQL, as functions over ctypes.

The library is the one in psycopg's binary package, or else the one of the system. psycopg itself is not
imported: it takes ten times as long as the library alone, and a store sends a dozen statements, whose
parameters and results are bytes.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Mapping, Sequence
from ctypes import POINTER, c_char_p, c_int, c_void_p
from functools import cache
from importlib.machinery import PathFinder
from types import SimpleNamespace
from typing import Any, Final, NamedTuple

_BINARY: Final = 1


class _Option(ctypes.Structure):
    """PQconninfoOption: a parameter of a connection. A list of them ends with one without a keyword."""

    _fields_ = (
        ("keyword", c_char_p),
        ("envvar", c_char_p),
        ("compiled", c_char_p),
        ("value", c_char_p),
        ("label", c_char_p),
        ("dispchar", c_char_p),
        ("dispsize", c_int),
    )


_STRINGS: Final = POINTER(c_char_p)
_INTEGERS: Final = POINTER(c_int)
_OPTIONS: Final = POINTER(_Option)
_RECEIVER: Final = ctypes.CFUNCTYPE(None, c_void_p, c_void_p)

_FUNCTIONS: Final[Mapping[str, tuple[Any, Sequence[Any]]]] = {
    "PQconnectStart": (c_void_p, [c_char_p]),
    "PQconnectPoll": (c_int, [c_void_p]),
    "PQfinish": (None, [c_void_p]),
    "PQstatus": (c_int, [c_void_p]),
    "PQsocket": (c_int, [c_void_p]),
    "PQerrorMessage": (c_char_p, [c_void_p]),
    "PQsetnonblocking": (c_int, [c_void_p, c_int]),
    "PQsetNoticeReceiver": (c_void_p, [c_void_p, _RECEIVER, c_void_p]),
    "PQbackendPID": (c_int, [c_void_p]),
    "PQserverVersion": (c_int, [c_void_p]),
    "PQuser": (c_char_p, [c_void_p]),
    "PQsslInUse": (c_int, [c_void_p]),
    "PQsendQueryParams": (
        c_int,
        [c_void_p, c_char_p, c_int, c_void_p, _STRINGS, _INTEGERS, _INTEGERS, c_int],
    ),
    "PQflush": (c_int, [c_void_p]),
    "PQconsumeInput": (c_int, [c_void_p]),
    "PQisBusy": (c_int, [c_void_p]),
    "PQgetResult": (c_void_p, [c_void_p]),
    "PQclear": (None, [c_void_p]),
    "PQresultStatus": (c_int, [c_void_p]),
    "PQresultErrorField": (c_char_p, [c_void_p, c_int]),
    "PQresultErrorMessage": (c_char_p, [c_void_p]),
    "PQntuples": (c_int, [c_void_p]),
    "PQnfields": (c_int, [c_void_p]),
    "PQgetvalue": (c_void_p, [c_void_p, c_int, c_int]),
    "PQgetlength": (c_int, [c_void_p, c_int, c_int]),
    "PQconninfoParse": (_OPTIONS, [c_char_p, POINTER(c_void_p)]),
    "PQconndefaults": (_OPTIONS, []),
    "PQconninfoFree": (None, [_OPTIONS]),
    "PQfreemem": (None, [c_void_p]),
}
"""The type of the result and of the parameters of each function that is used."""


_WAITING: Final = frozenset({"PQconnectStart", "PQconnectPoll"})
"""The functions that may take long, as they ask for the address of a host and check certificates.

They let other threads run. The others do not: a thread may wait 5 ms for its turn after each call.
"""


class Parameter(NamedTuple):
    """A parameter of a connection: its keyword, the variable that sets it (or ""), and its value or None."""

    keyword: str
    variable: str
    value: str | None


@cache
def libpq() -> Any:
    """Return the functions of the library. Raise ImportError if there is none.

    All take NULL, which is None, for a connection.
    """
    path = _path()
    try:
        waiting, quick = ctypes.CDLL(path), ctypes.PyDLL(path)
    except OSError as error:
        raise ImportError(str(error), path=path) from error
    functions = SimpleNamespace()
    for name, (result, parameters) in _FUNCTIONS.items():
        function = getattr(waiting if name in _WAITING else quick, name)
        function.restype, function.argtypes = result, parameters
        setattr(functions, name, function)
    return functions


def send(connection: int | None, statement: str, values: Sequence[bytes | None]) -> bool:
    """Begin a statement, with binary parameters and results. Return whether that was possible."""
    count = len(values)
    lengths = (c_int * count)(*(len(value or b"") for value in values))
    formats = (c_int * count)(*[_BINARY] * count)
    pointers = (c_char_p * count)(*values)
    return bool(
        libpq().PQsendQueryParams(
            connection, statement.encode(), count, None, pointers, lengths, formats, _BINARY
        )
    )


def rows_of(result: int) -> list[tuple[bytes, ...]]:
    """Return the rows of a result, with b"" for NULL."""
    library = libpq()
    columns = range(library.PQnfields(result))
    return [
        tuple(
            ctypes.string_at(
                library.PQgetvalue(result, row, column), library.PQgetlength(result, row, column)
            )
            for column in columns
        )
        for row in range(library.PQntuples(result))
    ]


def parsed(uri: str) -> list[Parameter]:
    """Return the parameters that a connection URI names. Raise ValueError if libpq does not accept it."""
    message = c_void_p()
    options = libpq().PQconninfoParse(uri.encode(), ctypes.byref(message))
    if not options:
        text = ctypes.string_at(message.value).decode("utf-8", "replace") if message.value else ""
        libpq().PQfreemem(message)
        raise ValueError(text.strip())
    return _read(options)


def defaults() -> list[Parameter]:
    """Return all parameters, with the values of those that have one without an address."""
    return _read(libpq().PQconndefaults())


ignore_notice: Final = _RECEIVER(lambda _argument, _result: None)
"""Does nothing with a notice of the server, which libpq would print."""


def _read(options: Any) -> list[Parameter]:
    try:
        return [
            Parameter(
                one.keyword.decode(),
                (one.envvar or b"").decode(),
                None if one.value is None else one.value.decode("utf-8", "surrogateescape"),
            )
            for one in _until_end(options)
        ]
    finally:
        libpq().PQconninfoFree(options)


def _until_end(options: Any) -> Iterator[Any]:
    index = 0
    while options and options[index].keyword:
        yield options[index]
        index += 1


def _path() -> str:
    """Return the file of psycopg's compiled module, which is linked to libpq, or the system's libpq."""
    package = PathFinder.find_spec("psycopg_binary")
    places = package.submodule_search_locations if package else None
    module = PathFinder.find_spec("psycopg_binary.pq", places) if places else None
    if module is not None and module.origin:
        return module.origin
    from ctypes.util import find_library

    if path := find_library("pq"):
        return path
    raise ImportError("No module named 'psycopg_binary', and no libpq in the system", name="psycopg_binary")
