"""A change by hand: about the one live endpoint of a name, whoever made it, and about no other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from reconciler.kinds.registry import ENDPOINT
from reconciler.model.command import Operand, command_line
from reconciler.model.encoding import json_line
from reconciler.model.plan import Change, Scale, Update
from reconciler.model.problem import Problem, Severity
from reconciler.model.resource import Desired, Inventory, Live, Tracked, address
from reconciler.model.secrets import mask
from reconciler.model.values import ABSENT, leaves, value_at
from reconciler.planning.attribution import agree
from reconciler.planning.renames import names_of


class ImperativeVerb(StrEnum):
    """What a hand does: make an endpoint, change some fields of it, or delete it."""

    DEPLOY = "deploy"
    CHANGE = "change"
    DELETE = "delete"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImperativeChange:
    """What a person or a program does to one endpoint, beside the YAML."""

    name: str
    verb: ImperativeVerb


def resolve_target(
    hand: ImperativeChange | None, inventory: Inventory, live: Iterable[Live]
) -> tuple[Inventory, tuple[Problem, ...]]:
    """The inventory as the plan needs it, and why there can be none, or what to know of it.

    An unrecorded endpoint counts as recorded while it is planned, if it is the only one of its name.
    """
    if hand is None:
        return inventory, ()
    moving = [one for one in inventory.records.values() if one.renaming and hand.name in names_of(one)]
    if moving:
        return inventory, (_being_renamed(hand, moving[0]),)
    there = [one for one in live if not one.is_terminating]
    record = inventory.records.get(hand.name)
    ours = [one for one in there if record is not None and one.id == record.id]
    recorded = {known.id for known in inventory.records.values()}
    strangers = [one for one in there if one.name == hand.name and one.id not in recorded]
    moved = [one for one in ours if record is not None and one.name != record.live_name]
    if hand.verb is ImperativeVerb.DEPLOY:
        return inventory, tuple(_exists(hand, one) for one in (*ours, *strangers)[:1])
    if moved and strangers:
        return inventory, (_moved(hand, moved[0], strangers),)
    if ours or (hand.verb is ImperativeVerb.DELETE and record is not None and not strangers):
        return inventory, ()
    if len(strangers) != 1:
        return inventory, (_several(hand, strangers) if strangers else _absent(hand),)
    passing = Tracked(name=hand.name, id=strangers[0].id, applied={})
    notes = () if record is None else (_newcomer(record, strangers[0]),)
    return replace(inventory, records={**inventory.records, hand.name: passing}), notes


def replica_range_errors(changes: Sequence[Change]) -> Iterator[Problem]:
    """An error for each change that would leave more workers at least than at most."""
    for change in changes:
        if not isinstance(change, Scale | Update):
            continue
        worker = {**change.live.fields.get("workerConfig", {}), **change.target.get("workerConfig", {})}
        low, high = worker.get("minNum", 0), worker.get("maxNum", 0)
        if change.desired.partial and low > high:
            yield Problem(
                code="min-above-max",
                summary=f"`{change.name}` would have at least {low} workers and at most {high}",
                hint="say both: "
                + command_line("reconciler", "scale", Operand(change.name), "--min", "N", "--max", "N"),
                address=change.address,
            )


def _exists(hand: ImperativeChange, live: Live) -> Problem:
    return Problem(
        code="endpoint-exists",
        summary=f"`{hand.name}` exists already, as {live.id}",
        hint=f"change it with `{command_line('reconciler', 'update', Operand(hand.name))}`,"
        " or declare it in the YAML and apply",
        address=address(hand.name),
    )


def _absent(hand: ImperativeChange) -> Problem:
    make = command_line("reconciler", "deploy", Operand(hand.name), "--image", "IMAGE", "--spec", "SPEC")
    return Problem(
        code="endpoint-not-found",
        summary=f"endpoint not found in Novita: `{hand.name}`",
        hint=f"make it with `{make}`, or look for its name in the console",
        address=address(hand.name),
    )


def _being_renamed(hand: ImperativeChange, record: Tracked) -> Problem:
    return Problem(
        code="rename-unfinished",
        summary=f"an earlier run did not finish renaming `{record.name}` to `{record.renaming}`",
        hint="reconciler apply   finishes it",
        address=address(hand.name),
    )


def _newcomer(record: Tracked, live: Live) -> Problem:
    return Problem(
        code="newcomer",
        severity=Severity.NOTE,
        summary=f"`{record.name}` was recorded as {record.id}, which is gone; this is {live.id}",
        address=address(record.name),
    )


def _moved(hand: ImperativeChange, ours: Live, strangers: Sequence[Live]) -> Problem:
    ids = ", ".join(sorted(one.id for one in strangers))
    return Problem(
        code="ambiguous-name",
        summary=f"`{hand.name}` is recorded as {ours.id}, which is called `{ours.name}` now,"
        f" and the name is that of {ids}",
        detail="Nothing says which is meant, and a guess could hit the wrong one.",
        hint=f"{command_line('reconciler', 'state', 'rm', Operand(hand.name))}   forgets {ours.id},"
        " and the name means the other",
        address=address(hand.name),
    )


def _several(hand: ImperativeChange, strangers: Sequence[Live]) -> Problem:
    ids = ", ".join(sorted(one.id for one in strangers))
    return Problem(
        code="ambiguous-name",
        summary=f"{len(strangers)} live endpoints are called `{hand.name}`: {ids}",
        detail="Nothing says which is meant, and a guess could hit the wrong one.",
        hint="delete or rename all but one in the console, then try again",
        address=address(hand.name),
    )


def revert_notes(changed: Desired, declared: Desired) -> Iterator[Problem]:
    """A note if what is declared differs in these fields; of ignored ones the live value stays anyway.

    Under a lease, one about the counts that are its, and one about the rest.
    """
    ignored = (*declared.lifecycle.ignore, *declared.unset)
    counts: list[str] = []
    others: list[str] = []
    if "envs" in changed.fields and ("envs",) not in ignored:
        mine, theirs = changed.fields["envs"], declared.fields.get("envs", {})
        if not agree(mine, theirs, ("envs",)):
            others.append("another env")
    for path, value in leaves({k: v for k, v in changed.fields.items() if k not in ENDPOINT.table.keyed}):
        said = value_at(declared.fields, path)
        is_ignored = any(path[: len(one)] == one for one in ignored)
        if said is not ABSENT and not is_ignored and not agree(value, said, path):
            which = counts if path in ENDPOINT.table.scaling else others
            which.append(f"{'.'.join(path)} = {json_line(mask(said))}")
    if counts and declared.lease is not None:
        command = command_line("reconciler", "scale", Operand(declared.name), "--end-lease")
        hint = f"{command}   ends the lease"
        yield _reverted(declared, f"has a lease with {', '.join(counts)}", hint)
        counts = []
    if counts or others:
        how = " (`scale --write`)" if counts else ""
        hint = f"to keep it, write it in the YAML{how}, or list the field in `ignoreChanges`"
        yield _reverted(declared, f"is declared with {', '.join([*others, *counts])}", hint)


def _reverted(declared: Desired, what: str, hint: str) -> Problem:
    return Problem(
        code="declared-otherwise",
        severity=Severity.NOTE,
        summary=f"`{declared.name}` {what}; the next apply sets it back",
        hint=hint,
        address=address(declared.name),
        place=declared.place,
    )
