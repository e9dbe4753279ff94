"""Guards for resources that another inventory of the same store records."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from reconciler.model.command import Operand, command_line, shell_quote
from reconciler.model.plan import Adopt, Change, Delete, Forget, NoOp, Replace
from reconciler.model.problem import ExitCode, Problem, Severity
from reconciler.model.resource import Inventory, Live


def may_concern_neighbors(changes: Iterable[Change], inventory: Inventory) -> bool:
    """Return whether a plan may touch what another inventory records, so that the others must be read.

    These are adoptions, deletions, and changes of what this inventory does not record.
    """
    own_ids = {record.id for record in inventory.every_record()}
    return any(_is_guarded(change, own_ids) for change in changes)


def neighbor_guards(
    changes: Iterable[Change], inventory: Inventory, owners: Mapping[str, str]
) -> Iterator[Problem]:
    """Yield an error for each adoption, deletion or change of what another inventory records.

    What both record may be changed by both, and deleted by neither. `owners` are the labels of the other
    inventories, by ID.
    """
    own_ids = {record.id for record in inventory.every_record()}
    for change in changes:
        live = _live_of(change)
        if live is not None and live.id in owners and _is_guarded(change, own_ids):
            yield neighbor_guard(change.key, live.id, owners[live.id], change, is_recorded=live.id in own_ids)


def neighbor_guard(
    name: str, object_id: str, owner: str, change: Change | None = None, *, is_recorded: bool = False
) -> Problem:
    """Return the guard of a resource that the inventory `owner` records; is_recorded: so does this one."""
    desired = getattr(change, "desired", None)
    there = f"it can be changed with --state {shell_quote(owner)}"
    forget = command_line("reconciler", "state", "rm", Operand(name))
    return Problem(
        code="other-inventory",
        summary=f"`{name}` ({object_id}) is recorded in another inventory of the same store, {owner}",
        hint=f"if it belongs there, `{forget}` drops its record here; {there}. If that is only a copy of this"
        " inventory, remove the copy"
        if is_recorded
        else f"choose another name in the YAML; {there}",
        address=change.address if change else None,
        place=desired.place if desired else None,
        exit_code=ExitCode.GUARD,
    )


def neighbor_note(name: str, object_id: str, owner: str) -> Problem:
    """Return a note that a resource is left out, because the inventory `owner` records it."""
    return Problem(
        code="other-inventory",
        severity=Severity.NOTE,
        summary=f"`{name}` ({object_id}) is left out: another inventory of the same store, {owner},"
        " records it",
    )


def _is_guarded(change: Change, own_ids: Collection[str]) -> bool:
    live = _live_of(change)
    if live is None or isinstance(change, NoOp | Forget):
        return False
    return isinstance(change, Adopt | Delete | Replace) or live.id not in own_ids


def _live_of(change: Change) -> Live | None:
    live: Live | None = getattr(change, "live", None)
    return live
