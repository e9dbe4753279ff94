"""What moved away from what was last applied, whatever the YAML says today."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.kinds.endpoint.ownership import emitted, sides
from reconciler.model.plan import Cause, Drift, FieldChange
from reconciler.model.resource import Desired, Live, Tracked
from reconciler.model.values import Fields, Keyring, Sealed, Secret, Value
from reconciler.planning.conceal import conceal
from reconciler.planning.diff import differences, equal


def drifted(
    tracked: Tracked, live: Live | None, keyring: Keyring, desired: Desired | None = None
) -> Iterator[Drift]:
    """That the endpoint is gone, or those of its fields that differ from the record; nothing if none does.

    A value applied as a secret is compared by fingerprint; under another key it is taken as unmoved,
    because nobody can say.
    """
    if live is None:
        yield Drift(name=tracked.name, tracked=tracked, live=None)
        return
    ignore = desired.lifecycle.ignore if desired else ()
    seen = conceal(live, desired.fields if desired else None, tracked.applied)
    last = emitted(tracked.applied, ignore)
    want, have = sides(last, None, _fingerprinted(seen.fields, last, keyring), ())
    if equal(have, want):
        return
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
    if fields:
        yield Drift(name=tracked.name, tracked=tracked, live=seen, fields=fields)


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
