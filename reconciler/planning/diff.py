"""Two trees in, the paths that differ out. The only place that knows deepdiff."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from reconciler.kinds.base import Kind
from reconciler.kinds.registry import ENDPOINT
from reconciler.model.secrets import Sealed, Secret
from reconciler.model.values import ABSENT, SCALAR_TYPES, Absent, Fields, Path, Value, value_at

_SINGLE: Final = SCALAR_TYPES | {Absent}


def differences(
    have: Fields, want: Fields, kind: Kind = ENDPOINT
) -> Iterator[tuple[Path, Value | Absent, Value | Absent]]:
    """(path, before, after) for every difference, in the order of the wire and then of keys.

    Lists are compared whole, and so is a map that only one side has. The values are those of the two trees,
    secrets still wrapped.
    """
    if have == want:
        return
    left, right = narrowed(have, want)
    paths = scalar_differences(left, right)
    if paths is None:
        paths = tree_differences(left, right)
    for path in sorted(paths, key=kind.table.rank):
        yield path, value_at(have, path), value_at(want, path)


def scalar_differences(left: Fields, right: Fields, above: Path = ()) -> set[Path] | None:
    """The paths of two trees that differ everywhere, if in single words alone; else None.

    Most changes are such, and deepdiff takes 0.12 ms for each and 73 ms to import.
    """
    paths: set[Path] = set()
    for key in {**left, **right}:
        path = (*above, key)
        mine, theirs = left.get(key, ABSENT), right.get(key, ABSENT)
        if isinstance(mine, dict) and isinstance(theirs, dict):
            below = scalar_differences(mine, theirs, path)
            if below is None:
                return None
            paths |= below
        elif mine.__class__ in _SINGLE and theirs.__class__ in _SINGLE:
            paths.add(path)
        else:
            return None
    return paths


def tree_differences(left: Fields, right: Fields) -> set[Path]:
    """The paths at which two trees differ, whatever they hold."""
    one, other = _comparable(left), _comparable(right)
    if one == other:
        return set()
    from deepdiff import DeepDiff

    found = DeepDiff(
        one,
        other,
        view="tree",
        threshold_to_diff_deeper=0,
        ignore_private_variables=False,  # to deepdiff, an env key such as `__TOKEN` is one
    )
    return {_path(level) for levels in found.values() for level in levels}


def narrowed(have: Fields, want: Fields) -> tuple[Fields, Fields]:
    """The two trees without the branches in which they are equal."""
    left: dict[str, Any] = {}
    right: dict[str, Any] = {}
    for key in {**have, **want}:
        mine, theirs = have.get(key, ABSENT), want.get(key, ABSENT)
        if mine is theirs or mine == theirs:
            continue
        if isinstance(mine, dict) and isinstance(theirs, dict):
            mine, theirs = narrowed(mine, theirs)
        if mine is not ABSENT:
            left[key] = mine
        if theirs is not ABSENT:
            right[key] = theirs
    return left, right


def _path(level: Any) -> Path:
    segments: list[str] = []
    for segment in level.path(output_format="list"):
        if isinstance(segment, int):
            break
        segments.append(segment)
    return tuple(segments)


def _comparable(value: Value) -> Any:
    match value:
        case dict() | Mapping():
            return {key: _comparable(item) for key, item in value.items()}
        case list() | tuple():
            return [_comparable(item) for item in value]
        case Secret():
            return value.value
        case Sealed():
            return ("sealed", value.key_id, value.mac)
        case _:
            return value


def equal(have: Fields, want: Fields) -> bool:
    """Whether two trees mean the same, secrets compared by value. Cheap enough to ask for every endpoint."""
    if have == want:
        return True
    left, right = map(_comparable, narrowed(have, want))
    return bool(left == right)
