"""Imperative changes: the endpoint that one is about, and what the next apply reverts of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum

from reconciler.kinds.registry import ENDPOINT
from reconciler.model.command import Operand, command_line
from reconciler.model.encoding import json_line
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import ExitCode, Problem, Severity
from reconciler.model.resource import Desired, Inventory, Live, Tracked, address
from reconciler.model.secrets import mask
from reconciler.model.text import closest_match
from reconciler.model.values import ABSENT, Path, is_below, leaves, value_at
from reconciler.planning.attribution import agree
from reconciler.planning.renames import names_of


class ImperativeVerb(StrEnum):
    """The action of an imperative change."""

    DEPLOY = "deploy"
    CHANGE = "change"
    DELETE = "delete"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImperativeChange:
    """A change of one endpoint by a command or by the SDK, not by the YAML."""

    name: str
    verb: ImperativeVerb


def resolve_target(
    change: ImperativeChange,
    inventory: Inventory,
    live: Iterable[Live],
    owners: Mapping[str, str] | None = None,
) -> tuple[Inventory, tuple[Problem, ...]]:
    """Return the inventory with the target recorded, and errors or notes about the target.

    An unrecorded endpoint counts as recorded in this plan if no other endpoint has its name.
    `owners` are the environments of endpoints that other environments record, by ID.
    """
    for known in inventory.records.values():
        if known.renaming and change.name in names_of(known):
            return inventory, (_being_renamed(change, known),)
    live = [endpoint for endpoint in live if not endpoint.is_terminating]
    record = inventory.records.get(change.name)
    recorded_ids = {record.id for record in inventory.records.values()}
    recorded = next((other for other in live if record is not None and other.id == record.id), None)
    unrecorded = [other for other in live if other.name == change.name and other.id not in recorded_ids]
    if change.verb is ImperativeVerb.DEPLOY:
        existing = recorded or next(iter(unrecorded), None)
        return inventory, (
            _exists(change, existing, (owners or {}).get(existing.id, "")),
        ) if existing else ()
    if recorded is not None and record is not None and recorded.name != record.live_name and unrecorded:
        return inventory, (_recorded_under_other_name(change, recorded, unrecorded),)
    if recorded is not None and record is not None and change.verb is ImperativeVerb.DELETE:
        is_renamed = recorded.is_named and not record.may_have_name(recorded.name)
        return inventory, (_renamed(record, recorded),) if is_renamed else ()
    if recorded or (change.verb is ImperativeVerb.DELETE and record is not None and not unrecorded):
        return inventory, ()
    if record is None and not unrecorded and (other := _recorded_by_id(change, inventory, live)):
        if change.verb is not ImperativeVerb.DELETE:
            return inventory, (_recorded_as(change, other),)
        # the name that it has now is the consent to delete what somebody has renamed
        others = {name: known for name, known in inventory.records.items() if known is not other}
        by_live_name = replace(other, name=change.name)
        return replace(inventory, records={**others, change.name: by_live_name}), ()
    if len(unrecorded) != 1:
        return inventory, (_several(change, unrecorded) if unrecorded else _not_found(change, live),)
    temporary = Tracked(name=change.name, id=unrecorded[0].id, applied={})
    notes = () if record is None else (_replaced(record, unrecorded[0]),)
    return replace(inventory, records={**inventory.records, change.name: temporary}), notes


def _recorded_by_id(change: ImperativeChange, inventory: Inventory, live: Iterable[Live]) -> Tracked | None:
    """Return the record of the only endpoint that is called so now, and was recorded under another name."""
    ids = {endpoint.id for endpoint in live if endpoint.name == change.name}
    found = [record for record in inventory.records.values() if record.id in ids]
    return found[0] if len(ids) == len(found) == 1 else None


def _renamed(record: Tracked, live: Live) -> Problem:
    delete = command_line("reconciler", "delete", Operand(live.name))
    forget = command_line("reconciler", "state", "rm", Operand(record.name))
    return Problem(
        code="renamed-elsewhere",
        summary=f"`{record.name}` ({record.id}) is called `{live.name}` now: somebody has renamed it,"
        " and may use it",
        hint=f"`{delete}` deletes it; `{forget}` only drops its record",
        address=address(record.name),
        exit_code=ExitCode.GUARD,
    )


def _recorded_as(change: ImperativeChange, record: Tracked) -> Problem:
    return Problem(
        code="renamed-elsewhere",
        summary=f"`{change.name}` ({record.id}) is recorded as `{record.name}`: somebody has renamed it",
        hint=f"use the name `{record.name}`, or forget it with"
        f" `{command_line('reconciler', 'state', 'rm', Operand(record.name))}`",
        address=address(change.name),
    )


def _exists(change: ImperativeChange, live: Live, owner: str) -> Problem:
    return Problem(
        code="endpoint-exists",
        summary=f"`{change.name}` exists already, as {live.id}"
        + (f", in the environment `{owner}`" if owner else ""),
        hint=f"choose another name; -e {owner} changes it there"
        if owner
        else f"change it with `{command_line('reconciler', 'update', Operand(change.name))}`,"
        " or declare it in the YAML and apply",
        address=address(change.name),
    )


def _not_found(change: ImperativeChange, live: Iterable[Live]) -> Problem:
    close = closest_match(change.name, (endpoint.name for endpoint in live))
    create = command_line("reconciler", "deploy", Operand(change.name), "--image", "IMAGE", "--spec", "SPEC")
    return Problem(
        code="endpoint-not-found",
        summary=f"endpoint not found in Novita: `{change.name}`",
        hint=f"did you mean `{close}`?"
        if close
        else f"create it with `{create}`, or look for its name in the console",
        address=address(change.name),
    )


def _being_renamed(change: ImperativeChange, record: Tracked) -> Problem:
    return Problem(
        code="rename-unfinished",
        summary=f"an earlier run did not finish renaming `{record.name}` to `{record.renaming}`",
        hint="reconciler apply   finishes it",
        address=address(change.name),
    )


def _replaced(record: Tracked, live: Live) -> Problem:
    return Problem(
        code="newcomer",
        severity=Severity.NOTE,
        summary=f"`{record.name}` was recorded as {record.id}, which is gone; this is {live.id}",
        address=address(record.name),
    )


def _recorded_under_other_name(
    change: ImperativeChange, recorded: Live, unrecorded: Sequence[Live]
) -> Problem:
    ids = ", ".join(sorted(endpoint.id for endpoint in unrecorded))
    return Problem(
        code="ambiguous-name",
        summary=f"`{change.name}` is recorded as {recorded.id}, which is called `{recorded.name}` now;"
        f" the name belongs to {ids}",
        detail="The inventory does not say which one is meant.",
        hint=f"{command_line('reconciler', 'state', 'rm', Operand(change.name))}   forgets {recorded.id},"
        " so that the name means the other one",
        address=address(change.name),
    )


def _several(change: ImperativeChange, unrecorded: Sequence[Live]) -> Problem:
    ids = ", ".join(sorted(endpoint.id for endpoint in unrecorded))
    return Problem(
        code="ambiguous-name",
        summary=f"{len(unrecorded)} live endpoints are called `{change.name}`: {ids}",
        detail="The inventory does not say which one is meant.",
        hint="delete or rename all but one in the console, then try again",
        address=address(change.name),
    )


def revert_notes(changed: Desired, declared: Desired) -> Iterator[Problem]:
    """Yield a note if the next apply reverts an imperative change, because other values are declared.

    Worker counts of a lease have a note of their own. Ignored fields are not reverted.
    """
    ignored = (*declared.lifecycle.ignore, *declared.unset)
    counts: list[str] = []
    others: list[str] = []
    paths: list[Path] = []
    if "envs" in changed.fields and ("envs",) not in ignored:
        wanted = declared.fields.get("envs", {})
        if not agree(changed.fields["envs"], wanted, ("envs",)):
            others.append("another env")
            paths.append(("envs",))
    for path, value in leaves({k: v for k, v in changed.fields.items() if k not in ENDPOINT.table.keyed}):
        wanted = value_at(declared.fields, path)
        is_ignored = any(is_below(path, prefix) for prefix in ignored)
        if wanted is not ABSENT and not is_ignored and not agree(value, wanted, path):
            paths.append(path)
            (counts if path in ENDPOINT.table.scaling else others).append(
                f"{ENDPOINT.table.label(path)} = {json_line(mask(ENDPOINT.table.value_shown(path, wanted)))}"
            )
    if counts and declared.lease is not None:
        command = command_line("reconciler", "scale", Operand(declared.name), "--end-lease")
        hint = f"{command}   ends the lease"
        yield _reverted(declared, paths[0], f"has a lease with {', '.join(counts)}", hint)
        counts = []
    elif counts and declared.schedule:
        hint = f"{_as_lease(changed, declared)}   keeps it for two hours; edit `schedule` to keep it"
        yield _reverted(declared, paths[0], f"has {', '.join(counts)} by its schedule", hint)
        counts = []
    if counts or others:
        how = " (`scale --write`)" if counts else ""
        hint = f"to keep it, write it in the YAML{how}, or list the field in `ignoreChanges`"
        yield _reverted(declared, paths[0], f"is declared with {', '.join([*others, *counts])}", hint)


def _as_lease(changed: Desired, declared: Desired) -> str:
    """Return the command that sets these worker counts for a limited time."""
    worker = {**declared.fields["workerConfig"], **changed.fields["workerConfig"]}
    counts = ("--min", str(worker["minNum"]), "--max", str(worker["maxNum"]))
    return command_line("reconciler", "scale", Operand(changed.name), *counts, "--for", "2h", "--why", "TEXT")


def _reverted(declared: Desired, path: Path, what: str, hint: str) -> Problem:
    return Problem(
        code="declared-otherwise",
        severity=Severity.NOTE,
        summary=f"`{declared.name}` {what}; the next apply reverts it",
        hint=hint,
        address=address(declared.name),
        place=declared.place_of(path),
    )
