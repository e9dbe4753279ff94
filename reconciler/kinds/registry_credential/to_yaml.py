"""The YAML of live registry credentials: items of an import, and the edits of `drift accept`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from reconciler.kinds.draft import Draft
from reconciler.kinds.fields import value_of
from reconciler.kinds.registry_credential.fields import PASSWORD, TABLE, USERNAME
from reconciler.kinds.variable_names import SecretValue, assign_variables, reference_to
from reconciler.model import resource
from reconciler.model.command import Operand, command_line
from reconciler.model.problem import Problem, Severity
from reconciler.model.resource import Live, address
from reconciler.model.secrets import reveal
from reconciler.model.values import Fields, Path
from reconciler.yamlfile.edits import Edit, Set


def importable(
    credentials: Sequence[Live], taken: Iterable[str]
) -> tuple[tuple[Live, ...], tuple[Problem, ...]]:
    """Return (the credentials that YAML can declare, a warning for each that is left out)."""
    used, count = frozenset(taken), Counter(live.name for live in credentials)
    accepted: list[Live] = []
    problems: list[Problem] = []
    for live in sorted(credentials, key=lambda one: (one.name, one.id)):
        if why := _obstacle(live, is_taken=live.name in used, namesakes=count[live.name]):
            problems.append(_left_out(live, why))
        else:
            accepted.append(live)
    return tuple(accepted), tuple(problems)


def draft(credentials: Sequence[Live], in_use: Mapping[str, str | None]) -> Draft:
    """Return the items of credentials that are `importable`, each with a variable for its password."""
    secrets = [
        SecretValue(endpoint=live.name, path=PASSWORD, value=reveal(value_of(live.fields, PASSWORD)))
        for live in credentials
    ]
    names, variables = assign_variables(secrets, in_use)
    items = tuple(
        {
            "name": live.name,
            "username": value_of(live.fields, USERNAME),
            "password": reference_to(names[live.name, PASSWORD]),
        }
        for live in credentials
    )
    return Draft(live=tuple(credentials), items=items, new_specs=(), variables=variables)


def edits_for(
    declared: Mapping[str, Any], paths: Iterable[Path], live: Fields
) -> tuple[tuple[Edit, ...], tuple[Problem, ...]]:
    """Return the edits of an item that make it say what is live. A value with a reference is kept."""
    edits: list[Edit] = []
    problems: list[Problem] = []
    for path in dict.fromkeys(paths):
        key = TABLE.label(path)
        written = declared.get(key, "")
        if path == PASSWORD:
            hint = (
                "store the password that the registry accepts behind the reference; to undo the change, run "
            )
            problems.append(
                _kept(declared, key, written, hint + command_line("reconciler", "drift", "revert"))
            )
        elif "${" in str(written):
            problems.append(_kept(declared, key, written, f"let it say {value_of(live, path)}"))
        else:
            edits.append(Set(path=(key,), value=value_of(live, path)))
    return tuple(edits), tuple(problems)


def _kept(declared: Mapping[str, Any], key: str, written: object, hint: str) -> Problem:
    return Problem(
        code="cannot-accept",
        summary=f"`{declared['name']}`: `{key}` is {written}, and references are not overwritten",
        hint=hint,
        address=address(declared["name"], resource.REGISTRY),
    )


def _obstacle(live: Live, *, is_taken: bool, namesakes: int) -> str:
    """Return why no YAML can declare the credential, as a clause; "" if YAML can."""
    if namesakes > 1:
        return f"{namesakes} live credentials have that name"
    if is_taken:
        return "another credential is declared or recorded by that name"
    if not live.is_named or not live.name.isprintable() or "${" in live.name:
        return "its name cannot be written"
    if not value_of(live.fields, USERNAME) or not reveal(value_of(live.fields, PASSWORD)):
        return "Novita does not report its username and its password"
    return ""


def _left_out(live: Live, why: str) -> Problem:
    name = Operand(address("NAME", resource.REGISTRY))
    record = command_line("reconciler", "import", name, Operand(live.id))
    return Problem(
        code="not-imported",
        severity=Severity.WARNING,
        summary=f"the registry credential `{live.name or live.id}` is left out ({live.id}): {why}",
        hint=f"record it alone under a name of its own, and declare it: {record}",
        address=address(live.name, resource.REGISTRY) if live.name else None,
    )
