"""The drift report of a plan, and what `drift revert` applies."""

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
"""Stands for the whole endpoint if it is gone."""


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
    """Return the drift of a plan, each item with its state: new, known or ignored.

    `by_declaration` is true if there is no inventory: the account is then compared with the declarations.
    `has_yaml` is true if there are endpoint files. `known` are the fingerprints of an earlier report.
    """
    active = PatternMap((ignore.endpoint, ignore) for ignore in ignores if not ignore.has_expired(now))
    drift = _against_the_yaml(plan) if by_declaration else _unsettled(plan, has_yaml=has_yaml)

    def item(drift: Drift, path: Path, entries: Sequence[DriftIgnore]) -> DriftItem:
        mark = fingerprint(drift, path, keyring)
        ignore = next((entry for entry in entries if entry.matches(path)), None)
        state = DriftState.IGNORED if ignore else DriftState.KNOWN if mark in known else DriftState.NEW
        field = next((field for field in drift.fields if field.path == path), None)
        return DriftItem(field=field, fingerprint=mark, state=state, ignore=ignore)

    return DriftReport(
        alarms=tuple(
            Alarm(drift=drifted, items=tuple(item(drifted, path, entries) for path in _paths(drifted)))
            for drifted in drift
            for entries in (active.matching(drifted.name),)
        ),
        by_declaration=by_declaration,
    )


def fingerprint(drift: Drift, path: Path, keyring: Keyring) -> str:
    """Return 64 hex digits for a field and its live value, keyed because the value may be secret.

    They depend on nothing but the live value, so that a change of the YAML or the inventory keeps them.
    """
    live: Value | Absent = value_at(drift.live.fields, path) if drift.live else ABSENT
    values: list[Json] = [] if live is ABSENT else [reveal(live)]
    return keyring.seal(canonical([drift.id or drift.name, list(path), values]).decode()).mac


def expired_ignores(ignores: Sequence[DriftIgnore], now: datetime) -> Iterator[Problem]:
    """Yield a note for each entry of `drift.ignore` that has expired."""
    for ignore in ignores:
        if ignore.has_expired(now):
            what = f"`{ignore.endpoint}`" + (f" {ignore.shown}" if ignore.shown else "")
            yield Problem(
                code="ignore-expired",
                severity=Severity.NOTE,
                summary=f"the drift.ignore entry about {what} has expired and has no effect",
                hint="remove it, or give it another `until`",
                place=ignore.place,
            )


def _paths(drift: Drift) -> tuple[Path, ...]:
    return tuple(field.path for field in drift.fields) if drift.live else (WHOLE,)


def _unsettled(plan: Plan, *, has_yaml: bool) -> Iterator[Drift]:
    """Yield the drift that is not declared by now; of the rest, only the record is behind."""
    for drift in plan.drift:
        if drift.live is None:
            # an endpoint that is neither live nor declared is as desired
            if drift.declared is not None or not has_yaml:
                yield drift
            continue
        if fields := tuple(field for field in drift.fields if not field.is_settled):
            yield replace(drift, fields=fields)


def _against_the_yaml(plan: Plan) -> Iterator[Drift]:
    """Yield what differs from the declarations, because nothing records what was applied."""
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
        if field.cause in (Cause.CONFIG, Cause.FOLLOWS):
            fields = with_path_from(fields, change.live.fields, field.path)
    return replace(desired, fields=fields)
