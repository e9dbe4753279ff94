"""The YAML of live registry credentials: items of an import, and the edits of `drift accept`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from reconciler.kinds.draft import Draft
from reconciler.kinds.fields import value_of
from reconciler.kinds.item_edits import item_edits, split_importable
from reconciler.kinds.registry_credential.fields import PASSWORD, TABLE, USERNAME
from reconciler.kinds.variable_names import SecretValue, assign_variables, reference_to
from reconciler.model import resource
from reconciler.model.command import command_line
from reconciler.model.problem import Problem
from reconciler.model.resource import Live
from reconciler.model.secrets import reveal
from reconciler.model.values import Fields, Path
from reconciler.yamlfile.edits import Edit


def importable(
    credentials: Sequence[Live], taken: Iterable[str]
) -> tuple[tuple[Live, ...], tuple[Problem, ...]]:
    """Return (the credentials that YAML can declare, a warning for each that is left out)."""
    advice = "record it alone under a name of its own, and declare it"
    return split_importable(credentials, taken, _obstacle, noun="registry credential", advice=advice)


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
    hint = "store the password that the registry accepts behind the reference; to undo the change, run "
    hints = {PASSWORD: hint + command_line("reconciler", "drift", "revert")}
    return item_edits(declared, paths, live, TABLE, resource.REGISTRY, hints)


def _obstacle(live: Live) -> str:
    """Return why no YAML can declare the credential, as a clause; "" if YAML can."""
    if not live.is_named or not live.name.isprintable() or "${" in live.name:
        return "its name cannot be written"
    if not value_of(live.fields, USERNAME) or not reveal(value_of(live.fields, PASSWORD)):
        return "Novita does not report its username and its password"
    return ""
