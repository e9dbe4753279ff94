"""Leases: worker counts that are desired instead of the declared ones until a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from reconciler.model.command import Operand, command_line
from reconciler.model.problem import Problem, Severity
from reconciler.model.resource import Desired, Inventory, Live, address
from reconciler.model.sync.lease import Lease
from reconciler.model.text import minute_text
from reconciler.planning.renames import renames
from reconciler.planning.selection import EVERYTHING, Selection
from reconciler.planning.sync.schedules import COUNTS, with_counts


def apply_leases(
    desired: Sequence[Desired],
    inventory: Inventory,
    live: Iterable[Live],
    now: datetime,
    selection: Selection = EVERYTHING,
) -> tuple[tuple[Desired, ...], tuple[Problem, ...]]:
    """Return what is desired at `now`, and a note for each lease that runs or has ended.

    A lease stays with its endpoint after a rename. An imperative change sets or ends the lease itself.
    """
    if not any(record.lease for record in inventory.records.values()):
        return tuple(desired), ()
    result: list[Desired] = []
    notes: list[Problem] = []
    alive = {endpoint.id: endpoint for endpoint in live if not endpoint.is_terminating}
    takes = renames(desired, inventory, alive).takes
    for endpoint in desired:
        name = endpoint.name
        record = takes[name] if name in takes else inventory.records.get(name)
        lease = record.lease if record and not endpoint.is_partial else None
        is_running = lease is not None and not lease.has_expired(now)
        result.append(with_lease(endpoint, lease) if lease and is_running else endpoint)
        if lease and selection.has(name):
            notes.append(running_lease(endpoint, lease) if is_running else _ended_lease(endpoint, lease))
    return tuple(result), tuple(notes)


def with_lease(desired: Desired, lease: Lease) -> Desired:
    """Return the endpoint with the worker counts of a lease, which its record keeps."""
    return replace(with_counts(desired, lease.min, lease.max), lease=lease)


def running_leases(inventory: Inventory, now: datetime) -> dict[str, Lease]:
    """Return the leases that have not ended, by the ID of their endpoint."""
    return {
        record.id: record.lease
        for record in inventory.records.values()
        if record.lease and not record.lease.has_expired(now)
    }


def running_lease(desired: Desired, lease: Lease) -> Problem:
    """Return the note that an endpoint has a lease."""
    return Problem(
        code="lease",
        severity=Severity.NOTE,
        summary=f"`{desired.name}` has {lease.counts} by a lease until {minute_text(lease.until)}:"
        f" {lease.why}",
        hint=f"{command_line('reconciler', 'scale', Operand(desired.name), '--end-lease')}   ends it now",
        address=address(desired.name),
        place=desired.place_of(COUNTS),
    )


def _ended_lease(desired: Desired, lease: Lease) -> Problem:
    return Problem(
        code="lease-over",
        severity=Severity.NOTE,
        summary=f"the lease of `{desired.name}` ended {minute_text(lease.until)}; "
        f"the {'scheduled' if desired.schedule else 'declared'} counts apply again",
        address=address(desired.name),
        place=desired.place_of(COUNTS),
    )
