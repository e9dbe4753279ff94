"""Leases: while one runs, its worker counts are what is wanted; after it, the YAML's are again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from reconciler.model.command import Operand, command_line
from reconciler.model.problem import Problem, Severity
from reconciler.model.resource import Desired, Inventory, Lease, Live, address
from reconciler.planning.renames import renames
from reconciler.planning.selection import EVERYTHING, Selection


def leased(
    desired: Sequence[Desired],
    inventory: Inventory,
    live: Iterable[Live],
    now: datetime,
    selection: Selection = EVERYTHING,
) -> tuple[tuple[Desired, ...], tuple[Problem, ...]]:
    """What is wanted at `now`, and a note for each lease that runs or is over.

    A lease is about an endpoint, and goes with it when it is renamed. A change by hand says itself what
    becomes of a lease, and is left as it is.
    """
    wanted: list[Desired] = []
    notes: list[Problem] = []
    takes = renames(desired, inventory, {one.id for one in live if not one.is_terminating}).takes
    for one in desired:
        record = takes[one.name] if one.name in takes else inventory.records.get(one.name)
        lease = record.lease if record and not one.partial else None
        runs = lease is not None and not lease.has_expired(now)
        wanted.append(under(one, lease) if lease and runs else one)
        if lease and selection.has(one.name):
            notes.append(running(one, lease) if runs else _over(one, lease))
    return tuple(wanted), tuple(notes)


def under(desired: Desired, lease: Lease) -> Desired:
    """The same endpoint with the worker counts of a lease, which its record goes on holding."""
    worker = {**desired.fields.get("workerConfig", {}), "minNum": lease.min, "maxNum": lease.max}
    return replace(desired, fields={**desired.fields, "workerConfig": worker}, lease=lease)


def moment(when: datetime) -> str:
    """A moment as people read it, in UTC."""
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M}Z"


def running(desired: Desired, lease: Lease) -> Problem:
    """The note that an endpoint is under a lease."""
    return Problem(
        code="lease",
        severity=Severity.NOTE,
        summary=f"`{desired.name}` has {lease.min} to {lease.max} workers by a lease"
        f" until {moment(lease.until)}: {lease.why}",
        hint=f"{command_line('reconciler', 'scale', Operand(desired.name), '--end-lease')}   ends it now",
        address=address(desired.name),
        place=desired.place,
    )


def _over(desired: Desired, lease: Lease) -> Problem:
    return Problem(
        code="lease-over",
        severity=Severity.NOTE,
        summary=f"the lease of `{desired.name}` ended {moment(lease.until)}; what is declared holds again",
        address=address(desired.name),
        place=desired.place,
    )
