"""`reconciler state pull`, `push` and `copy`: move whole inventories between stores and files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from reconciler.inventory import map_format
from reconciler.inventory.files import read_regular_file, write_user_file
from reconciler.inventory.journal import intent_lines
from reconciler.inventory.lock_holder import LockHolder
from reconciler.inventory.map_format import serialize_inventory
from reconciler.inventory.session import load
from reconciler.inventory.snapshot import read_snapshot
from reconciler.inventory.stores.address import open_store, store_identity
from reconciler.inventory.stores.base import Store
from reconciler.inventory.transfer import (
    PREVIOUS,
    InventoryCopy,
    keep_previous,
    read_copy,
    verify_copy,
    write_copy,
)
from reconciler.model.command import Operand, command_line
from reconciler.model.errors import InvalidConfig, InventoryError
from reconciler.model.inventory_location import parse_location
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import ExitCode, Problem
from reconciler.model.resource import Inventory
from reconciler.model.text import quantity
from reconciler.planning.inventory_owner import host_mismatch
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.runtime.inventory import key_fingerprint, lock
from reconciler.workflow.runtime.outputs import OutputFile, output_problems
from reconciler.workflow.runtime.settings import base_url, valid_settings
from reconciler.workflow.stores.lock import leader_of

SHOWN: Final = 5
"""Names (count) in one problem."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PulledMap:
    """The bytes of a map, the number of its records, and the open creates, which are no part of it."""

    data: bytes
    recorded: int
    open: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferResult:
    """What was written: records and versions (count), open creates by name.

    has_previous: a map was replaced, and is kept as the previous one. source_leader: the controller that
    leads the source, and goes on writing there.
    """

    recorded: int
    open: tuple[str, ...]
    versions: int = 0
    has_approved_plan: bool = False
    has_previous: bool = False
    source_leader: LockHolder | None = None


def pull(context: Context, *, previous: bool = False) -> PulledMap:
    """Return the map with the journal folded into it. It takes no lock.

    previous: the map that the last push or forced copy replaced. Raise InventoryError if there is none.
    """
    store = context.store
    if previous:
        data = store.read_document(PREVIOUS)
        if data is None:
            raise InventoryError(_nothing(f"no push or copy has replaced the inventory {store.label} yet"))
        kept = map_format.parse(store.label, data)
        return PulledMap(data=data, recorded=_recorded(kept))
    snapshot = read_snapshot(store)
    if not snapshot.content.exists:
        raise InventoryError(_nothing(f"there is no inventory in {store.label}"))
    inventory = snapshot.inventory()
    return PulledMap(
        data=serialize_inventory(inventory),
        recorded=_recorded(inventory),
        open=_open(inventory),
    )


def write_pulled(context: Context, pulled: PulledMap, file: str, *, force: bool = False) -> None:
    """Write a pulled map to a file. Raise InvalidConfig if the file must not be replaced, or written."""
    output = OutputFile(option="-o", kind="inventory", path=file)
    if refused := tuple(output_problems(context, [output], force=force)):
        raise InvalidConfig(*refused)
    try:
        write_user_file(context.root / file, pulled.data)
    except OSError as error:
        raise InvalidConfig(
            Problem(code="cannot-write", summary=f"cannot write {file}: {error.strerror or error}")
        ) from error


def push(context: Context, file: Path, *, force: bool = False) -> TransferResult:
    """Replace the map by that of a file, under the lock. Open creates stay open.

    Raise InvalidConfig if the file is of another account, or lacks or changes what is recorded, unless
    `force` is set; and InventoryError if it is not an inventory.
    """
    store = context.store
    pushed = _read_map(context.root / file)
    if pushed.owner.root:
        root = os.path.realpath((context.root / file).parent / pushed.owner.root)
        if root == os.path.realpath(context.root):  # the file is, or was, an inventory of this folder
            owner = replace(pushed.owner, root=_path_to(root, context, store))
            pushed = replace(pushed, owner=owner)
    with lock(context, store) as hold:
        content = store.read()
        before = _readable(store, force=force)
        present = before if before is not None else Inventory()
        if problems := list(_push_problems(context, file, present, pushed, force=force)):
            raise InvalidConfig(*problems)
        has_previous = keep_previous(hold, content, before, pushed)
        intents = [
            intent for intent in present.every_intent() if intent.name not in pushed.of(intent.kind).records
        ]
        hold.fold(serialize_inventory(pushed), intent_lines(intents))
    return TransferResult(
        recorded=_recorded(pushed),
        open=tuple(sorted(intent.key for intent in intents)),
        has_previous=has_previous,
    )


def copy(context: Context, source: str, target: str, *, force: bool = False) -> TransferResult:
    """Copy an inventory to another store, under the locks of both, and read it back.

    source, target: paths or addresses of stores. What is in the source stays there. Raise InvalidConfig if
    the target has an inventory, unless `force` is set.
    """
    from_store = open_store(parse_location(source), context.root, context.environ)
    to_store = open_store(parse_location(target), context.root, context.environ)
    if store_identity(from_store) == store_identity(to_store):
        raise InvalidConfig(
            Problem(
                code="same-inventory",
                summary=f"nothing was copied: both are the inventory {from_store.label}",
                hint="name two inventories: `reconciler state copy FROM TO`",
            )
        )
    if not from_store.read().exists:
        raise InventoryError(_nothing(f"there is no inventory in {from_store.label}"))
    with lock(context, from_store), lock(context, to_store) as hold:
        inventory_copy = _moved(context, read_copy(from_store), from_store, to_store)
        present = to_store.read()
        if present.exists and not force:
            raise InvalidConfig(_not_empty(source, target, to_store.label))
        before = _readable(to_store, force=force)
        has_previous = keep_previous(hold, present, before, inventory_copy.inventory)
        write_copy(hold, to_store, inventory_copy)
        verify_copy(to_store, inventory_copy)
    return TransferResult(
        recorded=_recorded(inventory_copy.inventory),
        open=_open(inventory_copy.inventory),
        versions=sum(map(len, inventory_copy.versions.values())),
        has_approved_plan=inventory_copy.approved is not None,
        has_previous=has_previous,
        source_leader=leader_of(from_store),
    )


