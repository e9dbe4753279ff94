"""`reconciler state`: list, show, forget, fold and rebuild the records of the inventory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from reconciler.config.loader import LoadedConfig
from reconciler.inventory.session import load as load_inventory
from reconciler.inventory.session import replace_inventory
from reconciler.inventory.snapshot import read_snapshot
from reconciler.kinds.base import Kind
from reconciler.kinds.registry import KINDS, split_address
from reconciler.model.errors import InvalidConfig, InventoryError
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Problem, Severity
from reconciler.model.resource import ENDPOINT, Desired, Inventory, Live, Tracked, key_of
from reconciler.model.secrets import reveal
from reconciler.model.text import closest_match
from reconciler.model.values import value_at
from reconciler.planning.neighbors import neighbor_note
from reconciler.planning.records import live_record
from reconciler.workflow.runtime.account import reader
from reconciler.workflow.runtime.config import load_config
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.runtime.environment import neighbors_by_id
from reconciler.workflow.runtime.inventory import lock, locked_inventory, require_claim
from reconciler.workflow.runtime.kinds import kinds_in_use, list_kinds
from reconciler.workflow.runtime.outputs import inventory_overwrite_problem
from reconciler.workflow.runtime.settings import base_url


def read_inventory(context: Context) -> Inventory:
    """Return the inventory."""
    return load_inventory(context.store)


def find_record(inventory: Inventory, name: str) -> Tracked | None:
    """Return the record of an endpoint by its name, or of another resource by its address."""
    kind, name = split_address(name)
    return inventory.of(kind).records.get(name)


def get_record(context: Context, name: str) -> Tracked:
    """Return one record, by its name or address. Raise InvalidConfig if there is none."""
    inventory = read_inventory(context)
    record = find_record(inventory, name)
    if record is None:
        raise InvalidConfig(_not_tracked(inventory, name))
    return record


def forget(context: Context, names: tuple[str, ...]) -> None:
    """Drop the records of these endpoints, which stay live. Raise InvalidConfig for an unknown name."""
    inventory = read_inventory(context)
    if missing := [name for name in names if find_record(inventory, name) is None]:
        raise InvalidConfig(*(_not_tracked(inventory, name) for name in missing))
    with locked_inventory(context, inventory.base_url) as session:
        for name in names:
            if (record := find_record(session.inventory, name)) is not None:
                session.drop(record)


def fold(context: Context) -> Inventory:
    """Write the journal into the inventory file; open creates stay in the journal. Works offline."""
    snapshot = read_snapshot(context.store)
    if not snapshot.content.exists:
        return Inventory()
    with locked_inventory(context, snapshot.inventory().base_url) as session:
        session.checkpoint_records()
        return session.inventory


@dataclass(frozen=True, slots=True, kw_only=True)
class RebuildResult:
    """The records of a rebuilt inventory, and problems of the declarations that it left out."""

    recorded: tuple[Tracked, ...]
    problems: tuple[Problem, ...]


def rebuild(context: Context, *, force: bool = False) -> RebuildResult:
    """Record every declared resource whose name is live exactly once.

    A record whose ID is live is kept. Others are made as if the live fields had been applied last, and are
    marked as adopted by name. An inventory that cannot be read is replaced, and its file kept as a backup.
    Raise InvalidConfig if the file is not an inventory, unless `force` is set, or if it belongs to another
    account or to other files.
    """
    if not force and (problem := inventory_overwrite_problem(context)) is not None:
        raise InvalidConfig(problem)
    loaded = load_config(context)
    try:
        inventory = load_inventory(context.store)
    except InventoryError:
        inventory = Inventory()
    kinds = kinds_in_use(loaded.others, inventory)
    with reader(context, loaded.settings) as account:
        listings = list_kinds(account, kinds, inventory, settle_seconds=0.0)
    endpoints = listings[ENDPOINT].endpoints
    claim = require_claim(context, loaded.settings, inventory, endpoints, by_files=True, forgets=True)
    neighbors = neighbors_by_id(context)
    records: list[Tracked] = []
    problems: list[Problem] = []
    for kind, listing in listings.items():
        found, left_out = _rebuilt(loaded, inventory.of(kind), kind, listing.endpoints, neighbors)
        records += found
        problems += left_out
    emptied = {kind: replace(part, records={}) for kind, part in inventory.others.items()}
    empty = Inventory(base_url=base_url(loaded.settings), owner=claim.owner, others=emptied)
    with lock(context, context.store) as hold:
        replace_inventory(hold, empty.with_records(records))
    return RebuildResult(
        recorded=tuple(sorted(records, key=lambda record: record.key)),
        problems=(*claim.problems, *problems),
    )


def _rebuilt(
    loaded: LoadedConfig,
    inventory: Inventory,
    kind: str,
    live: Iterable[Live],
    neighbors: Mapping[str, str],
) -> tuple[list[Tracked], list[Problem]]:
    """Return the records of the declared resources of one kind, and problems of those without one.

    A replaced object of another kind than endpoints keeps its record while it is live, so that the next apply
    deletes it. What another inventory of the store records, by ID in `neighbors`, is left out.
    """
    by_id = {one.id: one for one in live if not one.is_terminating}
    old = inventory.records.values() if kind != ENDPOINT else ()
    records = [one for one in old if one.is_deposed and one.id in by_id]
    problems: list[Problem] = []
    for desired in loaded.of(kind):
        record = inventory.records.get(desired.name)
        if record is not None and record.id in by_id:
            records.append(record)
            continue
        deposed = {record.id for record in records if record.is_deposed}
        namesakes = [
            one for one in by_id.values() if one.id not in deposed and _may_be(one, desired, KINDS[kind])
        ]
        others = [one for one in namesakes if one.id in neighbors]
        namesakes = [one for one in namesakes if one.id not in neighbors]
        if others and not namesakes:
            problems += [
                neighbor_note(key_of(desired.name, kind), one.id, neighbors[one.id]) for one in others
            ]
        elif len(namesakes) == 1:
            made = live_record(desired, namesakes[0], loaded.settings.keyring)
            records.append(replace(made, adopted=True))
        else:
            problems.append(_left_out(desired, namesakes))
    return records, problems


def _may_be(live: Live, desired: Desired, kind: Kind) -> bool:
    """Return whether a live object has the name, and the other values that tell objects apart."""
    return live.name == desired.name and all(
        reveal(value_at(live.fields, path)) == reveal(value_at(desired.fields, path))
        for path in kind.identifying
    )


def _left_out(desired: Desired, namesakes: list[Live]) -> Problem:
    if not namesakes:
        return Problem(
            code="not-live",
            severity=Severity.NOTE,
            summary=f"`{desired.name}` is not live; the next apply creates it",
            address=desired.address,
        )
    return Problem(
        code="ambiguous-name",
        severity=Severity.WARNING,
        summary=f"`{desired.name}` is live {len(namesakes)} times: "
        + ", ".join(sorted(live.id for live in namesakes)),
        hint="delete or rename all but one in Novita Console, then rebuild again",
        address=desired.address,
    )


def _not_tracked(inventory: Inventory, name: str) -> Problem:
    close = closest_match(name, (record.key for record in inventory.every_record()))
    return Problem(
        code="not-tracked",
        summary=f"the inventory has no record of `{name}`",
        hint=f"did you mean `{close}`?" if close else "reconciler state list   shows all records",
    )
