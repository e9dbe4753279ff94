"""Who moved a field: the YAML, the account, or both, judged by what was last applied."""

from __future__ import annotations

from reconciler.kinds.base import Kind
from reconciler.kinds.registry import ENDPOINT
from reconciler.model.plan import Cause
from reconciler.model.secrets import Keyring, Sealed, Secret, iter_seals, reveal
from reconciler.model.values import ABSENT, Absent, Fields, Path, Value, value_at


def cause(
    path: Path,
    before: Value | Absent,
    after: Value | Absent,
    applied: Fields,
    keyring: Keyring,
    kind: Kind = ENDPOINT,
) -> Cause:
    """The cause of a difference between live (`before`) and desired (`after`).

    `unknown` when the value applied was a secret fingerprinted under another key.
    """
    last = value_at(applied, path)
    if last is ABSENT and not _was_absent(path, applied, kind):
        # not emitted last time, so nothing is known of what it was
        return Cause.CONFIG
    if _foreign(last, keyring):
        return Cause.UNKNOWN
    last = _unblanked(last, path, kind)
    ours = not same(last, _unblanked(after, path, kind), keyring, path)
    theirs = not same(last, _unblanked(before, path, kind), keyring, path)
    match ours, theirs:
        case True, True:
            return Cause.BOTH
        case False, True:
            return Cause.DRIFT
        case _:
            return Cause.CONFIG


def same(last: Value | Absent, value: Value | Absent, keyring: Keyring, path: Path) -> bool:
    """Whether a value means what was applied; a map matches when it agrees on what was applied of it."""
    match last, value:
        case Sealed(), Secret():
            return keyring.matches(last, value.value, path)
        case Sealed(), str():
            return keyring.matches(last, value, path)
        case dict(), dict():
            return all(
                same(item, value.get(key, ABSENT), keyring, (*path, key)) for key, item in last.items()
            )
        case list(), list() if len(last) == len(value):
            return all(
                same(mine, theirs, keyring, (*path, str(number)))
                for number, (mine, theirs) in enumerate(zip(last, value, strict=True))
            )
        case _, Secret():
            return bool(last == value.value)
        case _:
            return bool(last == value)


def agree(one: Value | Absent, other: Value | Absent, path: Path, kind: Kind = ENDPOINT) -> bool:
    """Whether two known values of a field mean the same, secrets compared by value."""
    return bool(reveal(_unblanked(one, path, kind)) == reveal(_unblanked(other, path, kind)))


def _was_absent(path: Path, applied: Fields, kind: Kind) -> bool:
    """Whether it is known that there was no such key: the map of keys was applied as a whole."""
    return path[0] in kind.table.keyed and path[0] in applied and value_at(applied, path[:2]) is ABSENT


def _foreign(last: Value | Absent, keyring: Keyring) -> bool:
    return not all(map(keyring.can_verify, iter_seals(last)))


def _unblanked(value: Value | Absent, path: Path, kind: Kind) -> Value | Absent:
    """ABSENT for what means the same; the empty string is a value in `envs` alone."""
    return ABSENT if value is not ABSENT and kind.table.is_blank(path, value) else value