def _moved(context: Context, copy: InventoryCopy, source: Store, target: Store) -> InventoryCopy:
    """Return a copy whose path to the root of the files is right in the target."""
    owner = copy.inventory.owner
    if not owner.root:
        return copy
    root = os.path.realpath((source.folder or context.root) / owner.root)
    moved = replace(owner, root=_path_to(root, context, target))
    return replace(copy, inventory=replace(copy.inventory, owner=moved))


def _path_to(root: str, context: Context, store: Store) -> str:
    """Return the path to a folder as the inventory of a store records it."""
    return Path(os.path.relpath(root, os.path.realpath(store.folder or context.root))).as_posix()


def _recorded(inventory: Inventory) -> int:
    return sum(1 for _ in inventory.every_record())


def _open(inventory: Inventory) -> tuple[str, ...]:
    return tuple(sorted(intent.key for intent in inventory.every_intent()))


def _readable(store: Store, *, force: bool) -> Inventory | None:
    """Return what a store holds; None if that cannot be read and is to be replaced by force."""
    try:
        return load(store)
    except InventoryError:
        if force:
            return None
        raise


def _read_map(file: Path) -> Inventory:
    """Return the inventory of a file. Raise InventoryError if it cannot be read, or is none."""
    try:
        data = read_regular_file(file, follow=True)
    except OSError as error:
        raise InventoryError(
            Problem(
                code="inventory-unreadable",
                summary=f"cannot read {file}: {error.strerror or error}",
                hint="name a file that `reconciler state pull -o FILE` wrote",
            )
        ) from error
    try:
        return map_format.parse(str(file), data)
    except InventoryError as error:
        hint = "name a file that `reconciler state pull -o FILE` wrote, or an inventory file"
        raise InventoryError(*(replace(one, hint=hint) for one in error.problems)) from error


def _push_problems(
    context: Context, file: Path, before: Inventory, pushed: Inventory, *, force: bool
) -> Iterator[Problem]:
    """Yield a guard if the file is of another account, and one if it would lose or change records."""
    again = command_line("reconciler", "state", "push", "--allow-other-account", Operand(file))
    if not context.allow.other_account and (why := _other_account(context, before, pushed)):
        yield Problem(
            code="other-account",
            summary=f"{file} is not of this account: {why}",
            detail="Recorded for this account, its IDs would be missing, and what runs here would be billed"
            " without a record.",
            hint=f"check --state and NOVITA_API_KEY; if it is intended: {again}",
            exit_code=ExitCode.GUARD,
        )
    if not force and (lost := list(_lost(before, pushed))):
        more = f" and {len(lost) - SHOWN} more" if len(lost) > SHOWN else ""
        now = command_line("reconciler", "state", "pull", "-o", f"{file}.now")
        forced = command_line("reconciler", "state", "push", "--force", Operand(file))
        yield Problem(
            code="older-inventory",
            summary=f"{file} is older than the inventory, or was edited: it would lose"
            f" {quantity(len(lost), 'record')}",
            detail="\n".join((*lost[:SHOWN], *([more.strip()] if more else []))),
            hint=f"{now}   writes what is there now, for a comparison; to replace it all the same: {forced}",
            exit_code=ExitCode.GUARD,
        )


def _other_account(context: Context, before: Inventory, pushed: Inventory) -> str:
    """Return why a pushed inventory is of another account than what is there; "" if it is not.

    An empty inventory is of the account of this run.
    """
    if any(before.every_record()):
        url, account = before.base_url, before.owner.account
        ids = {record.id for record in before.every_record()}
        if any(record.id in ids for record in pushed.every_record()):
            account = ""  # the same endpoint: only the key was replaced
    else:
        settings = valid_settings(context, lenient=True)
        is_shared = settings.state_key is not None or settings.api_key is None
        url, account = base_url(settings), "" if is_shared else key_fingerprint(settings)
    if url and (why := host_mismatch(pushed, url)):
        return why
    is_other_key = bool(account and pushed.owner.account and pushed.owner.account != account)
    return "another API key wrote it" if is_other_key else ""


def _lost(before: Inventory, pushed: Inventory) -> Iterator[str]:
    """Yield, for each record that a push would lose or change, its name and how."""
    for record in before.every_record():
        after = pushed.of(record.kind).records.get(record.name)
        if after is None:
            yield f"{record.key}: {record.id} is not in the file"
        elif after.id != record.id:
            yield f"{record.key}: {record.id} is {after.id} in the file"
        elif after != record:
            yield f"{record.key}: the file has other values of {record.id}"


def _nothing(summary: str) -> Problem:
    return Problem(
        code="no-inventory",
        summary=summary,
        hint="check --state, RECONCILER_STATE and -e; `reconciler doctor` shows which inventory a run uses",
    )


def _not_empty(source: str, target: str, label: str) -> Problem:
    force = command_line("reconciler", "state", "copy", "--force", Operand(source), Operand(target))
    return Problem(
        code="not-empty",
        summary=f"nothing was copied: there is an inventory in {label} already",
        hint=f"name another place; to replace it, which keeps it as the previous one: {force}",
        exit_code=ExitCode.GUARD,
    )
