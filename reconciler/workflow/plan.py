"""Files + inventory + account -> PlanResult. Reads everywhere, writes nowhere."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reconciler.config.files.unread import hidden
from reconciler.config.loader import Loaded, load
from reconciler.inventory.session import load as load_inventory
from reconciler.kinds.registry import ENDPOINT
from reconciler.model.errors import InvalidConfig
from reconciler.model.plan import Forget, Plan
from reconciler.model.problem import ExitCode, Problem, Severity
from reconciler.model.resource import Desired, Inventory, Listing, Live, address
from reconciler.model.run_report import RunReport
from reconciler.model.secrets import Keyring
from reconciler.model.settings import Settings
from reconciler.planning.create_first import created_first
from reconciler.planning.drain import drained
from reconciler.planning.fingerprint import plan_digest
from reconciler.planning.guards import agreed, guards, remarks, spared
from reconciler.planning.imperative import Hand, grip, unordered
from reconciler.planning.leases import leased
from reconciler.planning.pending_creates import Resolution, resolve
from reconciler.planning.planner import make_plan
from reconciler.planning.selection import NONE, Selection
from reconciler.workflow.runtime.account import (
    base_url,
    limits_and_missed,
    list_after_settling,
    prefetched_account,
    reader,
    require_api_key,
)
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.runtime.inventory import Claim, claim_inventory, repeat_with
from reconciler.workflow.runtime.simulator_file import stored_secret_guards

if TYPE_CHECKING:
    from reconciler.model.apply_events import ApplyReport


@dataclass(frozen=True, kw_only=True)
class PlanResult:
    """A plan and all that it was made from.

    `inventory` is as it was read, `claim` the run's claim to it, `found` what became of the creates
    that were open in it. `live_ids` are the live IDs of each address, for creates, and `leaving` the app
    names of endpoints on their way out. `read` are the files behind it.
    """

    plan: Plan
    settings: Settings
    inventory: Inventory
    found: Resolution
    claim: Claim
    keyring: Keyring
    base_url: str
    live_ids: Mapping[str, tuple[str, ...]]
    leaving: frozenset[str]
    selection: Selection
    read: tuple[Path, ...] = ()
    destroying: bool = False

    @cached_property
    def digest(self) -> str:
        """What consent is given to; made when somebody asks, for it takes every request of the plan."""
        return plan_digest(self.plan, self.keyring)

    @property
    def blocked(self) -> ExitCode | None:
        """Why it cannot be applied; None when it can. An error before a guard."""
        codes = {problem.exit_code for problem in self.plan.errors}
        for code in (ExitCode.UNRESOLVED, ExitCode.ERROR, ExitCode.GUARD):
            if code in codes:
                return code
        return None

    def with_problems(self, problems: Sequence[Problem]) -> PlanResult:
        """The same plan with more to say about it."""
        return replace(self, plan=replace(self.plan, problems=(*self.plan.problems, *problems)))

    def findings(
        self,
        command: str,
        timestamp: str,
        *,
        exit_code: int = ExitCode.OK,
        report: ApplyReport | None = None,
        refusals: Sequence[Problem] = (),
    ) -> RunReport:
        """What the run found. `refusals` are what the plan was not performed for, or went wrong later."""
        return RunReport(
            command=command,
            timestamp=timestamp,
            exit_code=int(exit_code),
            plan=self.plan,
            keyring=self.keyring,
            problems=(*self.plan.problems, *refusals),
            report=report,
            destroying=self.destroying,
        )


def load_config(context: Context, *, lenient: bool = False, may_lack_endpoints: bool = False) -> Loaded:
    """The configuration without errors in what the run is about.

    Raises InvalidConfig with all problems at once.
    """
    loaded = load(
        context.root,
        context.files,
        environ=context.environ,
        dotenv=context.dotenv,
        lenient=lenient,
        concerns=context.selection.has,
    )
    if context.on_call is not None:  # every detail is wanted
        loaded = replace(loaded, problems=(*loaded.problems, *hidden(loaded.hidden)))
    problems = [
        problem for problem in loaded.problems if not (may_lack_endpoints and problem.code == "no-endpoints")
    ]
    if any(problem.is_error for problem in problems):
        raise InvalidConfig(*problems)
    return loaded


def load_declared_names(context: Context) -> Loaded:
    """The configuration of a run that makes nothing: what is declared needs neither references nor specs."""
    return load_config(replace(context, selection=NONE), may_lack_endpoints=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What a run works towards: what is declared, nothing at all, or something in between.

    `load` reads the files anew each time, so that a second look under the lock is a true one. `back_to` is
    the name and the version of a rollback, `restoring` the endpoints of a `drift revert`, `hand` what
    is done to one endpoint beside the YAML.
    """

    load: Callable[[Context], Loaded]
    destroying: bool = False
    back_to: tuple[str, int] | None = None
    restoring: tuple[str, ...] = ()
    hand: Hand | None = None

    @property
    def why_unwanted(self) -> str:
        """Why a recorded endpoint is deleted that is not among what `load` says."""
        if self.hand is not None:
            return "delete was asked for"
        return "destroy was asked for" if self.destroying else "no longer declared"


