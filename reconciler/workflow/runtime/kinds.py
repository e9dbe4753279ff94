"""The plans of resources of other kinds than endpoints. Each kind in use is listed and planned by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from reconciler.kinds.registry import ENDPOINT, KINDS
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.plan import Plan
from reconciler.model.resource import Desired, Inventory, Live
from reconciler.model.secrets import Keyring
from reconciler.novita.account import AccountReader
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


def plan_kinds(
    account: AccountReader,
    desired: Sequence[Desired],
    inventory: Inventory,
    selection: Selection,
    keyring: Keyring,
    *,
    settle_seconds: float,
    unwanted: str,
) -> Mapping[str, KindPlan]:
    """Return the plans by type, of kinds that are declared or recorded. Other kinds are not even listed."""
    plans: dict[str, KindPlan] = {}
    for kind in _kinds_in_use(desired, inventory):
        records = inventory.of(kind)
        listing = list_after_settling(account.of(kind), records, settle_seconds)
        resolution = resolve(records, listing.endpoints, keyring)
        plan = make_plan(
            [resource for resource in desired if resource.kind == kind],
            resolution.of(records),
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
    return plans


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


def _kinds_in_use(desired: Sequence[Desired], inventory: Inventory) -> Iterator[str]:
    in_use = {resource.kind for resource in desired} | inventory.others.keys()
    return (kind for kind in KINDS if kind in in_use and kind != ENDPOINT.type)
