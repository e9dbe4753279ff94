"""The YAML for live endpoints that are not declared: items, specs and variables."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, count
from typing import Any

from reconciler.kinds.draft import Draft
from reconciler.kinds.endpoint.fields import COMMAND
from reconciler.kinds.endpoint.to_yaml import item_of, obstacle, shape_of, spec_of
from reconciler.kinds.secret_text import holds_credential
from reconciler.kinds.variable_names import SecretValue, assign_variables, reference_to
from reconciler.model.problem import Problem, Severity
from reconciler.model.resource import Live, Spec, address


def importable(
    endpoints: Sequence[Live], taken: Iterable[str]
) -> tuple[tuple[Live, ...], tuple[Problem, ...]]:
    """Return (the endpoints that YAML can declare, a warning for each name that is left out)."""
    by_name: dict[str, list[Live]] = {}
    for live in endpoints:
        by_name.setdefault(live.name, []).append(live)
    used = frozenset(taken)
    accepted: list[Live] = []
    problems: list[Problem] = []
    for name, namesakes in sorted(by_name.items()):
        if name and len(namesakes) > 1:
            problems.append(_left_out(name, namesakes, f"{len(namesakes)} live endpoints have that name"))
        elif name in used:
            problems.append(
                _left_out(name, namesakes, "another endpoint is declared or recorded by that name")
            )
        else:
            for live in namesakes:
                if why := obstacle(live):
                    problems.append(_left_out(name, [live], why))
                else:
                    accepted.append(live)
    return tuple(accepted), tuple(problems)


def draft(
    endpoints: Sequence[Live],
    specs: Sequence[Spec],
    *,
    spec_names: Iterable[str],
    app_names: Iterable[str],
    in_use: Mapping[str, str | None],
) -> Draft:
    """Return the draft for endpoints that are `importable`, see `kinds.base.Kind.draft`."""
    chosen, new = _specs(endpoints, specs, spec_names)
    names, variables = assign_variables([secret for live in endpoints for secret in _secrets(live)], in_use)
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
    _write_out_shared_app_names(items, endpoints, app_names)
    return Draft(live=tuple(endpoints), items=tuple(items), new_specs=new, variables=variables)


def _secrets(live: Live) -> Iterator[SecretValue]:
    envs = live.fields.get("envs", {})
    for key, value in sorted(envs.items()):
        if not value.strip():
            continue  # a blank value is no secret, and a blank variable counts as unset
        yield SecretValue(endpoint=live.name, path=("envs", key), value=value)
    command = live.fields.get("image", {}).get("command", "")
    if holds_credential(command, envs.values()):
        yield SecretValue(endpoint=live.name, path=COMMAND, value=command)


def _specs(
    endpoints: Iterable[Live], specs: Sequence[Spec], spec_names: Iterable[str]
) -> tuple[list[str], tuple[Spec, ...]]:
    """Return (the spec's name for each endpoint, the specs that had to be added)."""
    used = set(spec_names)
    known, new = list(specs), []
    chosen: list[str] = []
    for live in endpoints:
        spec = spec_of(live.fields, known)
        if spec is None:
            shape = shape_of(live.fields)
            assert shape is not None  # `importable` checks it
            spec = replace(shape, name=_spec_name(shape, used))
            used.add(spec.name)
            known.append(spec)
            new.append(spec)
        chosen.append(spec.name)
    return chosen, tuple(new)


def _spec_name(shape: Spec, used: Iterable[str]) -> str:
    product = re.sub(r"[^a-z0-9]+", "-", str(shape.product_id).lower()).strip("-")
    name = f"novita-{product}-{shape.gpu}gpu"
    return next(free for free in chain((name,), (f"{name}-{n}" for n in count(2))) if free not in used)


def _write_out_shared_app_names(
    items: Sequence[dict[str, Any]], endpoints: Sequence[Live], app_names: Iterable[str]
) -> None:
    """Write out each app name that has its default and that another endpoint has too."""
    effective = Counter((*app_names, *(item.get("appName", item["endpoint"]) for item in items)))
    for item, live in zip(items, endpoints, strict=True):
        if "appName" not in item and effective[item["endpoint"]] > 1 and "appName" in live.fields:
            item["appName"] = live.fields["appName"]


def _left_out(name: str, endpoints: Sequence[Live], why: str) -> Problem:
    ids = ", ".join(sorted(live.id for live in endpoints))
    return Problem(
        code="not-imported",
        severity=Severity.WARNING,
        summary=f"`{name}` is left out ({ids}): {why}" if name else f"{ids} is left out: {why}",
        hint="change it in the console, or record it alone: reconciler import NAME ID",
        address=address(name) if name else None,
    )
