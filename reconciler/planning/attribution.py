"""The cause of a change: the YAML, the account, or both, as compared with what was last applied."""

from __future__ import annotations

from reconciler.kinds.base import Kind
from reconciler.kinds.registry import ENDPOINT
from reconciler.model.plan import Cause
from reconciler.model.secrets import Keyring, Sealed, Secret, iter_seals, reveal
from reconciler.model.values import ABSENT, Absent, Fields, Path, Value, value_at


def cause_of(
    path: Path,
    before: Value | Absent,
    after: Value | Absent,
    applied: Fields,
    keyring: Keyring,
    kind: Kind = ENDPOINT,
) -> Cause:
    """Return the cause of a difference between live (`before`) and desired (`after`).

    It is `unknown` if the applied value is a secret sealed under another key.
    """
    last = value_at(applied, path)
    if last is ABSENT and not _was_absent(path, applied, kind):
        # not applied last time, so that its earlier value is not known
        return Cause.CONFIG
    if not all(map(keyring.can_verify, iter_seals(last))):
        return Cause.UNKNOWN
    last = _unblanked(last, path, kind)
    is_declared_anew = not matches_applied(last, _unblanked(after, path, kind), keyring, path)
    has_drifted = not matches_applied(last, _unblanked(before, path, kind), keyring, path)
    match is_declared_anew, has_drifted:
        case True, True:
            return Cause.BOTH
        case False, True:
            return Cause.DRIFT
        case _:
            return Cause.CONFIG


def matches_applied(last: Value | Absent, value: Value | Absent, keyring: Keyring, path: Path) -> bool:
    """Return whether a value equals the applied one. A map may have additional keys."""
    match last, value:
        case Sealed(), Secret():
            return keyring.matches(last, value.value, path)
        case Sealed(), str():
            return keyring.matches(last, value, path)
        case dict(), dict():
            return all(
                matches_applied(item, value.get(key, ABSENT), keyring, (*path, key))
                for key, item in last.items()
            )
        case list(), list() if len(last) == len(value):
            return all(
                matches_applied(applied, current, keyring, (*path, str(number)))
                for number, (applied, current) in enumerate(zip(last, value, strict=True))
            )
        case _, Secret():
            return bool(last == value.value)
        case _:
            return bool(last == value)


def agree(one: Value | Absent, other: Value | Absent, path: Path, kind: Kind = ENDPOINT) -> bool:
    """Return whether two known values of a field mean the same, with secrets compared by value."""
    return bool(reveal(_unblanked(one, path, kind)) == reveal(_unblanked(other, path, kind)))


def _was_absent(path: Path, applied: Fields, kind: Kind) -> bool:
    """Return whether the key is known to have been absent, because its map was applied as a whole."""
    return path[0] in kind.table.keyed and path[0] in applied and value_at(applied, path[:2]) is ABSENT


def _unblanked(value: Value | Absent, path: Path, kind: Kind) -> Value | Absent:
    """Return ABSENT for a value that means the same as none."""
    return ABSENT if value is not ABSENT and kind.table.is_blank(path, value) else value
