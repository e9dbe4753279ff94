"""`reconciler deploy`, `update`, `scale` and `delete`: goals that change one endpoint without the YAML."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

from reconciler.config.loader import LoadedConfig, check_item, load_item
from reconciler.inventory.session import load as load_inventory
from reconciler.kinds.registry import ENDPOINT
from reconciler.model.errors import InvalidConfig
from reconciler.model.problem import Problem, Severity
from reconciler.model.resource import Desired, Lifecycle, Tracked, address
from reconciler.model.secrets import Secret
from reconciler.model.values import escaped
from reconciler.planning.imperative import ImperativeChange, ImperativeVerb, revert_notes
from reconciler.planning.leases import with_lease
from reconciler.planning.selection import NONE, Selection
from reconciler.workflow.plan import Goal
from reconciler.workflow.runtime.config import load_config
from reconciler.workflow.runtime.context import Context

Files: TypeAlias = Callable[[Context], LoadedConfig]
"""Returns settings, specs and declarations."""


def read_files(context: Context) -> LoadedConfig:
    """Return the configuration of the folder. Unset references are allowed: they belong to the YAML."""
    return load_config(context, lenient=True, needs_endpoints=False)


def deploy_goal(
    context: Context, item: Mapping[str, Any], *, files: Files = read_files
) -> tuple[Context, Goal]:
    """Return the goal that creates an endpoint from an item in the form of the YAML, with literal text.

    Its record is marked `imperative` unless its name is declared, so that no plan deletes it.
    """
    name = str(item.get("endpoint", ""))

    def load(context: Context) -> LoadedConfig:
        loaded = files(context)
        desired, problems = desired_from_item(context, item, loaded)
        declared = find_declared(loaded, name)
        desired = replace(
            desired,
            origin="declared" if declared else "imperative",
            lifecycle=declared.lifecycle if declared else Lifecycle(),
        )
        return replace_declared(loaded, desired, *problems, *_reverted_by_apply(desired, declared))

    return imperative_goal(context, load, ImperativeChange(name=name, verb=ImperativeVerb.DEPLOY))


def update_goal(
    context: Context, name: str, changes: Mapping[str, Any], *, files: Files = read_files
) -> tuple[Context, Goal]:
    """Return the goal that changes these fields (YAML names, literal text); `env` replaces all variables.

    Raise InvalidConfig for invalid values.
    """
    problems = check_item({"endpoint": name, **changes})
    if any(problem.is_error for problem in problems):
        raise InvalidConfig(*problems)
    fields = ENDPOINT.partial_fields(changes)

    def load(context: Context) -> LoadedConfig:
        loaded = files(context)
        declared, record = find_declared(loaded, name), find_record(context, name)
        lease = record.lease if record else None
        desired = _with_secret_env(
            Desired(name=name, app_name="", fields=fields, is_partial=True, lease=lease)
        )
        if declared and lease and not lease.has_expired(context.now()):
            declared = with_lease(declared, lease)
        return replace_declared(loaded, desired, *problems, *_reverted_by_apply(desired, declared))

    return imperative_goal(context, load, ImperativeChange(name=name, verb=ImperativeVerb.CHANGE))


def delete_goal(context: Context, name: str, *, files: Files = read_files) -> tuple[Context, Goal]:
    """Return the goal that deletes one endpoint, recorded or not. No other goal deletes unrecorded ones."""

    def load(context: Context) -> LoadedConfig:
        loaded = files(replace(context, selection=NONE))  # needs neither references nor specs
        declared = find_declared(loaded, name)
        return replace(loaded, problems=(_still_declared(declared),) if declared else ())

    return imperative_goal(
        context, load, ImperativeChange(name=name, verb=ImperativeVerb.DELETE), is_destroy=True
    )


def imperative_goal(
    context: Context,
    load: Callable[[Context], LoadedConfig],
    change: ImperativeChange,
    *,
    is_destroy: bool = False,
) -> tuple[Context, Goal]:
    """Return the goal of an imperative change, and a context that selects its endpoint only."""
    selection = Selection(names=frozenset({change.name}))
    goal = Goal(load=load, imperative=change, is_destroy=is_destroy)
    return replace(context, selection=selection), goal


def desired_from_item(
    context: Context, item: Mapping[str, Any], loaded: LoadedConfig
) -> tuple[Desired, tuple[Problem, ...]]:
    """Return the endpoint of an item, and warnings about it. Raise InvalidConfig for an invalid item."""
    desired, problems = load_item(escaped(item), loaded.specs, context.resolver())
    if desired is None:
        raise InvalidConfig(*(problems or loaded.errors))
    return _with_secret_env(desired), problems


def find_declared(loaded: LoadedConfig, name: str) -> Desired | None:
    """Return the declaration of an endpoint."""
    return next((desired for desired in loaded.desired if desired.name == name), None)


def find_declared_as_applied(context: Context, loaded: LoadedConfig, name: str) -> Desired | None:
    """Return the declaration of an endpoint; defaults that follow limits are as applied last."""
    declared, record = find_declared(loaded, name), find_record(context, name)
    return declared and ENDPOINT.fit_defaults(declared, None, record.applied if record else None)


def find_record(context: Context, name: str) -> Tracked | None:
    """Return the record of an endpoint."""
    return load_inventory(context.store).records.get(name)


def replace_declared(loaded: LoadedConfig, desired: Desired, *problems: Problem) -> LoadedConfig:
    """Return the configuration with this endpoint instead of its declaration, and these problems only."""
    others = (other for other in loaded.desired if other.name != desired.name)
    return replace(loaded, desired=(*others, desired), problems=problems)


def _with_secret_env(desired: Desired) -> Desired:
    """Return the endpoint with all env values as secrets, because any literal value may be one."""
    if "envs" not in desired.fields:
        return desired
    envs = {
        key: value if isinstance(value, Secret) else Secret(value=value, source=f"env.{key}")
        for key, value in desired.fields["envs"].items()
    }
    return replace(desired, fields={**desired.fields, "envs": envs})


def _reverted_by_apply(desired: Desired, declared: Desired | None) -> Iterator[Problem]:
    """Yield a note about what the next apply changes back."""
    if declared is not None:
        yield from revert_notes(desired, declared)


def _still_declared(declared: Desired) -> Problem:
    return Problem(
        code="declared-still",
        severity=Severity.NOTE,
        summary=f"`{declared.name}` is still declared: the next apply creates it again",
        hint="remove it from the YAML as well",
        address=address(declared.name),
        place=declared.place,
    )
