"""The comparison of one endpoint as declared, as recorded and as live.

It is made once. The plan, the drift report and all that is said about either read its result.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field
from typing import Final

from reconciler.kinds.base import Kind
from reconciler.kinds.registry import KINDS
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.plan import Cause, Drift, FieldChange
from reconciler.model.resource import Desired, Live, Tracked
from reconciler.model.secrets import Keyring, Sealed, Secret, iter_seals
from reconciler.model.values import (
    ABSENT,
    SCALAR_TYPES,
    Absent,
    Fields,
    Path,
    Value,
    is_below,
    is_plain_data,
    leaves,
    value_at,
)
from reconciler.planning.attribution import agree, cause_of
from reconciler.planning.diff import differences, equal
from reconciler.planning.matching import MatchedEndpoint
from reconciler.planning.records import is_current
from reconciler.planning.sync.schedules import is_declared_as_before


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The differences between the three sides of one endpoint.

    `fields` lead from live to declared, each with its cause; they are all that is declared if the endpoint
    is not live. A write is made from `target`: the declared fields, with the live value of ignored ones.
    `drift` leads from the record to live; it is None if nothing has moved. `is_stale` is true if only the
    record is behind, `only_scales` if no field but worker counts changes.
    """

    fields: tuple[FieldChange, ...] = ()
    target: Fields = field(default_factory=dict)
    drift: Drift | None = None
    is_stale: bool = False
    only_scales: bool = False

    @property
    def immutable_paths(self) -> tuple[Path, ...]:
        """Return the changed fields that only a replacement can change."""
        return tuple(change.path for change in self.fields if change.forces_replacement)

    @property
    def causes(self) -> frozenset[Cause]:
        """Return the causes of all changes."""
        return frozenset(change.cause for change in self.fields)


UNCHANGED: Final = Comparison()
"""The endpoint is live as declared, and recorded so."""


def compare(endpoint: MatchedEndpoint, keyring: Keyring) -> Comparison:
    """Compare those sides of an endpoint that are there."""
    desired, record = endpoint.desired, endpoint.record
    kind = KINDS[endpoint.kind]
    fields, target = _changes(kind, desired, record, endpoint.live, keyring) if desired else ((), {})
    is_stale = False
    if desired and record and not fields:
        is_stale = not is_current(record, desired, keyring)
        if not is_stale:
            return UNCHANGED
    return Comparison(
        fields=fields,
        target=target,
        drift=_drift(kind, endpoint, keyring),
        is_stale=is_stale,
        only_scales=all(change.path in kind.table.scaling for change in fields),
    )


def declares_live_value(desired: Desired, live: Live, path: Path) -> bool:
    """Return whether a field is declared with its live value; false if the declared one is not known."""
    if path in desired.unset:
        return False
    return agree(value_at(live.fields, path), value_at(desired.fields, path), path, KINDS[live.kind])


def differs_from_live(desired: Desired, live: Live) -> bool:
    """Return whether a live endpoint has other values than `desired`; ignored fields do not count."""
    ignored = (*desired.lifecycle.ignore, *desired.unset)
    want, have = KINDS[desired.kind].sides(desired.fields, None, live.fields, ignored, live.unread)
    return not equal(have, want)


def _changes(
    kind: Kind, desired: Desired, record: Tracked | None, live: Live | None, keyring: Keyring
) -> tuple[tuple[FieldChange, ...], Fields]:
    """Return the changes from live to declared, and the fields that a write is made from."""
    if live is None:
        return tuple(_created_fields(kind, desired)), desired.fields
    if kind.is_verbatim(desired.fields, live.fields):
        return (), desired.fields
    applied = record.applied if record else None
    ignored = (*desired.lifecycle.ignore, *desired.unset, *desired.kept)
    # fields that a partial declaration does not mention are kept, and not removed
    want, have = kind.sides(
        desired.fields, None if desired.is_partial else applied, live.fields, ignored, live.unread
    )
    fields = tuple(
        FieldChange(
            path=path,
            before=before,
            after=after,
            cause=_cause_of_change(kind, desired, record, path, before, after, keyring),
            forces_replacement=kind.replaces(path),
            sensitive=_is_secret(before) or _is_secret(after),
            kind=kind.type,
        )
        for path, before, after in differences(have, want, kind)
    )
    if record is not None and any(change.forces_replacement for change in fields):
        return fields, kind.replacement(want, live.fields, desired.lifecycle.ignore)
    return fields, want


def _created_fields(kind: Kind, desired: Desired) -> Iterator[FieldChange]:
    cause, rank = Cause.ROLLBACK if desired.restores else Cause.CONFIG, kind.table.rank
    for path, after in sorted(leaves(kind.created_fields(desired)), key=lambda leaf: rank(leaf[0])):
        is_secret = after.__class__ not in SCALAR_TYPES and _is_secret(after)
        yield FieldChange(
            path=path, before=ABSENT, after=after, cause=cause, sensitive=is_secret, kind=kind.type
        )


