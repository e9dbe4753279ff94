"""What moved in the account since the last apply, and the plan that brings it back. Reads only."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from reconciler.config.loader import Loaded
from reconciler.inventory.files import read_regular_file
from reconciler.inventory.session import inventory_exists
from reconciler.inventory.session import load as load_inventory
from reconciler.model.command import command_line
from reconciler.model.drift import Alarm, DriftReport
from reconciler.model.errors import InvalidConfig
from reconciler.model.problem import ExitCode, Problem, Severity
from reconciler.model.resource import Inventory, address
from reconciler.model.secrets import Keyring, iter_seals
from reconciler.planning.drift.alarm import expired, judge
from reconciler.planning.drift.revert import restored
from reconciler.planning.selection import Selection
from reconciler.workflow.plan import Goal, PlanResult, load_config, load_declared_names, planned
from reconciler.workflow.runtime.account import prefetched_account
from reconciler.workflow.runtime.context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class Drifted:
    """What is pending, what moved, and what is said about it."""

    planned: PlanResult
    verdict: DriftReport
    problems: tuple[Problem, ...]

    @property
    def exit_code(self) -> ExitCode:
        """2 for drift; an error that keeps anybody from telling comes first."""
        if self.planned.blocked is not None:
            return self.planned.blocked
        return ExitCode.CHANGES if self.verdict.has_new_drift else ExitCode.OK


def drift(context: Context, *, now: datetime, baseline: Path | None = None) -> Drifted:
    """Hold the account against what was last applied, or where there is no inventory against the YAML.

    References may be unset. `baseline` is a document that an
    earlier run wrote; what it tells of is known. Raises ReconcilerError when nobody can tell.
    """
    with prefetched_account(context) as context:
        loaded = load_config(context, lenient=True, may_lack_endpoints=True)
        known, problems = _known(context, baseline)
        by_declaration = not inventory_exists(context.state_path)
        if not by_declaration:
            # an unset reference keeps nobody from telling: what was applied is known by its fingerprint
            loaded = replace(
                loaded, problems=tuple(p for p in loaded.problems if p.code != "unset-reference")
            )
        inventory = load_inventory(context.state_path)
        made = planned(context, loaded, inventory, guarded=False)
    ignores = loaded.settings.drift_ignore
    verdict = judge(
        made.plan,
        by_declaration=by_declaration,
        has_yaml=loaded.found_endpoint_file,
        ignores=ignores,
        known=known,
        now=now,
        keyring=made.keyring,
    )
    return Drifted(
        planned=made,
        verdict=verdict,
        problems=(*problems, *expired(ignores, now), *_sealed_elsewhere(inventory, made.keyring)),
    )


def revert_goal(context: Context, names: Collection[str], *, now: datetime) -> tuple[Context, Goal]:
    """The run and the goal of `drift revert`: what moved is undone, what the YAML alone changed waits.

    Without names, all that an alarm rings for. Raises InvalidConfig for a name that did not drift, or that is
    no longer declared.
    """
    found = drift(context, now=now)
    wanted = frozenset(alarm.drift.name for alarm in chosen(found.verdict, names))
    declared = {one.name for one in load_declared_names(context).desired}
    if orphans := sorted(wanted - declared):
        raise InvalidConfig(*map(undeclared, orphans))
    context = replace(context, selection=Selection(names=wanted))
    return context, _restoring(found.planned, wanted)


def chosen(verdict: DriftReport, names: Collection[str]) -> tuple[Alarm, ...]:
    """The alarms about these endpoints, or without names all that ring.

    Raises InvalidConfig for a name that did not drift.
    """
    drifted = {alarm.drift.name for alarm in verdict.alarms}
    if strangers := [name for name in names if name not in drifted]:
        raise InvalidConfig(*map(_steady, strangers))
    return tuple(
        alarm for alarm in verdict.alarms if (alarm.drift.name in names if names else alarm.has_new_drift)
    )


def restoring(context: Context, names: Collection[str]) -> Goal:
    """The goal of a `drift revert` that was begun, as the account is now."""
    loaded = load_config(context)
    return _restoring(planned(context, loaded, load_inventory(context.state_path), guarded=False), names)


def _restoring(seen: PlanResult, names: Collection[str]) -> Goal:
    """Leave what the YAML alone has changed as it was seen in the account."""
    changes = {change.name: change for change in seen.plan.changes}

    def load(context: Context) -> Loaded:
        loaded = load_config(context)
        desired = tuple(
            restored(one, changes[one.name]) if one.name in changes else one for one in loaded.desired
        )
        return replace(loaded, desired=desired)

    return Goal(load=load, restoring=tuple(sorted(names)))


def _known(context: Context, baseline: Path | None) -> tuple[frozenset[str], tuple[Problem, ...]]:
    """The fingerprints in a baseline; none and a note where there is no such file yet."""
    if baseline is None:
        return frozenset(), ()
    try:
        document = json.loads(read_regular_file(context.root / baseline, follow=True))
        return frozenset(_fingerprints(document["resource_drift"])), ()
    except FileNotFoundError:
        note = Problem(
            code="no-baseline",
            severity=Severity.NOTE,
            summary=f"there is no baseline {baseline} yet: all drift is new",
            hint=f"{_writing(baseline)}   writes one",
        )
        return frozenset(), (note,)
    except OSError as error:
        why = f"cannot read the baseline {baseline}: {error.strerror or error}"
        raise InvalidConfig(Problem(code="bad-baseline", summary=why)) from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InvalidConfig(
            Problem(
                code="bad-baseline",
                summary=f"the baseline {baseline} is no drift document",
                hint=f"write one with: {_writing(baseline)}",
            )
        ) from error


def _writing(baseline: Path) -> str:
    return command_line("reconciler", "drift", "--json-into", str(baseline))


def _fingerprints(drifts: Any) -> Iterator[str]:
    for one in drifts:
        for thing in (one, *one["fields"]):
            if isinstance(thing.get("fingerprint"), str):
                yield thing["fingerprint"]


def _sealed_elsewhere(inventory: Inventory, keyring: Keyring) -> Iterator[Problem]:
    """A warning where secrets were applied under another key: of them drift cannot be told."""
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
            summary=f"the secrets of {shown} were applied under another key; whether they moved is unknown",
            hint="set RECONCILER_STATE_KEY to the same value wherever reconciler runs, and apply once",
        )


def _steady(name: str) -> Problem:
    return Problem(
        code="not-drifted",
        summary=f"`{name}` has not drifted",
        hint="see what has with: reconciler drift",
        address=address(name),
    )


def undeclared(name: str) -> Problem:
    """An endpoint of which the YAML says nothing, or nothing any more."""
    return Problem(
        code="not-declared",
        summary=f"`{name}` is no longer declared",
        hint="declare it again, or let the next apply delete or forget it",
        address=address(name),
    )
