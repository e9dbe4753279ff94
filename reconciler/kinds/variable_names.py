"""The environment variables from which secret values are read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import chain, count
from typing import Final

from reconciler.kinds.draft import Variable
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.values import Path

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")

_SET_BY_OTHERS: Final = re.compile(
    r"""
    (?: _ | CI | COLUMNS | DISPLAY | EDITOR | EUID | HOME | HOST | HOSTNAME | IFS | LANG | LANGUAGE | LINES
      | LOGNAME | MAIL | NO_COLOR | OLDPWD | PAGER | PATH | PPID | PS[1-4] | PWD | SHELL | SHELLOPTS | SHLVL
      | TEMP | TERM | TMP | TMPDIR | TZ | UID | USER | USERNAME | VIRTUAL_ENV | VISUAL
      | (?: ACTIONS | BUILDKITE | CI | CIRCLE | CONDA | GIT | GITHUB | GITLAB | JENKINS | LC | LD | NOVITA
          | PIP | RECONCILER | RUNNER | SSH | SUDO | TRAVIS | XDG ) _ .*
      | (?: BASH | PYTHON ) .*
      | [A-Z]+ _PROXY
    ) \Z
    """,
    re.VERBOSE,
)
"""Names that shells, login managers, CI systems, loaders, Python and this program set or read themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretValue:
    """A live value of an endpoint, or of another resource, that needs a variable.

    Only a value of ("envs", KEY) may share its variable with others of that key.
    """

    endpoint: str
    path: Path
    value: str


def assign_variables(
    secrets: Sequence[SecretValue], in_use: Mapping[str, str | None]
) -> tuple[Mapping[tuple[str, Path], str], tuple[Variable, ...]]:
    """Return (the variable of each endpoint's path, all variables by name).

    A key is its own variable if all endpoints that have the key agree on its value. Otherwise each endpoint
    has a variable of its own. `in_use` are the names that are referred to already, with their current values.
    """
    values: dict[str, set[str]] = {}
    for secret in secrets:
        values.setdefault(secret.path[-1], set()).add(secret.value)
    taken: dict[str, str | None] = dict(in_use)
    names: dict[tuple[str, Path], str] = {}
    unshared: list[SecretValue] = []
    for secret in secrets:
        key = secret.path[-1]
        is_shared = secret.path[0] == "envs" and is_unreserved(key) and len(values[key]) == 1
        if is_shared and taken.setdefault(key, secret.value) == secret.value:
            names[secret.endpoint, secret.path] = key
        else:
            unshared.append(secret)
    for secret in unshared:
        name = _first_free(prefixed(secret.endpoint, secret.path[-1]), secret.value, taken)
        taken[name] = secret.value
        names[secret.endpoint, secret.path] = name
    return names, _variables(secrets, names)


@lru_cache(maxsize=4096)
def is_unreserved(name: str) -> bool:
    """Return True if no other program gives a variable of that name a meaning."""
    return _NAME.match(name) is not None and not _SET_BY_OTHERS.match(name.upper())


def prefixed(endpoint: str, key: str) -> str:
    """Return an unreserved name for the key of one endpoint, in capitals."""
    name = re.sub(r"[^A-Z0-9]", "_", f"{endpoint}_{key}".upper())
    return name if is_unreserved(name) else f"ENDPOINT_{name}"


def variable_for(endpoint: str, key: str) -> str:
    """Return the key itself if it is unreserved, else a prefixed name."""
    return key if is_unreserved(key) else prefixed(endpoint, key)


def reference_to(variable: str) -> str:
    """Return the YAML reference to a variable."""
    return f"${{env:{variable}}}"


def _first_free(name: str, value: str, taken: Mapping[str, str | None]) -> str:
    candidates = chain((name,), (f"{name}_{number}" for number in count(2)))
    return next(candidate for candidate in candidates if candidate not in taken or taken[candidate] == value)


def _variables(secrets: Iterable[SecretValue], names: Mapping[tuple[str, Path], str]) -> tuple[Variable, ...]:
    readers: dict[str, list[str]] = {}
    values: dict[str, str] = {}
    for secret in secrets:
        name = names[secret.endpoint, secret.path]
        readers.setdefault(name, []).append(secret.endpoint)
        values[name] = secret.value
    return tuple(
        Variable(name=name, value=values[name], endpoints=tuple(dict.fromkeys(readers[name])))
        for name in sorted(readers)
    )
