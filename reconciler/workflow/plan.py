"""`reconciler plan`: compare files, inventory and account. Reads only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reconciler.config.loader import LoadedConfig
from reconciler.inventory.snapshot import read_snapshot
from reconciler.kinds.registry import ENDPOINT
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.plan import Forget, Plan
from reconciler.model.problem import ExitCode, Problem
from reconciler.model.resource import Inventory, Limits, Listing, Live, address
from reconciler.model.run_report import RunReport
from reconciler.model.secrets import Keyring
from reconciler.model.settings import Settings
from reconciler.planning.dependencies.references import with_dependencies, with_known_ids
from reconciler.planning.guards import (
    adoption_notes,
    environment_guards,
    foreign_guards,
    guards,
    replica_range_errors,
    unknown_value_errors,
)
from reconciler.planning.options import apply_options
from reconciler.planning.pending_creates import Resolution
from reconciler.planning.pipeline import plan_endpoints
from reconciler.planning.records import with_fitted_defaults
from reconciler.workflow.foreseen import foreseen_changes
from reconciler.workflow.runtime.account import reader
from reconciler.workflow.runtime.config import load_config, load_declared_names
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.runtime.environment import neighbors_by_id, owners_by_id
from reconciler.workflow.runtime.inventory import Claim, claim_inventory, repeat_with
from reconciler.workflow.runtime.kinds import kinds_in_use, list_kinds, merge_plans, plan_kinds
from reconciler.workflow.runtime.live import limits_and_missed
from reconciler.workflow.runtime.settings import prewarm_timeout, require_api_key

if TYPE_CHECKING:
    from reconciler.model.apply_events import ApplyReport
    from reconciler.model.settings import Environment
    from reconciler.planning.imperative import ImperativeChange
    from reconciler.workflow.history.proofs import Unproved


@dataclass(frozen=True, kw_only=True)
class PlanResult:
    """A plan and its input.

    inventory: as it was read. claim: the run's claim to it. resolution: the outcome of the creates that were
    open in it; others: the same for other kinds, by type. live: what the account has. files_read: the files.
    environment: the one of the run, or None. unproved: the unchanged endpoints that an apply probes.
    needs_checkpoint: an interrupted run left entries in the journal that the map does not have yet.
    """

    plan: Plan
    settings: Settings
    inventory: Inventory
    resolution: Resolution
    claim: Claim
    live: Sequence[Live]
    files_read: tuple[Path, ...] = ()
    is_destroy: bool = False
    environment: Environment | None = None
    others: Mapping[str, Resolution] = field(default_factory=dict)
    unproved: tuple[Unproved, ...] = ()
    needs_checkpoint: bool = False

    @cached_property
    def keyring(self) -> Keyring:
        """Return the keyring for fingerprints of secrets."""
        return self.settings.keyring

    @cached_property
    def digest(self) -> str:
        """Return the digest of the changes that are approved. It is slow: it builds every request."""
        from reconciler.planning.fingerprint import plan_digest

        return plan_digest(self.plan, self.keyring)

    @cached_property
    def live_ids(self) -> Mapping[str, tuple[str, ...]]:
        """Return the live IDs of each address."""
        ids: dict[str, list[str]] = {}
        for live in self.live:
            ids.setdefault(address(live.name, live.kind), []).append(live.id)
        return {key: tuple(values) for key, values in ids.items()}

    @property
    def blocked(self) -> ExitCode | None:
        """Return the exit code of the error or guard that blocks an apply; None if there is none."""
        codes = {problem.exit_code for problem in self.plan.errors}
        for code in (ExitCode.UNRESOLVED, ExitCode.ERROR, ExitCode.GUARD):
            if code in codes:
                return code
        return None

    def with_problems(self, problems: Sequence[Problem]) -> PlanResult:
        """Return the plan with additional problems."""
        return replace(self, plan=replace(self.plan, problems=(*self.plan.problems, *problems)))

    def run_report(
        self,
        command: str,
        timestamp: str,
        *,
        exit_code: int = ExitCode.OK,
        report: ApplyReport | None = None,
        refusals: Sequence[Problem] = (),
    ) -> RunReport:
        """Return the report of the run. `refusals` say why it was not applied, or what failed afterwards."""
        return RunReport(
            command=command,
            timestamp=timestamp,
            exit_code=int(exit_code),
            plan=self.plan,
            keyring=self.keyring,
            problems=(*self.plan.problems, *refusals),
            report=report,
            is_destroy=self.is_destroy,
            environment=self.environment.name if self.environment else "",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """The desired result of a run.

    load: reads the desired endpoints; it is called again under the lock. is_destroy: delete every recorded
    endpoint that is not desired. rollback_to: name and version of a rollback. revert_names: the endpoints of
    a `drift revert`. imperative: the change of one endpoint by `deploy`, `update`, `scale` or `delete`.
    """

    load: Callable[[Context], LoadedConfig]
    is_destroy: bool = False
    rollback_to: tuple[str, int] | None = None
    revert_names: tuple[str, ...] = ()
    imperative: ImperativeChange | None = None

    @property
    def delete_reason(self) -> str:
        """Return why a recorded endpoint that is not desired is deleted."""
        if self.imperative is not None:
            return "delete was requested"
        return "destroy was requested" if self.is_destroy else "no longer declared"


APPLY: Final = Goal(load=load_config)
"""Make the account match the files."""

DESTROY: Final = Goal(load=load_declared_names, is_destroy=True)
"""Delete what the inventory records, and nothing else."""


def plan(context: Context, goal: Goal = APPLY, *, is_applied: bool = False) -> PlanResult:
    """Return what `apply` would do now. Raise ReconcilerError if that cannot be determined.

    is_applied: writes may follow, so prepare for them as soon as changes are foreseen.
    """
    loaded = goal.load(context)
    snapshot = read_snapshot(context.store, loaded.declared_fields)
    inventory = snapshot.inventory()
    if context.early is not None and (count := _foreseen(context, loaded, inventory, goal)):
        context.early.prepare_changes()
        if is_applied:
            context.early.prepare_writes(count)
    elif context.early is not None and goal.is_destroy and inventory.records:
        context.early.read_prices()
    return replace(planned(context, loaded, inventory, goal), needs_checkpoint=snapshot.needs_checkpoint)


def _foreseen(context: Context, loaded: LoadedConfig, inventory: Inventory, goal: Goal) -> int:
    """Return how many changes can be foreseen before the account is listed; 0 for a destroy."""
    return 0 if goal.is_destroy else len(goal.revert_names) or foreseen_changes(context, loaded, inventory)


def planned(
    context: Context,
    loaded: LoadedConfig,
    inventory: Inventory,
    goal: Goal = APPLY,
    *,
    settle: bool = False,
    guarded: bool = True,
    listings: Mapping[str, Listing] | None = None,
    limits_read: tuple[Limits | None] | None = None,
) -> PlanResult:
    """Return the plan for this configuration and inventory against the account as it is now.

    settle: wait for the settling time before an open create counts as not done. guarded: check guards and
    the account's limits; not needed for a plan that is never applied. listings: the account if it was listed,
    by type. limits_read: the limits if they were read; then the defaults of `loaded` are within them.
    """
    settings = loaded.settings
    loaded = loaded if guarded else _fitted(loaded, None, inventory)
    require_api_key(settings)
    allow = replace(
        context.allow,
        adopt=context.allow.adopt or settings.adopt,
        adopted=context.allow.adopted or goal.imperative is not None,
        is_destroy=goal.is_destroy,
    )
    selection = with_dependencies(
        replace(context.selection, others=tuple(resource.address for resource in loaded.others)),
        (*loaded.desired, *loaded.others),
    )
    kinds = () if goal.imperative else kinds_in_use(loaded.others, inventory)
    owners = dict(owners_by_id(context, addresses=goal.imperative is not None))
    taken = neighbors_by_id(context) if any(inventory.every_intent()) else {}
    with reader(context, settings) as account:
        settle_seconds = settings.settle_seconds if settle else 0.0
        listings = listings or list_kinds(account, kinds, inventory, settle_seconds)
        listed = listings[ENDPOINT.type]
        others = plan_kinds(
            {kind: listings[kind] for kind in kinds},
            () if goal.is_destroy else loaded.others,
            inventory,
            selection,
            settings.keyring,
            unwanted=goal.delete_reason,
            taken=taken,
        )
        endpoints = plan_endpoints(
            [with_known_ids(desired, others.ids) for desired in loaded.desired]
            if loaded.others or inventory.others
            else loaded.desired,
            inventory,
            listed,
            settings.keyring,
            selection,
            now=context.now(),
            released=frozenset(removed.name for removed in loaded.removed if not removed.destroy),
            imperative=goal.imperative,
            is_destroy=goal.is_destroy,
            delete_reason=goal.delete_reason,
            owners=owners,
            taken=taken,
        )
        records = endpoints.inventory
        plan = merge_plans(endpoints.plan, others.plans)
        names = {*records.records, *(declared.name for declared in loaded.desired)} if allow.replaced else ()
        unselected = frozenset(name for name in names if not selection.has(name))
        changes, option_notes = apply_options(plan.changes, allow, unselected)
        plan = replace(plan, changes=changes, unmanaged=() if goal.imperative else plan.unmanaged)
        has_limits = guarded and bool(plan.pending) and ENDPOINT.needs_limits(changes)
        if is_priced := guarded and bool(plan.pending):
            account.optional.begin_products()
            account.optional.begin_balance()
        limits, missed = (
            limits_and_missed(account, listed, changes)
            if has_limits and limits_read is None
            else (limits_read[0] if limits_read else None, ())
        )
        all_live = (*listed.endpoints, *chain.from_iterable(other.live for other in others.plans.values()))
        fitted = _fitted(loaded, limits, records) if has_limits and limits_read is None else loaded
        beyond_limits: tuple[Problem, ...] = ()
        if is_priced and not missed and fitted is loaded:
            from reconciler.workflow.market.preflight import reviewed

            beyond_limits = tuple(ENDPOINT.check_limits(changes, limits)) if has_limits else ()
            plan = reviewed(context, account, loaded, plan, records, all_live, limits, beyond_limits)
    if missed:
        complete = replace(listed, endpoints=(*listed.endpoints, *missed), pages=range(0))
        listings = {**listings, ENDPOINT.type: complete}
        return planned(context, loaded, inventory, goal, guarded=guarded, listings=listings)
    if fitted is not loaded:
        return planned(
            context, fitted, inventory, goal, guarded=guarded, listings=listings, limits_read=(limits,)
        )
    claim = claim_inventory(
        context,
        settings,
        inventory,
        listed.endpoints,
        by_files=goal.imperative is None,
        is_whole=not (context.selection.is_part or goal.rollback_to or goal.revert_names),
        forgets=any(isinstance(change, Forget) and not change.live_name for change in changes),
        is_empty=context.selection.is_everything and not plan.pending,
        guarded=guarded,
    )
    declared = len(endpoints.desired) + len(loaded.others)
    problems = [
        *loaded.problems,
        *claim.problems,
        *endpoints.problems,
        *selection.relevant(plan.problems),
        *replica_range_errors(changes),
        *unknown_value_errors(changes),
        *option_notes,
        *selection.partial_note(sum(hasattr(change, "desired") for change in changes), declared),
    ]
    concerns_neighbors = False
    if plan.pending:
        from reconciler.planning.dependencies.order import unresolvable
        from reconciler.planning.neighbors import may_concern_neighbors, neighbor_guards

        problems += unresolvable(changes)
        concerns_neighbors = may_concern_neighbors(changes, inventory)
    if goal.imperative is None and (plan.unmanaged or concerns_neighbors):
        owners |= owners_by_id(context, files=False)
    unmanaged = (replace(live, environment=owners.get(live.id, "")) for live in plan.unmanaged)
    plan = replace(plan, unmanaged=tuple(unmanaged)) if owners else plan
    if guarded:
        tracked, again = sum(1 for _ in records.every_record()), repeat_with(context, "--allow-adopted")
        counts = {"declared": declared, "tracked": tracked}
        elsewhere = owners
        if concerns_neighbors:
            neighbors = {k: v for k, v in (taken or neighbors_by_id(context)).items() if k not in owners}
            problems += neighbor_guards(changes, inventory, neighbors)
            elsewhere = {**neighbors, **owners}
        problems += guards(changes, elsewhere, **counts, allow=allow, again=again, live=listed.endpoints)
        problems += (*adoption_notes(changes, elsewhere), *ENDPOINT.change_notes(changes))
        if plan.warms_images:
            from reconciler.planning.prewarm import prewarm_notes

            problems += prewarm_notes(plan.pending, within=prewarm_timeout(context, settings))
        problems += foreign_guards(changes, inventory.every_record(), owners)
        if goal.is_destroy and context.environment and context.environment.is_protected:
            problems += environment_guards(
                changes, context.environment, inventory.records, is_imperative=goal.imperative is not None
            )
        if settings.is_simulator:
            from reconciler.workflow.runtime.simulator_file import stored_secret_guards

            problems += stored_secret_guards(changes, context.environ)
    problems += beyond_limits
    return PlanResult(
        plan=replace(plan, problems=tuple(problems)),
        settings=settings,
        inventory=inventory,
        resolution=endpoints.resolution,
        claim=claim,
        live=all_live,
        others={kind: other.resolution for kind, other in others.plans.items()},
        files_read=loaded.read_files,
        is_destroy=goal.is_destroy,
        environment=context.environment,
    )


def _fitted(loaded: LoadedConfig, limits: Limits | None, records: Inventory) -> LoadedConfig:
    """Return the configuration with default values within the limits; the same one if none changes."""
    fitted = with_fitted_defaults(loaded.desired, limits, records)
    return loaded if fitted is loaded.desired else replace(loaded, desired=tuple(fitted))
