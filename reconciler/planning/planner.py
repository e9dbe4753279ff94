"""Desired x tracked x live -> Plan. The whole of it is this table:

    desired  tracked  live                    change
    no       no       yes                     none; listed as unmanaged, never touched
    no       yes      no                      forget
    no       yes      yes, under that name    delete        (under another name: forget)
    yes      no       no                      create
    yes      no       one of that name        adopt         (two: an error with both IDs)
    yes      yes      no                      create, or adopt a newcomer of that name
    yes      yes      yes                     by fields: none -> no-op; an immutable one -> replace;
                                              only worker counts -> scale; else update

Tracked joins live by ID. Endpoints on their way out count as gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reconciler.kinds.endpoint.ownership import emitted, kept, sides
from reconciler.kinds.endpoint.paths import REPLACING, SCALING
from reconciler.model.plan import (
    ABSENT,
    Adopt,
    Cause,
    Change,
    Create,
    Delete,
    Drift,
    FieldChange,
    Forget,
    NoOp,
    Plan,
    Replace,
    Scale,
    Update,
)
from reconciler.model.problem import Problem, Severity
from reconciler.model.resource import Desired, Inventory, Live, Tracked, address
from reconciler.model.values import Fields, Keyring, Sealed, Secret, seal
from reconciler.planning.attribute import cause
from reconciler.planning.conceal import conceal
from reconciler.planning.diff import differences, equal, leaves
from reconciler.planning.drift import drifted
from reconciler.planning.selection import EVERYTHING, Selection


def make_plan(
    desired: Sequence[Desired],
    inventory: Inventory,
    live: Iterable[Live],
    keyring: Keyring,
    selection: Selection = EVERYTHING,
) -> Plan:
    """The plan that brings `live` to `desired`; `live` must be the whole account.

    Its problems are those of the join alone; guards and limits are asked separately.
    """
    world = _World.of(live, inventory)
    changes: list[Change] = []
    problems: list[Problem] = list(selection.unmatched([d.name for d in desired] + list(inventory.records)))
    drift: list[Drift] = []
    claimed: set[str] = set()
    declared = {one.name for one in desired}
    renamed: set[str] = set()

    for one in desired:
        tracked = _record_of(one, inventory, declared)
        if tracked is not None and tracked.name != one.name:
            renamed.add(tracked.name)
        found = world.by_id.get(tracked.id) if tracked else None
        if tracked is not None and found is not None:
            claimed.add(found.id)
            change = _compared(one, tracked, found, keyring)
            settled = isinstance(change, NoOp) and not change.is_stale
            if not settled and selection.has(one.name) and (moved := drifted(tracked, found, keyring, one)):
                drift.append(moved)
            problems += world.namesakes(one, found)
        else:
            if tracked is not None and selection.has(one.name):
                drift.append(Drift(name=tracked.name, tracked=tracked, live=None))
            strangers = world.strangers(one)
            claimed.update(stranger.id for stranger in strangers)
            if len(strangers) > 1:
                problems.append(_ambiguous(one, strangers))
                continue
            change = _adopted(one, strangers[0], keyring) if strangers else _created(one, tracked)
        if selection.has(one.name):
            changes.append(change)

    for tracked in inventory.records.values():
        if tracked.name in declared or tracked.name in renamed or tracked.origin == "imperative":
            continue
        change, found = _undeclared(tracked, world)
        if isinstance(change, Delete):
            claimed.add(change.live.id)
        if selection.has(tracked.name):
            changes.append(change)
            if found is None:
                drift.append(Drift(name=tracked.name, tracked=tracked, live=None))

    return Plan(
        changes=tuple(sorted(changes, key=lambda change: change.name)),
        problems=tuple(problems),
        drift=tuple(sorted(drift, key=lambda one: one.name)),
        unmanaged=tuple(
            conceal(one)
            for one in sorted(world.by_id.values(), key=lambda one: (one.name, one.id))
            if one.id not in claimed
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _World:
    """The live endpoints, found by ID and by name; `tracked_ids` belong to records."""

    by_id: Mapping[str, Live]
    by_name: Mapping[str, Sequence[Live]] = field(default_factory=dict)
    tracked_ids: frozenset[str] = frozenset()

    @classmethod
    def of(cls, live: Iterable[Live], inventory: Inventory) -> _World:
        by_id = {one.id: one for one in live if not one.is_going}
        by_name: dict[str, list[Live]] = {}
        for one in by_id.values():
            by_name.setdefault(one.name, []).append(one)
        ids = frozenset(tracked.id for tracked in inventory.records.values())
        return cls(by_id=by_id, by_name=by_name, tracked_ids=ids)

    def strangers(self, desired: Desired) -> list[Live]:
        """Live endpoints of that name, or of the name it had, that no record claims."""
        for name in (desired.name, desired.renamed_from):
            found = [one for one in self.by_name.get(name or "", ()) if one.id not in self.tracked_ids]
            if found:
                return found
        return []

    def namesakes(self, desired: Desired, ours: Live) -> Iterator[Problem]:
        """A warning for other live endpoints of a name whose recorded ID is alive."""
        others = [one.id for one in self.by_name.get(desired.name, ()) if one.id != ours.id]
        if others:
            yield Problem(
                code="namesake",
                severity=Severity.WARNING,
                summary=f"`{desired.name}` is {ours.id}; another live endpoint has the same name: "
                + ", ".join(sorted(others)),
                hint="it is left alone and may bill; delete it in the console if nobody needs it",
                address=address(desired.name),
                place=desired.place,
            )


def _record_of(desired: Desired, inventory: Inventory, declared: set[str]) -> Tracked | None:
    found = inventory.records.get(desired.name)
    old = desired.renamed_from
    if found is None and old is not None and old not in declared:
        found = inventory.records.get(old)
    return found


def _created(desired: Desired, tracked: Tracked | None) -> Create:
    reason = "not there yet" if tracked is None else f"recorded as {tracked.id}, which is gone"
    return Create(name=desired.name, reason=reason, desired=desired, fields=tuple(_fields_of_create(desired)))


def _fields_of_create(desired: Desired) -> Iterator[FieldChange]:
    for path, after in leaves({"appName": desired.app_name, **desired.fields}):
        yield FieldChange(
            path=path, before=ABSENT, after=after, cause=Cause.CONFIG, sensitive=_sensitive(after)
        )


def _adopted(desired: Desired, live: Live, keyring: Keyring) -> Adopt:
    fields, target, seen = _compare(desired, None, live, keyring)
    reason = "overwrites what others made" if fields else "already as declared; recorded as ours"
    return Adopt(name=desired.name, reason=reason, desired=desired, target=target, live=seen, fields=fields)


def _compared(desired: Desired, tracked: Tracked, live: Live, keyring: Keyring) -> Change:
    fields, target, seen = _compare(desired, tracked, live, keyring)
    if not fields:
        lasting = seal(emitted(desired.fields, desired.lifecycle.ignore), keyring)
        stale = (
            lasting != tracked.applied
            or tracked.name != desired.name
            or tracked.prevent_destroy != desired.lifecycle.prevent_destroy
        )
        return NoOp(
            name=desired.name,
            reason="as declared",
            desired=desired,
            live=seen,
            tracked=tracked,
            is_stale=stale,
        )
    common: dict[str, Any] = {
        "name": desired.name,
        "fields": fields,
        "desired": desired,
        "live": seen,
        "tracked": tracked,
    }
    if any(change.forces_replacement for change in fields):
        fixed = ", ".join(".".join(change.path) for change in fields if change.forces_replacement)
        target = kept(desired.fields, live.fields, desired.lifecycle.ignore)
        return Replace(reason=f"cannot be changed in place: {fixed}", target=target, **common)
    if all(change.path in SCALING for change in fields):
        return Scale(reason="only the worker counts differ", target=target, **common)
    return Update(reason=_why(fields), target=target, **common)


def _why(fields: Sequence[FieldChange]) -> str:
    causes = {change.cause for change in fields}
    if causes == {Cause.DRIFT}:
        return "changed outside of reconciler"
    if causes == {Cause.CONFIG}:
        return "changed in the YAML"
    return "differs from what is declared"


def _compare(
    desired: Desired, tracked: Tracked | None, live: Live, keyring: Keyring
) -> tuple[tuple[FieldChange, ...], Fields, Live]:
    """(what differs, what a write is made from, the live endpoint as it may be shown)."""
    applied = tracked.applied if tracked else None
    seen = conceal(live, desired.fields, applied)
    want, have = sides(desired.fields, applied, seen.fields, desired.lifecycle.ignore)
    if equal(have, want):
        return (), want, seen
    fields = tuple(
        FieldChange(
            path=path,
            before=before,
            after=after,
            cause=Cause.ADOPT if applied is None else cause(path, before, after, applied, keyring),
            forces_replacement=path[:1] in REPLACING or path in REPLACING,
            sensitive=_sensitive(before, after),
        )
        for path, before, after in differences(have, want)
    )
    return fields, want, seen


def _sensitive(*values: object) -> bool:
    return any(isinstance(value, Secret | Sealed) for value in values)


def _undeclared(tracked: Tracked, world: _World) -> tuple[Delete | Forget, Live | None]:
    live = world.by_id.get(tracked.id)
    if live is None:
        return Forget(name=tracked.name, reason=f"{tracked.id} is gone already", tracked=tracked), None
    if live.name != tracked.name:
        reason = f"{tracked.id} is called `{live.name}` now; it is no longer ours to delete"
        return Forget(name=tracked.name, reason=reason, tracked=tracked), live
    hidden = conceal(live, None, None)
    return Delete(name=tracked.name, reason="no longer declared", live=hidden, tracked=tracked), live


def _ambiguous(desired: Desired, strangers: Sequence[Live]) -> Problem:
    ids = ", ".join(sorted(one.id for one in strangers))
    return Problem(
        code="ambiguous-name",
        summary=f"{len(strangers)} live endpoints are called `{strangers[0].name}`: {ids}",
        detail="The inventory does not say which is meant, and a guess could overwrite the wrong one.",
        hint="delete or rename all but one in the console, then plan again",
        address=address(desired.name),
        place=desired.place,
    )
