"""What of a plan's drift is worth an alarm: not what is settled, ignored for now, or known already."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import datetime
from typing import Final

from reconciler.kinds.registry import KINDS
from reconciler.model.drift import Alarm, DriftIgnore, DriftItem, DriftReport, DriftState
from reconciler.model.plan import Adopt, Cause, Change, Create, Drift, Plan, Replace, Scale, Update
from reconciler.model.problem import Problem, Severity
from reconciler.model.resource import Desired
from reconciler.model.secrets import Keyring, canonical, reveal
from reconciler.model.text import PatternMap
from reconciler.model.values import ABSENT, Absent, Json, Path, Value, value_at, with_path_from

WHOLE: Final[Path] = ()
"""Stands for the endpoint itself where it is gone."""


def report_drift(
    plan: Plan,
    *,
    by_declaration: bool,
    has_yaml: bool,
    ignores: Sequence[DriftIgnore],
    known: AbstractSet[str],
    now: datetime,
    keyring: Keyring,
) -> DriftReport:
    """Return the report on what moved.

    `by_declaration` says that there is no inventory, so that what is declared is the measure; `has_yaml` that
    there is YAML at all; `known` are the fingerprints that an earlier run told of.
    """
    counting = PatternMap((one.endpoint, one) for one in ignores if not one.has_expired(now))
    drift = _against_the_yaml(plan) if by_declaration else _unsettled(plan, has_yaml=has_yaml)

    def moved(one: Drift, path: Path, about: Sequence[DriftIgnore]) -> DriftItem:
        found = fingerprint(one, path, keyring)
        ignore = next((entry for entry in about if entry.matches(path)), None)
        standing = DriftState.IGNORED if ignore else DriftState.KNOWN if found in known else DriftState.NEW
        field = next((field for field in one.fields if field.path == path), None)
        return DriftItem(field=field, fingerprint=found, state=standing, ignore=ignore)

    return DriftReport(
        alarms=tuple(
            Alarm(drift=one, items=tuple(moved(one, path, about) for path in _paths(one)))
            for one in drift
            for about in (counting.matching(one.name),)
        ),
        by_declaration=by_declaration,
    )


def fingerprint(drift: Drift, path: Path, keyring: Keyring) -> str:
    """64 hex digits for one thing that moved and what it moved to; keyed, for it may be a secret.

    The same for as long as the account says the same, whatever becomes of the YAML and the inventory.
    """
    now: Value | Absent = value_at(drift.live.fields, path) if drift.live else ABSENT
    there: list[Json] = [] if now is ABSENT else [reveal(now)]
    return keyring.seal(canonical([drift.id or drift.name, list(path), there]).decode()).mac


def expired(ignores: Sequence[DriftIgnore], now: datetime) -> Iterator[Problem]:
    """A note for each entry whose time is over: it silences nothing any more."""
    for one in ignores:
        if one.has_expired(now):
            what = f"`{one.endpoint}`" + (f" {one.shown}" if one.shown else "")
            yield Problem(
                code="ignore-expired",
                severity=Severity.NOTE,
                summary=f"the drift.ignore entry about {what} is over, and silences nothing any more",
                hint="remove it, or give it another `until`",
                place=one.place,
            )


def _paths(drift: Drift) -> tuple[Path, ...]:
    return tuple(field.path for field in drift.fields) if drift.live else (WHOLE,)


def _unsettled(plan: Plan, *, has_yaml: bool) -> Iterator[Drift]:
    """What moved and is not what the YAML says by now: that would be a matter of the record alone."""
    for one in plan.drift:
        if one.live is None:
            # that an endpoint is gone which is no longer declared is what is wanted
            if one.declared is not None or not has_yaml:
                yield one
            continue
        if fields := tuple(field for field in one.fields if not field.is_settled):
            yield replace(one, fields=fields)


def _against_the_yaml(plan: Plan) -> Iterator[Drift]:
    """What is not as declared, where nothing tells what was applied."""
    for change in plan.changes:
        match change:
            case Create(desired=desired):
                yield Drift(name=change.name, id="", before=desired.fields, live=None)
            case Adopt(desired=desired, live=live, fields=fields) if fields:
                yield Drift(
                    name=change.name,
                    id=live.id,
                    before=KINDS[desired.kind].emitted(desired.fields, desired.lifecycle.ignore),
                    live=live,
                    fields=tuple(
                        replace(field, before=field.after, after=field.before, cause=Cause.DRIFT)
                        for field in fields
                    ),
                )
            case _:
                pass


def without_config_changes(desired: Desired, change: Change) -> Desired:
    """Return what `drift revert` applies: the declaration, with live values where only it changed.

    Such a live value is the one applied last, so that the record stays correct.
    """
    if not isinstance(change, Update | Scale | Replace):
        return desired
    fields = desired.fields
    for field in change.fields:
        if field.cause is Cause.CONFIG:
            fields = with_path_from(fields, change.live.fields, field.path)
    return replace(desired, fields=fields)
