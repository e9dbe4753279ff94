"""Live endpoints that nobody declares -> the items, specs and variables that would declare them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, count
from typing import Any

from reconciler.kinds.endpoint.command_secrets import holds_credential
from reconciler.kinds.endpoint.env_names import reference_to
from reconciler.kinds.endpoint.fields import COMMAND
from reconciler.kinds.endpoint.to_yaml import item_of, obstacle, shape_of, spec_of
from reconciler.model.problem import Problem, Severity
from reconciler.model.resource import Live, Spec, address
from reconciler.planning.secret_variables import Variable, Wanted, named


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What to write. `items` belong to `endpoints`, one by one; `new_specs` are those that were lacking."""

    endpoints: tuple[Live, ...]
    items: tuple[Mapping[str, Any], ...]
    new_specs: tuple[Spec, ...]
    variables: tuple[Variable, ...]


def importable(
    endpoints: Sequence[Live], taken: Iterable[str]
) -> tuple[tuple[Live, ...], tuple[Problem, ...]]:
    """(those that YAML can declare, a warning for each name that is left out). `taken` are names in use."""
    by_name: dict[str, list[Live]] = {}
    for one in endpoints:
        by_name.setdefault(one.name, []).append(one)
    used = frozenset(taken)
    found: list[Live] = []
    problems: list[Problem] = []
    for name, several in sorted(by_name.items()):
        if name and len(several) > 1:
            problems.append(_left_out(name, several, f"{len(several)} live endpoints have that name"))
        elif name in used:
            problems.append(_left_out(name, several, "another endpoint is declared or recorded by that name"))
        else:
            for one in several:
                if why := obstacle(one):
                    problems.append(_left_out(name, [one], why))
                else:
                    found.append(one)
    return tuple(found), tuple(problems)


def draft(
    endpoints: Sequence[Live],
    specs: Sequence[Spec],
    *,
    spec_names: Iterable[str],
    app_names: Iterable[str],
    in_use: Mapping[str, str | None],
) -> Draft:
    """The draft for endpoints that are `importable`.

    specs: those that can be used. spec_names: the names of all. app_names: those of what is declared.
    in_use: the variables that are referred to already, with what they hold.
    """
    chosen, new = _specs(endpoints, specs, spec_names)
    names, variables = named([one for live in endpoints for one in _wanted(live)], in_use)
    items = []
    for live, spec in zip(endpoints, chosen, strict=True):
        item = item_of(live, spec)
        if "env" in item:
            item["env"] = {
                key: reference_to(names[live.name, ("envs", key)]) if value.strip() else value
                for key, value in item["env"].items()
            }
        if (live.name, COMMAND) in names:
            item["command"] = reference_to(names[live.name, COMMAND])
        items.append(item)
    _tell_apart(items, endpoints, app_names)
    return Draft(endpoints=tuple(endpoints), items=tuple(items), new_specs=new, variables=variables)


def _wanted(live: Live) -> Iterator[Wanted]:
    envs = live.fields.get("envs", {})
    for key, value in sorted(envs.items()):
        if not value.strip():
            continue  # it hides nothing, and as a variable it would count as unset
        yield Wanted(endpoint=live.name, path=("envs", key), value=value)
    command = live.fields.get("image", {}).get("command", "")
    if holds_credential(command, envs.values()):
        yield Wanted(endpoint=live.name, path=COMMAND, value=command)


def _specs(
    endpoints: Iterable[Live], specs: Sequence[Spec], spec_names: Iterable[str]
) -> tuple[list[str], tuple[Spec, ...]]:
    """(the spec's name for each endpoint, the specs that had to be made for that)."""
    used = set(spec_names)
    known, new = list(specs), []
    chosen: list[str] = []
    for live in endpoints:
        spec = spec_of(live.fields, known)
        if spec is None:
            shape = shape_of(live.fields)
            assert shape is not None  # or else it is not importable
            spec = replace(shape, name=_spec_name(shape, used))
            used.add(spec.name)
            known.append(spec)
            new.append(spec)
        chosen.append(spec.name)
    return chosen, tuple(new)


def _spec_name(shape: Spec, used: Iterable[str]) -> str:
    product = re.sub(r"[^a-z0-9]+", "-", str(shape.product_id).lower()).strip("-")
    name = f"novita-{product}-{shape.gpu}gpu"
    return next(one for one in chain((name,), (f"{name}-{n}" for n in count(2))) if one not in used)


def _tell_apart(items: Sequence[dict[str, Any]], endpoints: Sequence[Live], app_names: Iterable[str]) -> None:
    """An app name that is left to its default, and is another endpoint's, is written out."""
    effective = Counter((*app_names, *(item.get("appName", item["endpoint"]) for item in items)))
    for item, live in zip(items, endpoints, strict=True):
        if "appName" not in item and effective[item["endpoint"]] > 1 and "appName" in live.fields:
            item["appName"] = live.fields["appName"]


def _left_out(name: str, endpoints: Sequence[Live], why: str) -> Problem:
    ids = ", ".join(sorted(one.id for one in endpoints))
    return Problem(
        code="not-imported",
        severity=Severity.WARNING,
        summary=f"`{name}` is left out ({ids}): {why}" if name else f"{ids} is left out: {why}",
        hint="change it in the console, or record it alone: reconciler import NAME ID",
        address=address(name) if name else None,
    )
