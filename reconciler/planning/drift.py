"""What moved away from what was last applied, whatever the YAML says today."""

from __future__ import annotations

from reconciler.kinds.endpoint.ownership import kept, sides
from reconciler.model.plan import Cause, Drift, FieldChange
from reconciler.model.resource import Desired, Live, Tracked
from reconciler.model.values import Fields, Keyring, Sealed, Secret, Value
from reconciler.planning.conceal import conceal
from reconciler.planning.diff import differences, equal


def drifted(tracked: Tracked, live: Live, keyring: Keyring, desired: Desired | None = None) -> Drift | None:
    """The fields of a live endpoint that differ from the record; None when none does.

    A value applied as a secret is compared by fingerprint; under another key it is taken as unmoved,
    because nobody can say.
    """
    ignore = desired.lifecycle.ignore if desired else ()
    seen = conceal(live, desired.fields if desired else None, tracked.applied)
    last = kept(tracked.applied, {}, ignore)
    if not last:
        return None
    want, have = sides(last, None, _fingerprinted(seen.fields, last, keyring), ())
    want = {key: value for key, value in want.items() if key in last}
    have = {key: value for key, value in have.items() if key in last}
    if equal(have, want):
        return None
    fields = tuple(
        FieldChange(
            path=path,
            before=after,
            after=before,
            cause=Cause.DRIFT,
            sensitive=isinstance(before, Sealed | Secret) or isinstance(after, Sealed | Secret),
        )
        for path, before, after in differences(have, want)
        if not any(path[: len(ignored)] == ignored for ignored in ignore)
    )
    return Drift(name=tracked.name, tracked=tracked, live=seen, fields=fields) if fields else None


def _fingerprinted(live: Fields, applied: Fields, keyring: Keyring) -> Fields:
    """The live fields with a fingerprint wherever the record holds one."""

    def matching(value: Value, last: Value) -> Value:
        if isinstance(last, Sealed) and isinstance(value, str | Secret):
            if last.key_id != keyring.id:
                return last
            return keyring.seal(value.value if isinstance(value, Secret) else value)
        if isinstance(last, dict) and isinstance(value, dict):
            return {key: matching(item, last.get(key)) for key, item in value.items()}
        return value

    return {key: matching(value, applied.get(key)) for key, value in live.items()}
