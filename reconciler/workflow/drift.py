"""`reconciler drift` and `drift revert`: changes since the last apply, and the goal that undoes them."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reconciler.config.loader import LoadedConfig
from reconciler.config.references.resolver import UnsetReference
from reconciler.inventory.files import read_regular_file
from reconciler.inventory.session import load as load_inventory
from reconciler.inventory.snapshot import read_snapshot
from reconciler.kinds.registry import KINDS, address_of, split_address
from reconciler.model.command import command_line
from reconciler.model.drift import Alarm, DriftIgnore, DriftReport
from reconciler.model.errors import InvalidConfig
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import ExitCode, Problem, Severity
from reconciler.model.resource import Desired, Inventory, key_of
from reconciler.model.secrets import Keyring, iter_seals
from reconciler.model.settings import Settings
from reconciler.model.text import closest_match
from reconciler.planning.drift import expired_ignores, report_drift, without_config_changes
from reconciler.planning.selection import Selection
from reconciler.workflow.plan import Goal, PlanResult, planned
from reconciler.workflow.runtime.config import load_config, load_declared_names
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.runtime.overdue import begin_balance, release_warnings

if TYPE_CHECKING:
    from reconciler.workflow.images.check import ImageCheck


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftResult:
    """The drift of the account, with the configuration, the pending plan and problems."""

    loaded: LoadedConfig
    planned: PlanResult
    drift_report: DriftReport
    problems: tuple[Problem, ...]

    @property
    def exit_code(self) -> ExitCode:
        """Return 2 for drift; an error that prevented the comparison takes precedence."""
        if self.planned.blocked is not None:
            return self.planned.blocked
        return ExitCode.CHANGES if self.drift_report.has_new_drift else ExitCode.OK


def drift(
    context: Context, *, now: datetime, baseline: Path | None = None, images: ImageCheck | None = None
) -> DriftResult:
    """Compare the account with the last applied configuration, or with the YAML if there is no inventory.

    References may be unset. baseline: the drift report of an earlier run; drift listed in it is not new.
    images: notes tags that have moved, which is no drift.
    Raise ReconcilerError if the account cannot be compared.
    """
    loaded = load_config(context, lenient=True, needs_endpoints=False)
    if images is not None:
        images.begin(context, loaded)
    known_fingerprints, problems = _read_baseline(context, baseline)
    snapshot = read_snapshot(context.store, loaded.declared_fields)
    inventory, by_declaration = snapshot.inventory(), not snapshot.content.exists
    if not by_declaration:
        # an unset reference does not matter: the applied value is compared by its fingerprint
        loaded = replace(
            loaded,
            problems=tuple(problem for problem in loaded.problems if not isinstance(problem, UnsetReference)),
        )
    begin_balance(context, inventory)
    current = planned(context, loaded, inventory, guarded=False)
    current = _without_refusals(images.checked(current) if images else current)
    drift_report = report_drift(
        current.plan,
        by_declaration=by_declaration,
        has_yaml=loaded.has_endpoint_files,
        ignores=ignores_of(context, loaded.settings),
        known=known_fingerprints,
        now=now,
        keyring=current.keyring,
    )
    return DriftResult(
        loaded=loaded,
        planned=current,
        drift_report=drift_report,
        problems=(
            *problems,
            *expired_ignores(loaded.settings.drift_ignore, now),
            *_sealed_with_other_key(inventory, current.keyring),
            *release_warnings(context, loaded.settings, inventory),
        ),
    )


def ignores_of(context: Context, settings: Settings) -> tuple[DriftIgnore, ...]:
    """Return the entries of `drift.ignore`, also with the names that the environment gives to endpoints."""
    ignores = settings.drift_ignore
    if not context.names.changes_names:
        return ignores
    return (*ignores, *(replace(one, endpoint=context.names.rendered(one.endpoint)) for one in ignores))


def _without_refusals(current: PlanResult) -> PlanResult:
    """Return the plan without the errors of changes that a kind refuses: nothing is changed here."""

    def is_refusal(problem: Problem) -> bool:
        kind, _ = split_address(problem.address or "")
        return problem.code in KINDS[kind].refusal_codes

    problems = tuple(problem for problem in current.plan.problems if not is_refusal(problem))
    return replace(current, plan=replace(current.plan, problems=problems))


def revert_goal(context: Context, names: Collection[str], *, now: datetime) -> tuple[Context, Goal]:
    """Return the context and the goal of `drift revert`. Changes of the YAML are not part of it.

    Without names it is about all new drift. Raise InvalidConfig for a name that did not drift, or that is no
    longer declared.
    """
    result = drift(context, now=now)
    selected = frozenset(alarm.drift.key for alarm in select_alarms(result.drift_report, names))
    loaded = load_declared_names(context)
    declared = {key_of(one.name, one.kind) for one in (*loaded.desired, *loaded.others)}
    if undeclared := sorted(selected - declared):
        raise InvalidConfig(*map(not_declared, undeclared))
    return replace(context, selection=Selection(names=selected)), _revert_goal(result.planned, selected)


def select_alarms(drift_report: DriftReport, names: Collection[str]) -> tuple[Alarm, ...]:
    """Return the alarms about these endpoints; without names, the alarms for new drift.

    Raise InvalidConfig for a name that did not drift.
    """
    drifted, chosen = {alarm.drift.key for alarm in drift_report.alarms}, frozenset(names)
    if others := [name for name in names if name not in drifted]:
        raise InvalidConfig(*(_not_drifted(name, drifted) for name in others))
    return tuple(
        alarm
        for alarm in drift_report.alarms
        if (alarm.drift.key in chosen if names else alarm.has_new_drift)
    )


def resumed_revert_goal(context: Context, names: Collection[str]) -> Goal:
    """Return the goal of an interrupted `drift revert`, for the account as it is now."""
    loaded = load_config(context)
    return _revert_goal(planned(context, loaded, load_inventory(context.store), guarded=False), names)


def _revert_goal(current: PlanResult, names: Collection[str]) -> Goal:
    """Return the goal that undoes drift, and leaves fields that only the YAML changed as they are live."""
    changes = {change.key: change for change in current.plan.changes}

    def reverted(desired: Desired) -> Desired:
        change = changes.get(key_of(desired.name, desired.kind))
        return without_config_changes(desired, change) if change else desired

    def load(context: Context) -> LoadedConfig:
        loaded = load_config(context)
        return replace(
            loaded,
            desired=tuple(map(reverted, loaded.desired)),
            others=tuple(map(reverted, loaded.others)),
        )

    return Goal(load=load, revert_names=tuple(sorted(names)))


def _read_baseline(context: Context, baseline: Path | None) -> tuple[frozenset[str], tuple[Problem, ...]]:
    """Return the fingerprints of a baseline; none, and a note, if the file does not exist yet."""
    if baseline is None:
        return frozenset(), ()
    try:
        document = json.loads(read_regular_file(context.root / baseline, follow=True))
        return frozenset(_fingerprints(document["resource_drift"])), ()
    except FileNotFoundError:
        note = Problem(
            code="no-baseline",
            severity=Severity.NOTE,
            summary=f"the baseline {baseline} does not exist yet: all drift is new",
            hint=f"{_baseline_command(baseline)}   writes it",
        )
        return frozenset(), (note,)
    except OSError as error:
        why = f"cannot read the baseline {baseline}: {error.strerror or error}"
        raise InvalidConfig(Problem(code="bad-baseline", summary=why)) from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InvalidConfig(
            Problem(
                code="bad-baseline",
                summary=f"the baseline {baseline} is not a drift report in JSON",
                hint=f"write one with: {_baseline_command(baseline)}",
            )
        ) from error


def _baseline_command(baseline: Path) -> str:
    return command_line("reconciler", "drift", "--json-into", str(baseline))


def _fingerprints(drifts: Any) -> Iterator[str]:
    for drifted in drifts:
        for entry in (drifted, *drifted["fields"]):
            if isinstance(entry.get("fingerprint"), str):
                yield entry["fingerprint"]


def _sealed_with_other_key(inventory: Inventory, keyring: Keyring) -> Iterator[Problem]:
    """Yield a warning if the fingerprints of secrets were made with another key and cannot be compared."""
    names = [
        record.name
        for record in inventory.records.values()
        if not all(map(keyring.can_verify, iter_seals(record.applied)))
    ]
    if names:
        shown = ", ".join(f"`{name}`" for name in sorted(names)[:3]) + (", ..." if len(names) > 3 else "")
        yield Problem(
            code="sealed-under-another-key",
            severity=Severity.WARNING,
            summary=f"the secrets of {shown} were applied with another key; drift of them cannot be detected",
            hint="set RECONCILER_STATE_KEY to the same value wherever reconciler runs, then apply once",
        )


def _not_drifted(name: str, drifted: Collection[str]) -> Problem:
    close = closest_match(name, drifted)
    return Problem(
        code="not-drifted",
        summary=f"`{name}` has not drifted",
        hint=f"did you mean `{close}`?" if close else "reconciler drift   lists the drift",
        address=address_of(name),
    )


def not_declared(name: str) -> Problem:
    """Return an error for an endpoint that the YAML does not declare any more."""
    return Problem(
        code="not-declared",
        summary=f"`{name}` is no longer declared",
        hint="declare it again, or let the next apply delete or forget it",
        address=address_of(name),
    )
