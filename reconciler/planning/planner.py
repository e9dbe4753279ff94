"""Desired x tracked x live -> Plan. The whole of it is this table:

desired  tracked  live                    change
no       no       yes                     none; listed as unmanaged, never touched
no       yes      no                      forget
no       yes      yes, under that name    delete        (under another name, or released: forget)
yes      no       no                      create
yes      no       one of that name        adopt         (two: an error with both IDs)
yes      yes      no                      create, or adopt a newcomer of that name
yes      yes      yes, by its ID          by fields: none -> no-op; an immutable one -> replace;
                                          only worker counts -> scale; else update
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from reconciler.kinds.endpoint.comparison import is_to_the_letter, replacement, sides
from reconciler.kinds.endpoint.fields import REPLACING, SCALING, rank
from reconciler.model.plan import (
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
from reconciler.model.resource import Desired, Inventory, Live, Tracked
from reconciler.model.secrets import Keyring
from reconciler.model.values import ABSENT, Absent, Fields, Path, Value, is_plain_data, leaves
from reconciler.planning.create_first import app_names_taken
from reconciler.planning.diff import differences
from reconciler.planning.drift.attribution import cause
from reconciler.planning.drift.detection import drifted
from reconciler.planning.matching import Join, ambiguous, contradictions
from reconciler.planning.records import is_current
from reconciler.planning.redaction import conceal
from reconciler.planning.renames import make_room, names_of
from reconciler.planning.selection import EVERYTHING, Selection
from reconciler.planning.unreadable import unidentifiable, unread_by


def make_plan(
    desired: Sequence[Desired],
    inventory: Inventory,
    live: Iterable[Live],
    keyring: Keyring,
    selection: Selection = EVERYTHING,
    *,
    unwanted: str = "no longer declared",
    released: Collection[str] = (),
    unidentified: Iterable[Live] = (),
) -> Plan:
    """The plan that brings `live` to `desired`; `live` must be the whole account.

    Its problems are those of the join and of what cannot be read; guards and limits are asked separately.
    `unwanted` says why a recorded endpoint is to go; those `released` are only forgotten. `unidentified` are
    live endpoints without a readable ID.
    """
    join = Join.of(desired, inventory, live)
    changes: list[Change] = []
    problems = [
        *selection.unmatched([*(one.name for one in desired), *inventory.records]),
        *join.renames.problems,
        *contradictions(desired, inventory),
    ]
    drift: list[Drift] = []
    claimed: set[str] = set()
    used: set[str] = set()
    nameless = {one.name for one in unidentified if one.is_named}

    for one in desired:
        tracked = join.record_of(one)
        ours = join.by_id.get(tracked.id) if tracked else None
        strangers = () if ours else join.strangers(one)
        used.update({tracked.name, one.name} if tracked else ())
        claimed.update(candidate.id for candidate in (ours, *strangers) if candidate)
        if not selection.has(one.name):
            continue
        if tracked and ours:
            change = _compared(one, tracked, ours, keyring)
            changes.append(change)
            if not isinstance(change, NoOp) or change.is_stale:
                drift += drifted(tracked, ours, keyring, None if one.partial else one)
            problems += join.namesakes(one, ours)
            continue
        if tracked:
            drift += drifted(tracked, None, keyring, one)
        if len(strangers) > 1:
            problems.append(ambiguous(one, strangers))
        elif not strangers and one.name in nameless:
            problems.append(unidentifiable(one))
        else:
            changes.append(
                _adopted(one, strangers[0], keyring, tracked) if strangers else _created(one, tracked)
            )

    for name, tracked in inventory.records.items():
        if name in used:
            continue
        if tracked.origin == "imperative":
            if selection.has(name):
                drift += drifted(tracked, join.by_id.get(tracked.id), keyring)
            continue
        there = join.by_id.get(tracked.id)
        is_released = there is not None and not names_of(tracked).isdisjoint(released)
        removed = _released(tracked) if is_released else _undeclared(tracked, there, unwanted)
        if isinstance(removed, Delete):
            claimed.add(tracked.id)
        if selection.has(name):
            changes.append(removed)
            drift += drifted(tracked, join.by_id.get(tracked.id), keyring)

    problems += app_names_taken(changes, join.by_id.values())
    unread = [(change, problem) for change in changes if (problem := unread_by(change))]
    withheld = {change.name for change, problem in unread if problem.is_error}
    kept, notes = make_room([one for one in changes if one.name not in withheld])
    return Plan(
        changes=tuple(sorted(kept, key=lambda change: change.name)),
        problems=(*problems, *notes, *(problem for _, problem in unread)),
        drift=tuple(sorted(drift, key=lambda one: one.name)),
        unmanaged=tuple(
            conceal(one)
            for one in sorted(join.by_id.values(), key=lambda one: (one.name, one.id))
            if one.id not in claimed
        ),
    )


def _created(desired: Desired, gone: Tracked | None) -> Create:
    return Create(
        name=desired.name,
        reason=f"recorded as {gone.id}, which is gone" if gone else "does not exist yet",
        desired=desired,
        fields=tuple(_fields_of_create(desired)),
        gone=gone,
    )


def _fields_of_create(desired: Desired) -> Iterator[FieldChange]:
    for path, after in sorted(
        leaves({"appName": desired.app_name, **desired.fields}), key=lambda leaf: rank(leaf[0])
    ):
        yield FieldChange(
            path=path, before=ABSENT, after=after, cause=Cause.CONFIG, sensitive=_is_secret(after)
        )


def _adopted(desired: Desired, live: Live, keyring: Keyring, gone: Tracked | None) -> Adopt:
    fields, target, seen = _compare(desired, None, live, keyring)
    return Adopt(
        name=desired.name,
        reason="overwrites what others made" if fields else "already as declared; recorded by its name",
        desired=desired,
        target=target,
        live=seen,
        fields=fields,
        gone=gone,
    )


def _compared(desired: Desired, tracked: Tracked, live: Live, keyring: Keyring) -> Change:
    if is_to_the_letter(desired.fields, live.fields):
        return _unchanged(desired, tracked, conceal(live, desired.fields, tracked.applied), keyring)
    fields, want, seen = _compare(desired, tracked, live, keyring)
    if not fields:
        return _unchanged(desired, tracked, seen, keyring)
    common: dict[str, Any] = {
        "name": desired.name,
        "fields": fields,
        "desired": desired,
        "live": seen,
        "tracked": tracked,
    }
    if any(change.forces_replacement for change in fields):
        fixed = ", ".join(".".join(change.path) for change in fields if change.forces_replacement)
        target = replacement(want, seen.fields, desired.lifecycle.ignore)
        return Replace(reason=f"cannot be changed in place: {fixed}", target=target, **common)
    if all(change.path in SCALING for change in fields):
        return Scale(reason="only the worker counts differ", target=want, **common)
    return Update(reason=_why(fields), target=want, **common)


def _unchanged(desired: Desired, tracked: Tracked, seen: Live, keyring: Keyring) -> NoOp:
    return NoOp(
        name=desired.name,
        reason="as declared",
        desired=desired,
        live=seen,
        tracked=tracked,
        is_stale=not is_current(tracked, desired, keyring),
    )


def _why(fields: Sequence[FieldChange]) -> str:
    causes = {change.cause for change in fields}
    if causes == {Cause.IMPERATIVE}:
        return "by hand"
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
    ignore = (*desired.lifecycle.ignore, *desired.unset)
    # what a partial one does not mention is not dropped
    want, have = sides(desired.fields, None if desired.partial else applied, seen.fields, ignore, live.unread)
    fields = tuple(
        FieldChange(
            path=path,
            before=before,
            after=after,
            cause=_who(desired, path, before, after, applied, keyring),
            forces_replacement=path[:1] in REPLACING or path in REPLACING,
            sensitive=_sensitive(before, after),
        )
        for path, before, after in differences(have, want)
    )
    return fields, want, seen


def _who(
    desired: Desired,
    path: Path,
    before: Value | Absent,
    after: Value | Absent,
    applied: Fields | None,
    keyring: Keyring,
) -> Cause:
    if desired.partial:
        return Cause.IMPERATIVE
    return Cause.ADOPT if applied is None else cause(path, before, after, applied, keyring)


def _sensitive(*values: object) -> bool:
    return any(map(_is_secret, values))


def _is_secret(value: object) -> bool:
    return value is not ABSENT and not is_plain_data(value)


def _released(tracked: Tracked) -> Forget:
    return Forget(name=tracked.name, reason="removed with `destroy: false`", tracked=tracked)


def _undeclared(tracked: Tracked, live: Live | None, why: str) -> Delete | Forget:
    if live is None:
        return Forget(name=tracked.name, reason=f"{tracked.id} is gone already", tracked=tracked)
    if live.is_named and not tracked.may_have_name(live.name):
        reason = f"{tracked.id} is called `{live.name}` now; it is no longer ours to delete"
        return Forget(name=tracked.name, reason=reason, tracked=tracked, live_name=live.name)
    return Delete(name=tracked.name, reason=why, live=conceal(live, None, tracked.applied), tracked=tracked)
