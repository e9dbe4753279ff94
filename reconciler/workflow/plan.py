"""`reconciler plan`: compare files, inventory and account. Reads only."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reconciler.config.loader import LoadedConfig
from reconciler.inventory.session import load as load_inventory
from reconciler.kinds.registry import ENDPOINT
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.plan import Forget, Plan
from reconciler.model.problem import ExitCode, Problem, Severity
from reconciler.model.resource import Desired, Inventory, Listing, Live, address
from reconciler.model.run_report import RunReport
from reconciler.model.secrets import Keyring
from reconciler.model.settings import Settings
from reconciler.novita.account import AccountReader
from reconciler.planning.fingerprint import plan_digest
from reconciler.planning.guards import adoption_notes, guards
from reconciler.planning.imperative import ImperativeChange, replica_range_errors, resolve_target
from reconciler.planning.leases import apply_leases
from reconciler.planning.options import apply_options
from reconciler.planning.pending_creates import Resolution, resolve
from reconciler.planning.planner import make_plan
from reconciler.planning.selection import Selection
from reconciler.workflow.runtime.account import (
    limits_and_missed,
    list_after_settling,
    prefetched_account,
    reader,
    require_api_key,
)
from reconciler.workflow.runtime.config import load_config, load_declared_names
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.runtime.inventory import Claim, claim_inventory, repeat_with
from reconciler.workflow.runtime.kinds import KindPlan, merge_plans, plan_kinds
from reconciler.workflow.runtime.simulator_file import stored_secret_guards

if TYPE_CHECKING:
    from reconciler.model.apply_events import ApplyReport


@dataclass(frozen=True, kw_only=True)
class PlanResult:
    """A plan and its input.

    inventory: as it was read. claim: the run's claim to it. resolution: the outcome of the creates that were
    open in it; others: the same for other kinds, by type. live: what the account has. read: the configuration
    files.
    """

    plan: Plan
    settings: Settings
    inventory: Inventory
    resolution: Resolution
    claim: Claim
    live: Sequence[Live]
    read: tuple[Path, ...] = ()
    is_destroy: bool = False
    others: Mapping[str, Resolution] = field(default_factory=dict)

    @cached_property
    def keyring(self) -> Keyring:
        """Return the keyring for fingerprints of secrets."""
        return self.settings.keyring

    @cached_property
    def digest(self) -> str:
        """Return the digest of the changes that are approved. It is slow: it builds every request."""
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
            return "delete was asked for"
        return "destroy was asked for" if self.is_destroy else "no longer declared"


APPLY: Final = Goal(load=load_config)
"""Make the account match the files."""

DESTROY: Final = Goal(load=load_declared_names, is_destroy=True)
"""Delete what the inventory records, and nothing else."""


def plan(context: Context, goal: Goal = APPLY) -> PlanResult:
    """Return what `apply` would do now. Raise ReconcilerError if that cannot be determined."""
    with prefetched_account(context) as context:
        loaded = goal.load(context)
        return planned(context, loaded, load_inventory(context.state_path), goal)


def planned(
    context: Context,
    loaded: LoadedConfig,
    inventory: Inventory,
    goal: Goal = APPLY,
    *,
    settle: bool = False,
    guarded: bool = True,
    listed: Listing | None = None,
) -> PlanResult:
    """Return the plan for this configuration and inventory against the account as it is now.

    settle: wait for the settling time before an open create counts as not done. guarded: check guards and
    the account's limits; not needed for a plan that is never applied. listed: the account if it was listed.
    """
    settings = loaded.settings
    require_api_key(settings)
    allow = replace(
        context.allow,
        adopt=context.allow.adopt or settings.adopt,
        adopted=context.allow.adopted or goal.imperative is not None,
        is_destroy=goal.is_destroy,
    )
    selection = replace(context.selection, others=tuple(resource.address for resource in loaded.others))
    with reader(context, settings) as account:
        listed = listed or list_after_settling(account, inventory, settings.settle_seconds if settle else 0.0)
        live = listed.endpoints
        found = resolve(inventory, live, settings.keyring)
        records, grips = resolve_target(goal.imperative, found.of(inventory), live)
        desired, leases = apply_leases(loaded.desired, records, live, context.now(), context.selection)
        if goal.is_destroy:
            records, desired, leases = _as_destroyed(records, loaded.desired), (), ()
        made = _without(
            make_plan(
                desired,
                records,
                live,
                settings.keyring,
                selection,
                unwanted=goal.delete_reason,
                released=frozenset(one.name for one in loaded.removed if not one.destroy),
                unidentified=listed.unidentified,
            ),
            {
                *found.unresolved,
                *([goal.imperative.name] if goal.imperative and any(one.is_error for one in grips) else []),
            },
        )
        others = _plan_others(account, loaded, records, selection, goal, settle=settle)
        made = merge_plans(made, others)
        changes, notes = apply_options(made.changes, allow)
        made = replace(made, changes=changes, unmanaged=() if goal.imperative else made.unmanaged)
        limited = guarded and ENDPOINT.needs_limits(made.changes)
        limits, hidden = limits_and_missed(account, listed, made.changes) if limited else (None, ())
    if hidden:
        complete = replace(listed, endpoints=(*live, *hidden), pages=range(0))
        return planned(context, loaded, inventory, goal, guarded=guarded, listed=complete)
    claim = claim_inventory(
        context,
        settings,
        inventory,
        live,
        by_files=goal.imperative is None,
        is_whole=not (context.selection.is_part or goal.rollback_to or goal.revert_names),
        forgets=any(isinstance(change, Forget) and not change.live_name for change in made.changes),
        is_empty=context.selection.is_everything and not made.pending,
        guarded=guarded,
    )
    problems = (
        *loaded.problems,
        *claim.problems,
        *_concerning(context.selection, found.problems),
        *grips,
        *leases,
        *_concerning(context.selection, made.problems),
        *replica_range_errors(changes),
        *notes,
        *_partial(context.selection, made, len(desired) + len(loaded.others)),
        *(
            (
                *guards(
                    made.changes,
                    declared=len(desired) + len(loaded.others),
                    tracked=sum(1 for _ in records.every_record()),
                    allow=allow,
                    again=repeat_with(context, "--allow-adopted"),
                ),
                *adoption_notes(made.changes),
            )
            if guarded
            else ()
        ),
        *(stored_secret_guards(made.changes, context.environ) if guarded and settings.is_simulator else ()),
        *(ENDPOINT.check_limits(made.changes, limits) if limited else ()),
    )
    made = replace(made, problems=problems)
    return PlanResult(
        plan=made,
        settings=settings,
        inventory=inventory,
        resolution=found,
        claim=claim,
        live=(*live, *chain.from_iterable(other.live for other in others.values())),
        others={kind: other.resolution for kind, other in others.items()},
        read=loaded.read_files,
        is_destroy=goal.is_destroy,
    )


def _plan_others(
    account: AccountReader,
    loaded: LoadedConfig,
    inventory: Inventory,
    selection: Selection,
    goal: Goal,
    *,
    settle: bool,
) -> Mapping[str, KindPlan]:
    """Return the plans of other kinds than endpoints; an imperative command is about endpoints alone."""
    if goal.imperative is not None or not (loaded.others or inventory.others):
        return {}
    return plan_kinds(
        account,
        () if goal.is_destroy else loaded.others,
        inventory,
        selection,
        loaded.settings.keyring,
        settle_seconds=loaded.settings.settle_seconds if settle else 0.0,
        unwanted=goal.delete_reason,
    )


def _concerning(selection: Selection, problems: Iterable[Problem]) -> Iterator[Problem]:
    """Yield the problems, without errors about endpoints that are not selected."""
    for problem in problems:
        about = (problem.address or "").removeprefix(address(""))
        if not (problem.is_error and about and not selection.has(about)):
            yield problem


def _partial(selection: Selection, made: Plan, declared: int) -> Sequence[Problem]:
    """Return a note if options excluded declared endpoints."""
    seen = sum(hasattr(change, "desired") for change in made.changes)
    if not (selection.targets or selection.excludes) or seen == declared:
        return ()
    return (
        Problem(
            code="partial",
            severity=Severity.NOTE,
            summary=f"only {seen} of {declared} declared endpoints were compared (--target, --exclude)",
        ),
    )


def _without(plan: Plan, names: Collection[str]) -> Plan:
    """Return the plan without these endpoints, which a person must settle first."""
    if not names:
        return plan
    addresses = {address(name) for name in names}
    return replace(
        plan,
        changes=tuple(change for change in plan.changes if change.name not in names),
        problems=tuple(problem for problem in plan.problems if problem.address not in addresses),
    )


def _as_destroyed(inventory: Inventory, desired: Iterable[Desired]) -> Inventory:
    """Return the inventory for a destroy: declarations protect as well, and imperative endpoints count."""
    protected = {one.name: one.lifecycle.prevent_destroy for one in desired}
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
