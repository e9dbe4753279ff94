"""`reconciler history` and `rollback`: the applied versions, and the goal that restores one of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from reconciler.config.loader import LoadedConfig
from reconciler.inventory.history import (
    Version,
    append_versions,
    find_damage,
    history,
    references_to_secrets,
    secrets_to_references,
)
from reconciler.inventory.session import load as load_inventory
from reconciler.model.apply_events import ApplyReport, Outcome
from reconciler.model.command import Operand, command_line
from reconciler.model.errors import InvalidConfig, InventoryError
from reconciler.model.plan import Delete, Forget, NoOp
from reconciler.model.problem import Problem, Severity
from reconciler.model.resource import ENDPOINT, Desired, Lifecycle, address, no_place
from reconciler.model.text import closest_match, utc_text
from reconciler.planning.selection import Selection
from reconciler.workflow.plan import Goal
from reconciler.workflow.runtime.config import load_config
from reconciler.workflow.runtime.context import Context


def record_versions(state: Path, report: ApplyReport, who: str = "") -> tuple[Problem, ...]:
    """Append the applied changes to the history. Return a warning if it cannot be written.

    who: the client of a server that asked for them.

    A change is left out if it contains a secret without a reference, as it could not be restored, or if it
    is imperative and states only some fields.
    """
    at = utc_text(datetime.now(UTC))
    versions = [
        Version(
            name=result.change.name,
            number=0,
            at=at,
            action=result.change.action.value,
            id=result.id or "",
            app_name=result.change.desired.app_name,
            fields=fields,
            who=who,
        )
        for result in report.with_outcome(Outcome.DONE)
        if result.change.kind == ENDPOINT
        and not (isinstance(result.change, Delete | Forget | NoOp) or result.change.desired.is_partial)
        and (fields := secrets_to_references(result.change.desired.fields)) is not None
    ]
    try:
        append_versions(state, versions)
    except InventoryError as error:
        return tuple(replace(problem, severity=Severity.WARNING) for problem in error.problems)
    return ()


def list_versions(context: Context, name: str | None = None) -> Mapping[str, tuple[Version, ...]]:
    """Return the versions of one endpoint or of all, oldest first. Raise InvalidConfig for an unknown one."""
    versions = history(context.state_path, None if name is None else (name,))
    if name is not None and name not in versions:
        close = closest_match(name, history(context.state_path))
        raise InvalidConfig(
            Problem(
                code="no-history",
                summary=f"`{name}` has no versions in the history",
                hint=f"did you mean `{close}`?" if close else "reconciler history   lists all versions",
            )
        )
    return versions


def damaged_history(context: Context, name: str | None = None) -> tuple[Problem, ...]:
    """Return a warning if a line of the history, or one that may be about a name, is damaged."""
    place = find_damage(context.state_path, name)
    if place is None:
        return ()
    remove = command_line("sed", "-i", f"{place.line}d", place.file)
    return (
        Problem(
            code="history-damaged",
            severity=Severity.WARNING,
            summary=f"line {place.line} of {place.file} is not a version and is ignored",
            hint=f"restore the line, or remove it with `{remove}`; the other lines are not affected",
            place=place,
        ),
    )


def rollback_goal(context: Context, name: str, number: int | None) -> tuple[Context, Goal, Version]:
    """Return the context, the goal and the version of a rollback of one endpoint.

    Without a number it is the version before the last one. Raise InvalidConfig if there is no such version,
    or if a damaged history makes it uncertain.
    """
    if number is None and (problems := damaged_history(context, name)):
        raise InvalidConfig(*(replace(problem, severity=Severity.ERROR) for problem in problems))
    version = _select_version(list_versions(context, name)[name], name, number)

    def load(context: Context) -> LoadedConfig:
        loaded = load_config(context, needs_endpoints=False)
        declared = next((desired for desired in loaded.desired if desired.name == name), None)
        others = (desired for desired in loaded.desired if desired.name != name)
        return replace(loaded, desired=(*others, _desired_from(context, version, declared)))

    selection = Selection(names=frozenset({name}))
    return replace(context, selection=selection), Goal(load=load, rollback_to=(name, version.number)), version


def _select_version(versions: tuple[Version, ...], name: str, number: int | None) -> Version:
    if number is None and len(versions) > 1:
        return versions[-2]
    for version in versions:
        if version.number == number:
            return version
    numbers = ", ".join(str(version.number) for version in versions)
    missing = f"no version {number}" if number is not None else "no version before the last"
    raise InvalidConfig(
        Problem(
            code="no-such-version",
            summary=f"`{name}` has {missing}; known: {numbers}",
            hint=f"look at them with: {command_line('reconciler', 'history', Operand(name))}",
        )
    )


def _desired_from(context: Context, version: Version, declared: Desired | None) -> Desired:
    """Return the endpoint as of that version, with the lifecycle of its declaration or record."""
    resolver = context.resolver()
    problems: list[Problem] = []

    def secret(text: str) -> object:
        value, errors = resolver.secret(text)
        problems.extend(replace(problem, address=address(version.name)) for problem in errors)
        return value

    fields = references_to_secrets(version.fields, secret)
    if problems:
        raise InvalidConfig(*problems)
    return Desired(
        name=version.name,
        app_name=version.app_name,
        fields=fields,
        lifecycle=declared.lifecycle if declared else _recorded_lifecycle(context, version.name),
        find_place=declared.find_place if declared else no_place,
    )


def _recorded_lifecycle(context: Context, name: str) -> Lifecycle:
    """Return the lifecycle that was recorded when the endpoint was last declared."""
    record = load_inventory(context.state_path).records.get(name)
    return Lifecycle(prevent_destroy=record is not None and record.prevent_destroy)
