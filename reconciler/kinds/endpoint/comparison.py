"""Which fields count: those we emit now, and those we emitted last time and have removed since.

What the server fills in is nobody's business here, and what it does not report cannot have changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from reconciler.kinds.endpoint.fields import CUDA, KEYED, OPTIONAL, is_any_cuda
from reconciler.model.trees import with_path_from
from reconciler.model.values import Fields, Path


def sides(
    desired: Fields,
    applied: Fields | None,
    live: Fields,
    ignore: Iterable[Path],
    unread: Iterable[Path] = (),
) -> tuple[Fields, Fields]:
    """(want, have): two trees of the same owned paths, equal exactly when nothing is to be done.

    `want` holds the live value of every ignored path, so that ignoring is a matter of what is wanted and
    not of what is reported; it is also what an update is made from. What is `unread` of the live side counts
    as wanted: nobody can tell that it differs.
    """
    want = owned(desired, applied)
    have = reported(live, want)
    for path in unread:
        have = with_path_from(have, want, path)
    for path in ignore:
        want = with_path_from(want, have, path)
    return want, have


def owned(desired: Fields, applied: Fields | None) -> dict[str, Any]:
    """The fields we answer for, with "" for an optional one that was dropped from the YAML."""
    want = dict(desired)
    for path in OPTIONAL:
        head, leaf = path
        inner = want.get(head)
        if not isinstance(inner, dict) or _is_set(inner.get(leaf), path):
            continue
        emitted_before = _is_set((applied or {}).get(head, {}).get(leaf), path)
        declared_empty = leaf in inner and path != CUDA
        if emitted_before or declared_empty:
            want[head] = {**inner, leaf: ""}
        elif leaf in inner:
            want[head] = {key: value for key, value in inner.items() if key != leaf}
    return want


def reported(live: Fields, want: Fields) -> dict[str, Any]:
    """The live side of `want`: same paths, and for keyed maps all keys that are live.

    What is not reported at all is taken to be as wanted; an optional field that is missing from an object
    that is reported has no value.
    """
    have: dict[str, Any] = {}
    for key, value in want.items():
        if live.get(key) == value:
            have[key] = value
        elif key == "volumeMounts":
            have[key] = {
                path: {k: mount.get(k, "" if k == "id" else v) for k, v in value[path].items()}
                if path in value
                else mount
                for path, mount in live.get(key, {}).items()
            }
        elif key in KEYED:
            have[key] = live.get(key, {})
        elif isinstance(value, dict | Mapping) and key in live:
            have[key] = {
                leaf: live[key].get(leaf, "" if (key, leaf) in OPTIONAL else inner)
                for leaf, inner in value.items()
            }
        else:
            have[key] = live.get(key, value)
    return have


def is_to_the_letter(want: Fields, live: Fields) -> bool:
    """Whether all that is wanted is live just as it is written: then `sides` are equal, and nobody need ask.

    An optional field that was dropped from the YAML is not live either, or its object would differ.
    """
    return want.items() <= live.items()


def replacement(want: Fields, live: Fields, ignore: Iterable[Path]) -> Fields:
    """What an endpoint in the place of `live` is made from: `want`, and all that is live and ignored.

    Beyond what `want` holds of them already, these are the ignored fields that are not ours at all.
    """
    for path in ignore:
        if path[0] not in KEYED:
            want = _overlaid(want, live, path)
    return want


def emitted(fields: Fields, ignore: Iterable[Path]) -> Fields:
    """What an apply records as its doing: the emitted fields without the ignored ones."""
    for path in ignore:
        fields = with_path_from(fields, {}, path)
    return fields


def laid_over(below: Fields, above: Fields) -> dict[str, Any]:
    """Objects merge by key; lists, and the maps that are whole, replace."""
    merged = dict(below)
    for key, value in above.items():
        old = below.get(key)
        merges = key not in KEYED and isinstance(value, Mapping) and isinstance(old, Mapping)
        merged[key] = {**old, **value} if merges and old is not None else value
    return merged


def _is_set(value: object, path: Path) -> bool:
    return not is_any_cuda(value) if path == CUDA else value not in (None, "")


def _overlaid(tree: Fields, other: Fields, path: Path) -> Fields:
    """`tree` with what `other` says at `path`, if it says anything there."""
    head, *rest = path
    if head not in other:
        return tree
    inner = other[head]
    if isinstance(inner, Mapping):
        mine = tree.get(head, {})
        inner = _overlaid(mine, inner, tuple(rest)) if rest else {**mine, **inner}
    return {**tree, head: inner}
