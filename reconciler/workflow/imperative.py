"""`reconciler deploy`, `update`, `scale` and `delete`: goals that change one endpoint without the YAML."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

from reconciler.config.loader import LoadedConfig, check_item, load_item
from reconciler.inventory.session import load as load_inventory
from reconciler.kinds.registry import ENDPOINT
from reconciler.model.command import Operand, command_line
from reconciler.model.errors import InvalidConfig
from reconciler.model.problem import Problem, Severity
from reconciler.model.resource import REGISTRY, Desired, Lifecycle, Tracked, address
from reconciler.model.secrets import Secret
from reconciler.model.values import Reference, escaped
from reconciler.planning.dependencies.references import recorded_ids, references_of, with_known_ids
from reconciler.planning.imperative import ImperativeChange, ImperativeVerb, revert_notes
from reconciler.planning.leases import with_lease
from reconciler.planning.selection import NONE, Selection
from reconciler.planning.sync.schedules import with_schedule
from reconciler.workflow.plan import Goal
from reconciler.workflow.runtime.config import load_config
from reconciler.workflow.runtime.context import Context

Files: TypeAlias = Callable[[Context], LoadedConfig]
"""Returns settings, specs and declarations."""


def read_files(context: Context) -> LoadedConfig:
    """Return the configuration of the folder. Unset references are allowed: they belong to the YAML."""
    return load_config(context, lenient=True, needs_endpoints=False)


def deploy_goal(
    context: Context, item: Mapping[str, Any], *, image_auth: str = "", files: Files = read_files
) -> tuple[Context, Goal]:
    """Return the goal that creates an endpoint from an item in the form of the YAML, with literal text.

    `image_auth` is the name of a credential that is declared or recorded, or else an ID. The record is marked
    `imperative` unless the name is declared, so that no plan deletes the endpoint.
    """
    name = str(item.get("endpoint", ""))

    def load(context: Context) -> LoadedConfig:
        loaded = files(context)
        given = {**item, **_credential(context, loaded, image_auth)} if image_auth else item
        desired, problems = desired_from_item(context, given, loaded)
        declared = find_declared(loaded, name)
        desired = replace(
            _with_recorded_ids(context, desired),
            origin="declared" if declared else "imperative",
            lifecycle=declared.lifecycle if declared else Lifecycle(),
            prewarm=desired.prewarm or (declared is not None and declared.prewarm),
        )
        return replace_declared(loaded, desired, *problems, *_reverted_by_apply(desired, declared))

    return imperative_goal(context, load, ImperativeChange(name=name, verb=ImperativeVerb.DEPLOY))


def update_goal(
    context: Context,
    name: str,
    changes: Mapping[str, Any],
    *,
    prewarm: bool = False,
    files: Files = read_files,
) -> tuple[Context, Goal]:
    """Return the goal that changes these fields (YAML names, literal text); `env` replaces all variables.

    A new image is warmed first if `prewarm`, or if the endpoint declares it. Raise InvalidConfig for invalid
    values.
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
            Desired(
                name=name,
                app_name="",
                fields=fields,
                is_partial=True,
                lease=lease,
                prewarm=prewarm or (declared is not None and declared.prewarm),
            )
        )
        declared = declared and with_schedule(declared, context.now())
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


def _credential(context: Context, loaded: LoadedConfig, name_or_id: str) -> Mapping[str, str]:
    """Return the field for a credential, which refers to it by name if that is declared or recorded."""
    named = Reference(REGISTRY, name_or_id)
    is_known = named in recorded_ids(load_inventory(context.store)).current
    is_known = is_known or any(other.address == named.address for other in loaded.others)
    return {"imageAuth" if is_known else "imageAuthId": name_or_id}


def _with_recorded_ids(context: Context, desired: Desired) -> Desired:
    """Return the endpoint with recorded IDs in place of references. Raise InvalidConfig if one has none."""
    if not any(references_of(desired)):
        return desired
    desired = with_known_ids(desired, recorded_ids(load_inventory(context.store)))
    if missing := [_not_applied(desired, reference) for _, reference in references_of(desired)]:
        raise InvalidConfig(*missing)
    return desired


def _not_applied(desired: Desired, reference: Reference) -> Problem:
    apply = command_line("reconciler", "apply", "--target", Operand(reference.address))
    return Problem(
        code="unresolved-reference",
        summary=f"`{desired.name}` refers to {reference.address}, which was not applied yet",
        hint=f"create it first: {apply}",
        address=desired.address,
    )


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
