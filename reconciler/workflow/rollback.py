"""The versions that were applied, and the plan that leads back to one of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from reconciler.config.loader import Loaded
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
from reconciler.model.resource import Desired, Lifecycle, address, no_place
from reconciler.planning.selection import Selection
from reconciler.workflow.plan import Goal, load_config
from reconciler.workflow.runtime.context import Context


def record_versions(state: Path, report: ApplyReport) -> tuple[Problem, ...]:
    """Keep what was applied as new versions; a history that cannot be written is only a warning.

    What holds a secret that nothing refers to is no version, for nobody could go back to it, and neither is a
    change by hand of some fields.
    """
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    versions = [
        Version(
            name=result.change.name,
            number=0,
            at=at,
            action=result.change.action.value,
            id=result.id or "",
            app_name=result.change.desired.app_name,
            fields=fields,
        )
        for result in report.with_outcome(Outcome.DONE)
        if not (isinstance(result.change, Delete | Forget | NoOp) or result.change.desired.partial)
        and (fields := secrets_to_references(result.change.desired.fields)) is not None
    ]
    try:
        append_versions(state, versions)
    except InventoryError as error:
        return tuple(replace(problem, severity=Severity.WARNING) for problem in error.problems)
    return ()


def versions(context: Context, name: str | None = None) -> Mapping[str, tuple[Version, ...]]:
    """What was applied, oldest first, of one endpoint or of all. Raises InvalidConfig for an unknown name."""
    known = history(context.state_path)
    if name is None:
        return known
    if name not in known:
        raise InvalidConfig(
            Problem(
                code="no-history",
                summary=f"nothing is known of earlier versions of `{name}`",
                hint="see what is known with: reconciler history",
            )
        )
    return {name: known[name]}


def damaged_history(context: Context) -> tuple[Problem, ...]:
    """The warning that versions are missing from what is known, for somebody edited them."""
    place = find_damage(context.state_path)
    if place is None:
        return ()
    remove = command_line("sed", "-i", f"{place.line}d", place.file)
    return (
        Problem(
            code="history-damaged",
            severity=Severity.WARNING,
            summary=f"line {place.line} of {place.file} is no version as an apply writes it, and passed over",
            hint=f"restore it, or remove it with `{remove}`; the versions in the other lines stay",
            place=place,
        ),
    )


def rollback_goal(context: Context, name: str, number: int | None) -> tuple[Context, Goal, Version]:
    """The run, the goal and the version of `rollback`: one endpoint as it was, all others left alone.

    Without a number it is the version before the last. Raises InvalidConfig when there is none such, and
    where nobody can tell which that is.
    """
    if number is None and (problems := damaged_history(context)):
        raise InvalidConfig(*(replace(problem, severity=Severity.ERROR) for problem in problems))
    version = _chosen(versions(context, name)[name], name, number)

    def load(now: Context) -> Loaded:
        loaded = load_config(now, may_lack_endpoints=True)
        today = next((one for one in loaded.desired if one.name == name), None)
        back = _as_it_was(now, version, today)
        others = tuple(one for one in loaded.desired if one.name != name)
        return replace(loaded, desired=(*others, back))

    selection = Selection(names=frozenset({name}))
    return replace(context, selection=selection), Goal(load=load, back_to=(name, version.number)), version


def _chosen(known: tuple[Version, ...], name: str, number: int | None) -> Version:
    if number is None and len(known) > 1:
        return known[-2]
    found = next((version for version in known if version.number == number), None)
    if found is None:
        numbers = ", ".join(str(version.number) for version in known)
        what = f"no version {number}" if number is not None else "no version before the last"
        raise InvalidConfig(
            Problem(
                code="no-such-version",
                summary=f"`{name}` has {what}; known: {numbers}",
                hint=f"look at them with: {command_line('reconciler', 'history', Operand(name))}",
            )
        )
    return found


def _as_it_was(context: Context, version: Version, today: Desired | None) -> Desired:
    resolver = context.resolver()
    problems: list[Problem] = []

    def secret(text: str) -> object:
        value, found = resolver.secret(text)
        problems.extend(replace(problem, address=address(version.name)) for problem in found)
        return value

    fields = references_to_secrets(version.fields, secret)
    if problems:
        raise InvalidConfig(*problems)
    return Desired(
        name=version.name,
        app_name=version.app_name,
        fields=fields,
        lifecycle=today.lifecycle if today else _recorded_lifecycle(context, version.name),
        find_place=today.find_place if today else no_place,
    )


def _recorded_lifecycle(context: Context, name: str) -> Lifecycle:
    """The protection that an endpoint had when it was last declared."""
    record = load_inventory(context.state_path).records.get(name)
    return Lifecycle(prevent_destroy=record is not None and record.prevent_destroy)
