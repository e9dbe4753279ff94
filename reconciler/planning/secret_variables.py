"""Which environment variable each value is read from that is not to be written down."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count

from reconciler.kinds.endpoint.env_names import is_free, prefixed
from reconciler.kinds.endpoint.fields import COMMAND
from reconciler.model.values import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A live value that needs a variable: ("envs", KEY) of an endpoint, or its command."""

    endpoint: str
    path: Path
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A variable, what it must hold, and the endpoints that read it."""

    name: str
    value: str
    endpoints: tuple[str, ...]


def named(
    wanted: Sequence[Wanted], in_use: Mapping[str, str | None]
) -> tuple[Mapping[tuple[str, Path], str], tuple[Variable, ...]]:
    """(the variable of each endpoint's path, all variables by name).

    A key is its own variable where all endpoints that have it agree on its value; else each endpoint has one
    of its own. `in_use` are the names that are referred to already, with what they hold now.
    """
    values: dict[str, set[str]] = {}
    for one in wanted:
        values.setdefault(one.path[-1], set()).add(one.value)
    holds: dict[str, str | None] = dict(in_use)
    names: dict[tuple[str, Path], str] = {}
    own: list[Wanted] = []
    for one in wanted:
        key = one.path[-1]
        shared = one.path != COMMAND and is_free(key) and len(values[key]) == 1
        if shared and holds.setdefault(key, one.value) == one.value:
            names[one.endpoint, one.path] = key
        else:
            own.append(one)
    for one in own:
        name = _first_free(prefixed(one.endpoint, one.path[-1]), one.value, holds)
        holds[name] = one.value
        names[one.endpoint, one.path] = name
    return names, _variables(wanted, names)


def _first_free(name: str, value: str, holds: Mapping[str, str | None]) -> str:
    candidates = chain((name,), (f"{name}_{number}" for number in count(2)))
    return next(one for one in candidates if one not in holds or holds[one] == value)


def _variables(wanted: Iterable[Wanted], names: Mapping[tuple[str, Path], str]) -> tuple[Variable, ...]:
    readers: dict[str, list[str]] = {}
    values: dict[str, str] = {}
    for one in wanted:
        name = names[one.endpoint, one.path]
        readers.setdefault(name, []).append(one.endpoint)
        values[name] = one.value
    return tuple(
        Variable(name=name, value=values[name], endpoints=tuple(dict.fromkeys(readers[name])))
        for name in sorted(readers)
    )
