"""`reconciler rollback`: the goal that restores an applied version of one endpoint."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from reconciler.config.loader import LoadedConfig
from reconciler.inventory.history import references_to_secrets
from reconciler.inventory.history_entries import Version
from reconciler.inventory.session import load as load_inventory
from reconciler.kinds.registry import ENDPOINT, split_address
from reconciler.model.command import Operand, command_line
from reconciler.model.errors import EndpointNotFound, InvalidConfig
from reconciler.model.problem import Problem, Severity
from reconciler.model.resource import Desired, Lifecycle, Live, address, no_place
from reconciler.model.secrets import Secret
from reconciler.model.values import Fields, Path, Reference, nested, with_path_from
from reconciler.planning.comparison import differs_from_live
from reconciler.planning.dependencies.references import recorded_ids
from reconciler.planning.diff import differences
from reconciler.planning.selection import Selection
from reconciler.planning.sync.schedules import with_schedule
from reconciler.workflow.endpoints import find_endpoint
from reconciler.workflow.history.versions import damaged_history, list_versions
from reconciler.workflow.imperative import find_declared, find_declared_as_applied, find_record
from reconciler.workflow.plan import Goal
from reconciler.workflow.runtime.account import reader
from reconciler.workflow.runtime.config import load_config, load_files
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.runtime.settings import valid_settings


def rollback_goal(
    context: Context, name: str, number: int | None, *, writes_yaml: bool = False
) -> tuple[Context, Goal, Version]:
    """Return the context, the goal and the version of a rollback of one endpoint.

    Without a number it is the last version that differs from the live endpoint, which is read. Unless
    `writes_yaml`, a note says what the next apply undoes. Raise InvalidConfig if there is no such version, or
    if a damaged history makes it uncertain.
    """
    if split_address(name)[0] != ENDPOINT.type:
        raise InvalidConfig(_not_an_endpoint(name))
    if number is None and (problems := damaged_history(context, name)):
        raise InvalidConfig(*(replace(problem, severity=Severity.ERROR) for problem in problems))
    versions = list_versions(context, name)[name]
    version = _last_other(context, name, versions) if number is None else _numbered(name, versions, number)

    def load(context: Context) -> LoadedConfig:
        loaded = load_config(context, needs_endpoints=False)
        others = (desired for desired in loaded.desired if desired.name != name)
        declared = find_declared_as_applied(context, loaded, name)
        restored = desired_from(context, version, declared)
        notes = () if writes_yaml else _undone_by_apply(restored, declared)
        return replace(
            loaded,
            desired=(*others, restored),
            problems=(*loaded.problems, *_unknown_values(version), *notes),
        )

    selection = Selection(names=frozenset({name}))
    return replace(context, selection=selection), Goal(load=load, rollback_to=(name, version.number)), version


def _last_other(context: Context, name: str, versions: tuple[Version, ...]) -> Version:
    """Return the last version to which a rollback would change something."""
    live = _find_live(context, name)
    declared = find_declared(load_files(context, lenient=True, needs_endpoints=False), name)
    for version in reversed(versions):
        if not version.is_deletion and (live is None or _differs(context, version, declared, live)):
            return version
    raise InvalidConfig(_no_such_version(name, versions, "no version that differs from the live endpoint"))


def _differs(context: Context, version: Version, declared: Desired | None, live: Live) -> bool:
    try:
        restored = with_schedule(desired_from(context, version, declared), context.now())
        return differs_from_live(restored, live)
    except InvalidConfig:  # a reference is not set; the plan reports it if this version is chosen
        return True


def _find_live(context: Context, name: str) -> Live | None:
    with reader(context, valid_settings(context, lenient=True)) as account:
        try:
            return find_endpoint(account, load_inventory(context.store), name)
        except EndpointNotFound:
            return None


def _numbered(name: str, versions: tuple[Version, ...], number: int) -> Version:
    for version in versions:
        if version.number == number:
            if version.is_deletion:
                raise InvalidConfig(_no_such_version(name, versions, f"nothing to return to in {number}"))
            return version
    raise InvalidConfig(_no_such_version(name, versions, f"no version {number}"))


def _not_an_endpoint(name: str) -> Problem:
    return Problem(
        code="not-an-endpoint",
        summary=f"`{name}` is not an endpoint, and only endpoints are rolled back",
        hint="write the earlier values into the YAML and apply them;"
        f" {command_line('reconciler', 'history', Operand(name))}   shows them",
    )


def _no_such_version(name: str, versions: tuple[Version, ...], what: str) -> Problem:
    numbers = ", ".join(str(version.number) for version in versions if not version.is_deletion)
    return Problem(
        code="no-such-version",
        summary=f"`{name}` has {what}; known: {numbers or 'none'}",
        hint=f"look at them with: {command_line('reconciler', 'history', Operand(name))}",
    )


def desired_from(context: Context, version: Version, declared: Desired | None) -> Desired:
    """Return the endpoint as of that version, with the lifecycle of its declaration or record.

    One that is neither declared nor recorded is imperative, so that no plan deletes it. Raise InvalidConfig
    if a reference of the version cannot be resolved.
    """
    resolver = context.resolver()
    problems: list[Problem] = []

    def secret(text: str) -> object:
        value, errors = resolver.secret(text)
        problems.extend(replace(problem, address=address(version.name)) for problem in errors)
        return value

    fields = references_to_secrets(version.fields, secret)
    record = find_record(context, version.name)
    if problems:
        raise InvalidConfig(*problems)
    references, fields = _followed(context, version, fields)
    return Desired(
        name=version.name,
        app_name=version.app_name,
        fields=fields,
        origin="declared" if declared else record.origin if record else "imperative",
        lifecycle=declared.lifecycle
        if declared
        else Lifecycle(prevent_destroy=record is not None and record.prevent_destroy),
        find_place=declared.find_place if declared else no_place,
        unset=version.hidden,
        schedule=declared.schedule if declared else (),
        restores=version.number,
        references=references,
    )


def _followed(
    context: Context, version: Version, fields: Fields
) -> tuple[tuple[tuple[Path, Reference], ...], Fields]:
    """Return what the version refers to by name, and its fields with the IDs that these have now.

    A resource that is not recorded any more keeps the ID of the version.
    """
    if not version.links:
        return (), fields
    ids = recorded_ids(load_inventory(context.store)).current
    references = tuple((path, Reference(*split_address(used))) for path, used in version.links)
    for path, reference in references:
        if reference in ids:
            fields = with_path_from(fields, nested(path, ids[reference]), path)
    return references, fields


def different_paths(declared: Desired, restored: Desired) -> Iterator[Path]:
    """Yield the paths in which the declaration differs from the version; values that are not known do not.

    Equal references are equal: the declaration may have been read without the values of secret helpers.
    Worker counts of a schedule are not those of a version.
    """
    by_schedule = ENDPOINT.table.scaling if declared.schedule else ()
    for path, before, after in differences(declared.fields, restored.fields):
        is_same = _is_same_reference(before, after) or (path, before) in restored.references
        if path not in (*restored.unset, *by_schedule, ("name",)) and not is_same:
            yield path


def _is_same_reference(one: object, other: object) -> bool:
    return (
        isinstance(one, Secret)
        and isinstance(other, Secret)
        and one.is_referenced
        and one.source == other.source
    )


def _undone_by_apply(restored: Desired, declared: Desired | None) -> Iterator[Problem]:
    """Yield a note if the next apply would undo the rollback."""
    name = restored.name
    if declared is not None and any(different_paths(declared, restored)):
        command = command_line("reconciler", "rollback", Operand(name), str(restored.restores), "--write")
        yield Problem(
            code="declared-otherwise",
            severity=Severity.NOTE,
            summary=f"`{name}` is declared with other values; the next apply undoes the rollback",
            hint=f"{command}   writes the version into the YAML as well",
            address=address(name),
            place=declared.place,
        )
    elif declared is None and restored.origin == "declared":
        yield Problem(
            code="no-longer-declared",
            severity=Severity.NOTE,
            summary=f"`{name}` is no longer declared; the next apply deletes it",
            hint="declare it again to keep it",
            address=address(name),
        )


def _unknown_values(version: Version) -> Iterator[Problem]:
    if version.hidden:
        yield Problem(
            code="unknown-values",
            severity=Severity.WARNING,
            summary=f"version {version.number} of `{version.name}` does not have the values of "
            f"{', '.join(map(ENDPOINT.table.label, version.hidden))}; the live values are kept",
            detail="These values were secrets without a reference, which are not written to disk.",
            hint="check that the live values fit that version",
            address=address(version.name),
        )
