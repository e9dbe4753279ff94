"""The plans of resources of other kinds than endpoints. Each kind in use is listed and planned by itself."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import field, replace

from reconciler.kinds.registry import ENDPOINT, KINDS, in_order_of_needs
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.plan import Plan
from reconciler.model.resource import Desired, Inventory, Listing, Live
from reconciler.model.secrets import Keyring
from reconciler.novita.account import AccountReader
from reconciler.planning.dependencies.references import (
    Ids,
    ids_after,
    recorded_ids,
    with_known_ids,
)
from reconciler.planning.pending_creates import Resolution, resolve
from reconciler.planning.planner import make_plan
from reconciler.planning.selection import Selection
from reconciler.workflow.runtime.live import list_after_settling


@dataclass(frozen=True, slots=True, kw_only=True)
class KindPlan:
    """The plan of one kind, its live resources, and the outcome of creates that were open."""

    plan: Plan
    live: tuple[Live, ...]
    resolution: Resolution


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherPlans:
    """The plans of other kinds than endpoints, by type, and the IDs that references to them stand for."""

    plans: Mapping[str, KindPlan] = field(default_factory=dict)
    ids: Ids = Ids()


def list_kinds(
    account: AccountReader, kinds: Sequence[str], inventory: Inventory, settle_seconds: float
) -> Mapping[str, Listing]:
    """Return the listings of the endpoints and of these kinds, by type. All are read at the same time."""
    for kind in kinds:
        account.of(kind).prefetch()
    return {
        kind: list_after_settling(account.of(kind), inventory.of(kind), settle_seconds)
        for kind in (ENDPOINT.type, *kinds)
    }


def plan_kinds(
    listings: Mapping[str, Listing],
    desired: Sequence[Desired],
    inventory: Inventory,
    selection: Selection,
    keyring: Keyring,
    *,
    unwanted: str,
    taken: Collection[str] = (),
) -> OtherPlans:
    """Return the plans of the listed kinds, each after those that it needs.

    Resources of kinds that are not listed have the IDs of their records. taken: as in `plan_endpoints`.
    """
    plans: dict[str, KindPlan] = {}
    ids = recorded_ids(inventory, listings)
    for kind in in_order_of_needs(listings):
        records, listing = inventory.of(kind), listings[kind]
        free = [one for one in listing.endpoints if one.id not in taken] if taken else listing.endpoints
        resolution = resolve(records, free, keyring)
        settled = resolution.of(records)
        plan = make_plan(
            [with_known_ids(resource, ids) for resource in desired if resource.kind == kind],
            settled,
            listing.endpoints,
            keyring,
            selection.of(kind),
            unwanted=unwanted,
            unidentified=listing.unidentified,
        )
        changes = tuple(change for change in plan.changes if change.name not in resolution.unresolved)
        plans[kind] = KindPlan(
            plan=replace(plan, changes=changes, problems=(*resolution.problems, *plan.problems)),
            live=listing.endpoints,
            resolution=resolution,
        )
        ids |= ids_after(changes, settled, listing.endpoints)
    return OtherPlans(plans=plans, ids=ids)


def merge_plans(plan: Plan, others: Mapping[str, KindPlan]) -> Plan:
    """Return one plan of all kinds, endpoints first."""
    if not others:
        return plan
    plans = (plan, *(other.plan for other in others.values()))
    return Plan(
        changes=tuple(change for part in plans for change in part.changes),
        problems=tuple(problem for part in plans for problem in part.problems),
        drift=tuple(drift for part in plans for drift in part.drift),
        unmanaged=tuple(live for part in plans for live in part.unmanaged),
    )


def kinds_in_use(desired: Sequence[Desired], inventory: Inventory) -> tuple[str, ...]:
    """Return the kinds that are declared or recorded, without endpoints."""
    in_use = {resource.kind for resource in desired} | inventory.others.keys()
    return tuple(kind for kind in KINDS if kind in in_use and kind != ENDPOINT.type)