def _cause_of_change(
    kind: Kind,
    desired: Desired,
    record: Tracked | None,
    path: Path,
    before: Value | Absent,
    after: Value | Absent,
    keyring: Keyring,
) -> Cause:
    if desired.restores:
        return Cause.ROLLBACK
    if desired.is_partial:
        return Cause.IMPERATIVE
    if before in desired.former_ids:
        return Cause.FOLLOWS
    if record is None:
        return Cause.ADOPT
    cause = cause_of(path, before, after, record.applied, keyring, kind)
    is_due = (
        cause is not Cause.DRIFT and path in kind.table.scaling and is_declared_as_before(desired, record)
    )
    return Cause.TIME if is_due else cause


def _drift(kind: Kind, endpoint: MatchedEndpoint, keyring: Keyring) -> Drift | None:
    """Return the changes from the record to live, or that the recorded endpoint is gone.

    A value applied as a secret is compared by its fingerprint. If that was made under another key, the value
    counts as unchanged, unless another one is declared: then the cause is `unknown`.
    """
    desired = None if endpoint.desired and endpoint.desired.is_partial else endpoint.desired
    declared = desired.fields if desired else None
    if endpoint.gone is not None:
        gone = endpoint.gone
        return Drift(
            name=gone.name, id=gone.id, before=gone.applied, live=None, declared=declared, kind=gone.kind
        )
    record, live = endpoint.record, endpoint.live
    if record is None or live is None:
        return None
    ignored = desired.lifecycle.ignore if desired else ()
    last = kind.emitted(record.applied, ignored)
    has_seals = not is_plain_data(last)
    want, have = kind.sides(
        last, None, _sealed_like(last, live.fields, keyring) if has_seals else live.fields, (), live.unread
    )
    moved = [
        (path, before, after, _cause_of_drift(kind, desired, live, last, path, keyring))
        for path, after, before in differences(have, want, kind)
        if not any(is_below(path, prefix) for prefix in ignored)
    ]
    if has_seals and desired is not None:
        moved += _unknown(desired, live, last, keyring)
    if not moved:
        return None
    return Drift(
        name=record.name,
        id=live.id,
        before=record.applied,
        live=live,
        declared=declared,
        kind=record.kind,
        fields=tuple(
            FieldChange(
                path=path,
                before=before,
                after=after,
                cause=moved_by,
                sensitive=_is_secret(before) or _is_secret(after),
                is_settled=desired is not None and declares_live_value(desired, live, path),
                kind=kind.type,
            )
            for path, before, after, moved_by in moved
        ),
    )


def _cause_of_drift(
    kind: Kind, desired: Desired | None, live: Live, last: Fields, path: Path, keyring: Keyring
) -> Cause:
    """Return `drift`, or `both` if the declared value has changed as well."""
    if desired is None or path in desired.unset:
        return Cause.DRIFT
    cause = cause_of(path, value_at(live.fields, path), value_at(desired.fields, path), last, keyring, kind)
    return Cause.BOTH if cause is Cause.BOTH else Cause.DRIFT


def _unknown(
    desired: Desired, live: Live, last: Fields, keyring: Keyring
) -> Iterator[tuple[Path, Value, Value | Absent, Cause]]:
    """Yield the secrets sealed under another key whose live value is not the declared one."""
    for path, sealed in leaves(last):
        is_known = all(map(keyring.can_verify, iter_seals(sealed)))
        if not (is_known or path in desired.unset or declares_live_value(desired, live, path)):
            yield path, sealed, value_at(live.fields, path), Cause.UNKNOWN


def _sealed_like(applied: Fields, live: Fields, keyring: Keyring) -> Fields:
    """Return the live fields with a fingerprint in each place where the record has one."""

    def sealed(value: Value, last: Value, path: Path) -> Value:
        if isinstance(last, Sealed) and isinstance(value, str | Secret):
            text = value.value if isinstance(value, Secret) else value
            is_unchanged = not keyring.can_verify(last) or keyring.matches(last, text, path)
            return last if is_unchanged else keyring.seal(text, path)
        if isinstance(last, dict) and isinstance(value, dict):
            return {key: sealed(item, last.get(key), (*path, key)) for key, item in value.items()}
        if isinstance(last, list) and isinstance(value, list) and len(last) == len(value):
            return [
                sealed(item, was, (*path, str(number)))
                for number, (item, was) in enumerate(zip(value, last, strict=True))
            ]
        return value

    return {key: sealed(value, applied.get(key), (key,)) for key, value in live.items()}


def _is_secret(value: Value | Absent) -> bool:
    return value is not ABSENT and not is_plain_data(value)