DECLARED: Final = Goal(load=load_config)
NOTHING: Final = Goal(load=load_declared_names, destroying=True)
"""Delete what the inventory records, and nothing else."""


def plan(context: Context, goal: Goal = DECLARED) -> PlanResult:
    """What `apply` would do now. Raises ReconcilerError when that cannot be told."""
    with prefetched_account(context) as context:
        loaded = goal.load(context)
        return planned(context, loaded, load_inventory(context.state_path), goal)


def planned(
    context: Context,
    loaded: Loaded,
    inventory: Inventory,
    goal: Goal = DECLARED,
    *,
    settle: bool = False,
    guarded: bool = True,
    listed: Listing | None = None,
) -> PlanResult:
    """Plan against the account as it is now.

    With `settle` a create whose answer was lost is given its settling time before it counts as not done.
    Where nobody means to apply it, a plan need not be `guarded`, nor held against the account's limits.
    `listed` is the account where it was listed already.
    """
    settings = loaded.settings
    require_api_key(settings)
    allow = replace(
        context.allow,
        adopt=context.allow.adopt or settings.adopt,
        adopted=context.allow.adopted or goal.hand is not None,
        destroying=goal.destroying,
    )
    with reader(context, settings) as account:
        listed = listed or list_after_settling(account, inventory, settings.settle_seconds if settle else 0.0)
        live = listed.endpoints
        found = resolve(inventory, live, settings.keyring)
        records, grips = grip(goal.hand, found.of(inventory), live)
        desired, leases = leased(loaded.desired, records, live, context.now(), context.selection)
        if goal.destroying:
            records, desired, leases = _as_destroyed(records, loaded.desired), (), ()
        made = _without(
            make_plan(
                desired,
                records,
                live,
                settings.keyring,
                context.selection,
                unwanted=goal.why_unwanted,
                released=frozenset(one.name for one in loaded.removed if not one.destroy),
                unidentified=listed.unidentified,
            ),
            {
                *found.unresolved,
                *([goal.hand.name] if goal.hand and any(one.is_error for one in grips) else []),
            },
        )
        changes, left_out = spared(made.changes) if allow.no_delete else (made.changes, ())
        changes, notes = created_first(changes) if allow.create_first else (changes, ())
        changes = drained(changes) if allow.drain else changes
        changes = agreed(changes) if allow.adopt else changes
        made = replace(made, changes=changes, unmanaged=() if goal.hand else made.unmanaged)
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
        by_files=goal.hand is None,
        is_whole=not (context.selection.is_part or goal.back_to or goal.restoring),
        forgets=any(isinstance(change, Forget) and not change.live_name for change in made.changes),
        is_empty=context.selection.is_everything and not made.pending,
        guarded=guarded,
    )
    problems = (
        *(problem for problem in loaded.problems if problem.code != "no-endpoints"),
        *claim.problems,
        *_concerning(context.selection, found.problems),
        *grips,
        *leases,
        *_concerning(context.selection, made.problems),
        *unordered(changes),
        *left_out,
        *notes,
        *_partial(context.selection, made, len(desired)),
        *(
            (
                *guards(
                    made.changes,
                    declared=len(desired),
                    tracked=len(records.records),
                    allow=allow,
                    again=repeat_with(context, "--allow-adopted"),
                ),
                *remarks(made.changes),
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
        found=found,
        claim=claim,
        keyring=settings.keyring,
        base_url=base_url(settings),
        live_ids=_ids_by_address(live),
        leaving=frozenset(str(one.fields.get("appName")) for one in live if one.is_terminating),
        selection=context.selection,
        read=loaded.read,
        destroying=goal.destroying,
    )


def _concerning(selection: Selection, problems: Iterable[Problem]) -> Iterator[Problem]:
    """The problems without the errors of endpoints that the run is not about."""
    for problem in problems:
        about = (problem.address or "").removeprefix(address(""))
        if not (problem.is_error and about and not selection.has(about)):
            yield problem


def _partial(selection: Selection, made: Plan, declared: int) -> Sequence[Problem]:
    """A note that the rest was not looked at, where somebody chose."""
    seen = sum(hasattr(change, "desired") for change in made.changes)
    if not (selection.targets or selection.excludes) or seen == declared:
        return ()
    return (
        Problem(
            code="partial",
            severity=Severity.NOTE,
            summary=f"only {seen} of {declared} declared endpoints were looked at (--target, --exclude)",
        ),
    )


def _without(plan: Plan, names: Collection[str]) -> Plan:
    """The plan without the endpoints that a person must settle first."""
    if not names:
        return plan
    addresses = {address(name) for name in names}
    return replace(
        plan,
        changes=tuple(change for change in plan.changes if change.name not in names),
        problems=tuple(problem for problem in plan.problems if problem.address not in addresses),
    )


def _as_destroyed(inventory: Inventory, desired: Iterable[Desired]) -> Inventory:
    """The inventory with what is protected by record or by declaration, and nothing exempt as imperative."""
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


def _ids_by_address(live: Iterable[Live]) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for one in live:
        found.setdefault(address(one.name, one.kind), []).append(one.id)
    return {name: tuple(ids) for name, ids in found.items()}
