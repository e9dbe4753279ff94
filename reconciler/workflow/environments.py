"""`reconciler env`: the environments of config.yaml, and the differences between two of them. No network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from reconciler.inventory.session import load as load_inventory
from reconciler.model.errors import InvalidConfig, ReconcilerError
from reconciler.model.plan import Cause, FieldChange
from reconciler.model.problem import Problem
from reconciler.model.resource import Desired
from reconciler.model.secrets import MASK, map_secrets
from reconciler.model.status import EndpointDifference, EnvironmentInfo
from reconciler.model.values import Fields
from reconciler.planning.diff import differences
from reconciler.workflow.runtime.config import load_files
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.runtime.environment import every_environment, in_recorded_environment


def list_environments(context: Context) -> tuple[EnvironmentInfo, ...]:
    """Return the environments in the order of config.yaml."""
    return tuple(
        EnvironmentInfo(
            environment=one.environment,
            recorded=_recorded(one),
            is_current=one.environment_name == context.environment_name,
        )
        for one in every_environment(replace(context, explicit_options=frozenset()), has_variables=False)
        if one.environment is not None
    )


def compare_environments(context: Context, first: str, second: str) -> tuple[EndpointDifference, ...]:
    """Return the differences of what two environments declare, by declared name.

    A secret is compared by its reference. Raise InvalidConfig for an unknown environment, and for errors in
    the files of either.
    """
    left, right = _declared(context, first), _declared(context, second)
    return tuple(_differences(left, right))


def _recorded(context: Context) -> int | None:
    try:
        return sum(1 for _ in load_inventory(context.store).every_record())
    except ReconcilerError:
        return None


def _declared(context: Context, name: str) -> dict[str, Fields]:
    """Return the fields of each declared endpoint of an environment that is selected, by declared name."""
    context = in_recorded_environment(replace(context, explicit_options=frozenset()), name)
    loaded = load_files(context, lenient=True, is_offline=True, is_selected=context.selection.has)
    if loaded.errors:
        raise InvalidConfig(*(_of(name, problem) for problem in loaded.errors))
    names = context.names
    return {
        names.declared(desired.name) or desired.name: _comparable(context, desired)
        for desired in loaded.desired
        if context.selection.has(desired.name)
    }


def _comparable(context: Context, desired: Desired) -> Fields:
    """Return what is declared, with the declared names, and with references in place of secrets."""
    names, lifecycle = context.names, desired.lifecycle
    fields = {
        **desired.fields,
        "name": names.declared(desired.name) or desired.name,
        "appName": names.declared(desired.app_name) or desired.app_name,
        **({"schedule": [str(entry) for entry in desired.schedule]} if desired.schedule else {}),
        "lifecycle": {
            "preventDestroy": lifecycle.prevent_destroy,
            "ignoreChanges": [".".join(path) for path in lifecycle.ignore],
        },
    }
    shown = map_secrets(fields, lambda secret: secret.source if secret.is_referenced else MASK)
    assert isinstance(shown, dict)
    return shown


def _differences(left: dict[str, Fields], right: dict[str, Fields]) -> Iterator[EndpointDifference]:
    for name in dict.fromkeys((*left, *right)):
        before, after = left.get(name), right.get(name)
        if before is None or after is None:
            yield EndpointDifference(name=name, in_first=before is not None, in_second=after is not None)
        elif before != after:
            fields = tuple(
                FieldChange(path=path, before=one, after=other, cause=Cause.CONFIG)
                for path, one, other in differences(before, after)
            )
            yield EndpointDifference(name=name, in_first=True, in_second=True, fields=fields)


def _of(name: str, problem: Problem) -> Problem:
    """Return the problem with the environment in which it occurs."""
    return replace(problem, summary=f"{problem.summary} (environment {name})")
