"""What moved away from what was last applied, whatever the YAML says today."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.kinds.endpoint.comparison import emitted, sides
from reconciler.model.plan import Cause, Drift, FieldChange
from reconciler.model.resource import Desired, Live, Tracked
from reconciler.model.secrets import Keyring, Sealed, Secret, iter_seals
from reconciler.model.values import ABSENT, Absent, Fields, Path, Value, is_plain_data, leaves, value_at
from reconciler.planning.diff import differences
from reconciler.planning.drift.attribution import agree, cause
from reconciler.planning.redaction import conceal


def drifted(
    tracked: Tracked, live: Live | None, keyring: Keyring, desired: Desired | None = None
) -> Iterator[Drift]:
    """That the endpoint is gone, or those of its fields that differ from the record; nothing if none does.

    A field that the YAML moved as well has the cause `both`. A value applied as a secret is compared by
    fingerprint. Under another key nobody can say whether it moved: the cause is `unknown` where it is not
    what the YAML says today, and elsewhere it counts as unmoved.
    """
    declared = desired.fields if desired else None
    if live is None:
        yield Drift(name=tracked.name, id=tracked.id, before=tracked.applied, live=None, declared=declared)
        return
    ignore, unset = (desired.lifecycle.ignore, desired.unset) if desired else ((), ())
    seen = conceal(live, declared, tracked.applied)
    last = emitted(tracked.applied, ignore)
    is_sealed = not is_plain_data(last)
    there = _fingerprinted(seen.fields, last, keyring) if is_sealed else seen.fields
    want, have = sides(last, None, there, (), live.unread)
    fields = [
        FieldChange(
            path=path,
            before=after,
            after=before,
            cause=Cause.DRIFT if path in unset else _cause(path, seen, declared, last, keyring),
            sensitive=_is_hidden(before) or _is_hidden(after),
        )
        for path, before, after in differences(have, want)
        if not any(path[: len(ignored)] == ignored for ignored in ignore)
    ]
    if is_sealed:
        fields += (field for field in _unknown(last, seen, declared, keyring) if field.path not in unset)
    if fields:
        yield Drift(
            name=tracked.name,
            id=live.id,
            before=tracked.applied,
            live=seen,
            fields=tuple(fields),
            declared=declared,
            unset=unset,
        )


def _cause(path: Path, live: Live, declared: Fields | None, last: Fields, keyring: Keyring) -> Cause:
    """Drift, or both where the YAML has moved the field as well."""
    if declared is None:
        return Cause.DRIFT
    found = cause(path, value_at(live.fields, path), value_at(declared, path), last, keyring)
    return Cause.BOTH if found is Cause.BOTH else Cause.DRIFT


def _unknown(last: Fields, live: Live, declared: Fields | None, keyring: Keyring) -> Iterator[FieldChange]:
    """The secrets applied under another key that are not what the YAML says."""
    for path, sealed in leaves(last) if declared is not None else ():
        if all(map(keyring.can_verify, iter_seals(sealed))):
            continue
        now = value_at(live.fields, path)
        if not agree(now, value_at(declared, path), path):
            yield FieldChange(path=path, before=sealed, after=now, cause=Cause.UNKNOWN, sensitive=True)


def _is_hidden(value: Value | Absent) -> bool:
    return value is not ABSENT and not is_plain_data(value)


def _fingerprinted(live: Fields, applied: Fields, keyring: Keyring) -> Fields:
    """The live fields with a fingerprint wherever the record holds one."""

    def matching(value: Value, last: Value, path: Path) -> Value:
        if isinstance(last, Sealed) and isinstance(value, str | Secret):
            text = value.value if isinstance(value, Secret) else value
            is_unmoved = not keyring.can_verify(last) or keyring.matches(last, text, path)
            return last if is_unmoved else keyring.seal(text, path)
        if isinstance(last, dict) and isinstance(value, dict):
            return {key: matching(item, last.get(key), (*path, key)) for key, item in value.items()}
        if isinstance(last, list) and isinstance(value, list) and len(last) == len(value):
            return [
                matching(item, was, (*path, str(number)))
                for number, (item, was) in enumerate(zip(value, last, strict=True))
            ]
        return value

    return {key: matching(value, applied.get(key), (key,)) for key, value in live.items()}
