"""The variables that the YAML refers to, in the place of values of env, passwords and credentials."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Final

from reconciler.convert.candidates import Candidate, Outside
from reconciler.kinds.draft import Variable
from reconciler.kinds.secret_text import holds_credential
from reconciler.kinds.variable_names import (
    SecretValue,
    assign_variables,
    prefixed,
    reference_to,
    variable_for,
)
from reconciler.model.values import Path

_UNSET: Final = re.compile(r"(?<!\$)\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}")
"""A reference without a default."""

COMMAND: Path = ("image", "command")
PASSWORD: Path = ("password",)


def outside_variable(user: str, outside: Outside, key: str) -> str:
    """Return the variable for a value that the source reads from elsewhere."""
    return variable_for(user, outside.variable) if outside.variable else prefixed(user, key)


def tell_credentials_apart(candidates: Iterable[Candidate]) -> None:
    """Give credentials of one name and of different passwords names of their own."""
    passwords: dict[str, str | Outside] = {}
    for candidate in candidates:
        if (credential := candidate.credential) is None:
            continue
        name, number = credential.name, 1
        while passwords.setdefault(name, credential.password) != credential.password:
            number += 1
            name = f"{credential.name[:240]}-{number}"
        candidate.credential = replace(credential, name=name)


class Variables:
    """Collects what needs a variable, then gives each its name.

    Values that the sources read from variables come first, so that no literal value takes such a name.
    `literal` are globs of the keys of env whose values stay in the YAML.
    """

    def __init__(self, in_use: Mapping[str, str | None], literal: tuple[str, ...]) -> None:
        self._in_use = in_use
        self._literal = literal
        self._secrets: list[SecretValue] = []
        self._users: dict[str, list[str]] = {}
        self._defaults: dict[str, set[str | None]] = {}
        self._names: Mapping[tuple[str, Path], str] = {}
        self._composed: dict[tuple[str, Path], str] = {}
        self._assigned: tuple[Variable, ...] = ()

    def need(self, name: str, user: str, default: str | None = None) -> None:
        """Add a variable of that name, whose value the source does not tell unless there is a default."""
        self._users.setdefault(name, []).append(user)
        self._defaults.setdefault(name, set()).add(default)

    def collect(self, candidates: Iterable[Candidate]) -> None:
        """Add the variables of candidates, and assign their names."""
        for candidate in candidates:
            self._collect(candidate)
        in_use = {**dict.fromkeys(self._users), **self._in_use}
        self._names, self._assigned = assign_variables(self._secrets, in_use)

    def _collect(self, candidate: Candidate) -> None:
        user, texts = candidate.name, []
        if "image" not in candidate.fields:
            self.need(outside_variable(user, Outside(), "IMAGE"), user)
        for key, found in candidate.env.items():
            value = found.value
            if isinstance(value, Outside):
                self.need(outside_variable(user, value, key), user, value.default)
                continue
            texts.append(value)
            if (
                value.strip()
                and "\0" not in value
                and not any(fnmatchcase(key, glob) for glob in self._literal)
            ):
                self._secrets.append(SecretValue(endpoint=user, path=("envs", key), value=value))
        for found in candidate.fields.values():
            for name in _UNSET.findall(found.value) if isinstance(found.value, str) else ():
                self.need(name, user, candidate.defaults.get(name))
        command = candidate.fields.get("command")
        if command and holds_credential(command.value, texts):
            if _UNSET.search(command.value):  # no text without its variables
                self._composed[user, COMMAND] = name = outside_variable(user, Outside(), "COMMAND")
                self.need(name, user)
            else:
                text = command.value.replace("$${", "${")
                self._secrets.append(SecretValue(endpoint=user, path=COMMAND, value=text))
        if credential := candidate.credential:
            owner, password = credential.name, credential.password
            if isinstance(password, Outside):
                self.need(outside_variable(owner, password, PASSWORD[0]), owner, password.default)
            else:
                self._secrets.append(SecretValue(endpoint=owner, path=PASSWORD, value=password))

    def reference(self, user: str, path: Path) -> str | None:
        """Return the reference that stands for a literal value; None if the value stays in the YAML."""
        name = self._names.get((user, path)) or self._composed.get((user, path))
        return None if name is None else reference_to(name)

    def all(self, others: Iterable[Variable] = ()) -> tuple[Variable, ...]:
        """Return all variables by name, with the `others`. "" is the value of one that nobody tells."""
        found: dict[str, Variable] = {}
        needed = (
            Variable(name=name, value=self._default(name), endpoints=tuple(users))
            for name, users in self._users.items()
        )
        for one in (*others, *self._assigned, *needed):
            known = found.get(one.name)
            users = dict.fromkeys((*(known.endpoints if known else ()), *one.endpoints))
            value = (known.value if known else "") or one.value
            found[one.name] = Variable(name=one.name, value=value, endpoints=tuple(users))
        return tuple(found[name] for name in sorted(found))

    def _default(self, name: str) -> str:
        """Return the default of a variable, if all that use it have the same."""
        defaults = self._defaults[name]
        return (next(iter(defaults)) or "") if len(defaults) == 1 else ""
