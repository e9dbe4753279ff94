"""The inventory by hand: list, show, take up, forget, rebuild."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from reconciler.config.loader import load
from reconciler.inventory.session import inventory_exists, replace_inventory
from reconciler.inventory.session import load as load_inventory
from reconciler.model.errors import InvalidConfig, InventoryError
from reconciler.model.problem import Problem, Severity
from reconciler.model.resource import Desired, Inventory, Live, Tracked, address
from reconciler.planning.records import as_found, as_live, refusal, remarks
from reconciler.workflow.runtime.account import base_url, list_complete, list_if_recorded, reader
from reconciler.workflow.runtime.config import load_config, valid_settings
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.runtime.inventory import locked_inventory, require_claim
from reconciler.workflow.runtime.outputs import inventory_overwrite_problem


def records(context: Context) -> Inventory:
    """What the inventory holds now."""
    return load_inventory(context.state_path)


def record(context: Context, name: str) -> Tracked:
    """One record. Raises InvalidConfig when there is none of that name."""
    found = records(context).records.get(name)
    if found is None:
        raise InvalidConfig(_unknown(name))
    return found


def forget(context: Context, names: tuple[str, ...]) -> None:
    """Stop tracking these endpoints; they live on, unmanaged."""
    known = records(context).records
    if missing := [name for name in names if name not in known]:
        raise InvalidConfig(*(_unknown(name) for name in missing))
    with locked_inventory(context, records(context).base_url) as session:
        for name in names:
            if (record := session.inventory.records.get(name)) is not None:
                session.drop(record)


def fold(context: Context) -> Inventory:
    """Write what the journal holds into the map; open creates stay in the journal. Asks nobody."""
    if not inventory_exists(context.state_path):
        return Inventory()
    with locked_inventory(context, records(context).base_url) as session:
        session.checkpoint_records()
        return session.inventory


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """One endpoint as it is recorded now; `is_new` is False when it was before."""

    record: Tracked
    is_new: bool
    problems: tuple[Problem, ...] = ()


def import_record(context: Context, name: str, object_id: str) -> Taken:
    """Record a live endpoint that was made elsewhere; `import NAME ID`.

    Of a declared one, what is live counts as applied last, so that the next plan shows differences as our
    changes. One that was only adopted by its name is confirmed.
    Raises InvalidConfig when it is not there, when the name or the ID is recorded otherwise, or when the
    inventory is that of another account.
    """
    settings, desired = valid_settings(context), _declared(context, name)
    keyring = settings.keyring
    with reader(context, settings) as account:
        live = account.get(object_id)
        inventory = load_inventory(context.state_path)
        claim = require_claim(context, settings, inventory, list_if_recorded(account, inventory))

        def known(inventory: Inventory) -> Tracked | None:
            """The record that says so already; raises InvalidConfig when another stands in the way."""
            record = inventory.records.get(name)
            if record is not None and record.id == object_id:
                return record
            occupant = account.get(record.id) if record is not None else None
            if why := refusal(name, object_id, live, inventory, occupant):
                raise InvalidConfig(why)
            return None

        before = known(inventory)
        if before is not None and (live is None or not before.adopted):
            return Taken(record=before, is_new=False, problems=claim.problems)
        assert live is not None  # or else it was refused
        if before is not None:
            record = replace(before, adopted=False)
        else:
            record = as_live(desired, live, keyring) if desired else as_found(name, live, keyring)
        with locked_inventory(context, base_url(settings)) as session:
            if known(session.inventory) == before:
                session.set_owner(claim.owner)
                session.record(record)
    return Taken(record=record, is_new=True, problems=(*claim.problems, *remarks(record, live)))


def _declared(context: Context, name: str) -> Desired | None:
    """The endpoint of that name, if one is declared; the variables of others need not be set for that."""
    if all(one.name != name for one in load_config(context, lenient=True, needs_endpoints=False).desired):
        return None
    loaded = load(context.root, context.files, environ=context.environ, dotenv=context.dotenv)
    for desired in loaded.desired:
        if desired.name == name:
            return desired
    raise InvalidConfig(*(one for one in loaded.errors if one.address in (None, address(name))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """What a rebuild recorded, kept and left out."""

    recorded: tuple[Tracked, ...]
    problems: tuple[Problem, ...]


def rebuild(context: Context, *, force: bool = False) -> Rebuilt:
    """Record the ID of every declared endpoint that is live under its name exactly once.

    Records whose ID is alive are kept with what they know; all others are made anew, as if what is live had
    been applied last, and as adopted by their names. An inventory that cannot be read is replaced; its file
    stays as the backup. Raises InvalidConfig when the file does not look like one, unless with `force`, and
    where it is that of another account or of other files.
    """
    if not force and (problem := inventory_overwrite_problem(context)) is not None:
        raise InvalidConfig(problem)
    loaded = load_config(context)
    try:
        inventory = load_inventory(context.state_path)
    except InventoryError:
        inventory = Inventory()
    old = inventory.records
    with reader(context, loaded.settings) as account:
        listing = list_complete(account, (record.id for record in old.values()))
    claim = require_claim(context, loaded.settings, inventory, listing.endpoints, by_files=True, forgets=True)
    by_id = {one.id: one for one in listing.endpoints if not one.is_terminating}
    found: dict[str, Tracked] = {}
    problems: list[Problem] = []
    for desired in loaded.desired:
        kept = old.get(desired.name)
        if kept is not None and kept.id in by_id:
            found[desired.name] = kept
            continue
        namesakes = [one for one in by_id.values() if one.name == desired.name]
        if len(namesakes) == 1:
            found[desired.name] = replace(
                as_live(desired, namesakes[0], loaded.settings.keyring), adopted=True
            )
        else:
            problems.append(_left_out(desired, namesakes))
    replace_inventory(
        context.state_path,
        Inventory(records=found, base_url=base_url(loaded.settings), owner=claim.owner),
        command=context.command,
        environ=context.environ,
        clock=time.time,
        lock_timeout=context.lock_timeout,
    )
    return Rebuilt(
        recorded=tuple(found[name] for name in sorted(found)), problems=(*claim.problems, *problems)
    )


def _left_out(desired: Desired, namesakes: list[Live]) -> Problem:
    if not namesakes:
        return Problem(
            code="not-live",
            severity=Severity.NOTE,
            summary=f"`{desired.name}` is not live; the next apply creates it",
            address=address(desired.name),
        )
    return Problem(
        code="ambiguous-name",
        severity=Severity.WARNING,
        summary=f"`{desired.name}` is live {len(namesakes)} times: "
        + ", ".join(sorted(one.id for one in namesakes)),
        hint="delete or rename all but one in the console, then rebuild again",
        address=address(desired.name),
    )


def _unknown(name: str) -> Problem:
    return Problem(
        code="not-tracked",
        summary=f"the inventory has no record of `{name}`",
        hint="see what it holds with: reconciler state list",
    )
