"""The plan of the endpoints, from open creates and imperative targets to the comparison of all of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.plan import Plan
from reconciler.model.problem import Problem
from reconciler.model.resource import Desired, Inventory, Listing, address
from reconciler.model.secrets import Keyring
from reconciler.planning.leases import apply_leases
from reconciler.planning.pending_creates import Resolution, resolve
from reconciler.planning.planner import make_plan
from reconciler.planning.selection import Selection
from reconciler.planning.sync.schedules import apply_schedules

if TYPE_CHECKING:
    from reconciler.planning.imperative import ImperativeChange


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointPlan:
    """The plan of the endpoints, and what it was made from.

    inventory: the records, with open creates that were found, and with the target of an imperative change.
    desired: the endpoints with the worker counts of their schedules and leases. problems: of creates, target,
    schedules and leases.
    """

    plan: Plan
    resolution: Resolution
    inventory: Inventory
    desired: Sequence[Desired]
    problems: tuple[Problem, ...]


def plan_endpoints(
    desired: Sequence[Desired],
    inventory: Inventory,
    listing: Listing,
    keyring: Keyring,
    selection: Selection,
    *,
    now: datetime,
    released: Collection[str] = (),
    imperative: ImperativeChange | None = None,
    is_destroy: bool = False,
    delete_reason: str,
    owners: Mapping[str, str] | None = None,
    taken: Collection[str] = (),
) -> EndpointPlan:
    """Compare the desired endpoints with the records and the listing.

    released: names to forget instead of deleting them. imperative: the change of a single endpoint.
    is_destroy: delete every recorded endpoint. delete_reason: why a record without a declaration is deleted.
    owners: the environments of endpoints that other environments record, by ID. taken: IDs that other
    inventories of the store record, so that no open create has made them.
    """
    live = listing.endpoints
    resolution = resolve(inventory, [one for one in live if one.id not in taken] if taken else live, keyring)
    records = resolution.of(inventory)
    target_problems: tuple[Problem, ...] = ()
    if imperative is not None:
        from reconciler.planning.imperative import resolve_target

        records, target_problems = resolve_target(imperative, records, live, owners)
    scheduled, notes = apply_schedules(desired, records, now, selection)
    wanted, lease_notes = apply_leases(scheduled, records, live, now, selection)
    if is_destroy:
        records, wanted, notes, lease_notes = _for_destroy(records, desired), (), (), ()
    plan = make_plan(
        wanted,
        records,
        live,
        keyring,
        selection,
        unwanted=delete_reason,
        released=released,
        unidentified=listing.unidentified,
    )
    undecided = set(resolution.unresolved)
    if imperative is not None and any(problem.is_error for problem in target_problems):
        undecided.add(imperative.name)
    return EndpointPlan(
        plan=_without(plan, undecided),
        resolution=resolution,
        inventory=records,
        desired=wanted,
        problems=(*selection.relevant(resolution.problems), *target_problems, *notes, *lease_notes),
    )


def _without(plan: Plan, names: Collection[str]) -> Plan:
    """Return the plan without these endpoints, about which a person must decide first."""
    if not names:
        return plan
    addresses = {address(name) for name in names}
    return replace(
        plan,
        changes=tuple(change for change in plan.changes if change.name not in names),
        problems=tuple(problem for problem in plan.problems if problem.address not in addresses),
    )


def _for_destroy(inventory: Inventory, desired: Iterable[Desired]) -> Inventory:
    """Return the inventory for a destroy: declarations protect as well, and imperative endpoints count."""
    protected = {declared.name: declared.lifecycle.prevent_destroy for declared in desired}
    return replace(
        inventory,
        records={
            name: replace(
                record,
                prevent_destroy=record.prevent_destroy or protected.get(name, False),
                origin="declared",
            )
            for name, record in inventory.records.items()
        },
    )
