"""Comparison by ownership: the fields that we emit now, and those that we emitted before and removed since.

Values that the server fills in are ignored, and a value that it does not report cannot have changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from reconciler.kinds.fields import Field, FieldTable
from reconciler.model.values import Fields, Path, paths_of_glob, with_path_from


class Comparison:
    """The comparison of objects with these fields."""

    def __init__(self, table: FieldTable) -> None:
        self._keyed = frozenset(table.keyed)
        self._optional = {row.path: row for row in table.optional}
        self._maps = {row.path[0]: row for row in table.rows if row.optional_items}

    def sides(
        self,
        desired: Fields,
        applied: Fields | None,
        live: Fields,
        ignore: Iterable[Path],
        unread: Iterable[Path] = (),
    ) -> tuple[Fields, Fields]:
        """Return (want, have): two trees of the same owned paths, equal exactly if nothing has to be done.

        `want` holds the live value of every ignored path, since an update is made from `want` too. A live
        value that is `unread` counts as wanted, since it cannot be told that it differs.
        """
        want = self.owned(desired, applied)
        have = self.reported(live, want)
        for path in unread:
            have = with_path_from(have, want, path)
        for path in ignore:
            for one in paths_of_glob(path, want, have):
                want = with_path_from(want, have, one)
        return want, have

    def owned(self, desired: Fields, applied: Fields | None) -> dict[str, Any]:
        """Return the desired fields, with "" for an optional field that was dropped from the YAML."""
        want = dict(desired)
        for (head, leaf), row in self._optional.items():
            inner = want.get(head)
            if not isinstance(inner, dict) or _is_set(inner.get(leaf), row):
                continue
            is_emitted_before = _is_set((applied or {}).get(head, {}).get(leaf), row)
            is_cleared = leaf in inner and len(row.blanks) == 1
            if is_emitted_before or is_cleared:
                want[head] = {**inner, leaf: ""}
            elif leaf in inner:
                want[head] = {key: value for key, value in inner.items() if key != leaf}
        return want

    def reported(self, live: Fields, want: Fields) -> dict[str, Any]:
        """Return the live side of `want`: the same paths, and all live keys of keyed maps.

        A field that is not reported counts as wanted. An optional field that a reported object lacks has no
        value.
        """
        have: dict[str, Any] = {}
        for key, value in want.items():
            if live.get(key) == value:
                have[key] = value
            elif key in self._maps:
                optional = self._maps[key].optional_items
                have[key] = {
                    name: {k: item.get(k, "" if k in optional else v) for k, v in value[name].items()}
                    if name in value
                    else item
                    for name, item in live.get(key, {}).items()
                }
            elif key in self._keyed:
                have[key] = live.get(key, {})
            elif isinstance(value, dict | Mapping) and key in live:
                have[key] = {
                    leaf: live[key].get(leaf, "" if (key, leaf) in self._optional else inner)
                    for leaf, inner in value.items()
                }
            else:
                have[key] = live.get(key, value)
        return have

    def replacement(self, want: Fields, live: Fields, ignore: Iterable[Path]) -> Fields:
        """Return the fields of a new object in the place of `live`: `want`, and all that is ignored as it is.

        Beyond what `want` holds of them already, these are ignored fields that we never emitted.
        """
        for path in ignore:
            if path[0] not in self._keyed:
                want = _overlaid(want, live, path)
        return want

    @staticmethod
    def emitted(fields: Fields, ignore: Iterable[Path]) -> Fields:
        """Return the emitted fields without the ignored ones, as an apply records them."""
        for path in ignore:
            for one in paths_of_glob(path, fields):
                fields = with_path_from(fields, {}, one)
        return fields

    def merge_fields(self, below: Fields, above: Fields) -> dict[str, Any]:
        """Return `below` with `above` over it. Objects merge by key; lists and keyed maps replace."""
        merged = dict(below)
        for key, value in above.items():
            old = below.get(key)
            merges = key not in self._keyed and isinstance(value, Mapping) and isinstance(old, Mapping)
            merged[key] = {**old, **value} if merges and old is not None else value
        return merged


def _is_set(value: object, row: Field) -> bool:
    return value is not None and value not in row.blanks


def _overlaid(tree: Fields, other: Fields, path: Path) -> Fields:
    """Return `tree` with the value that `other` has at `path`, if it has one."""
    head, *rest = path
    if head not in other:
        return tree
    inner = other[head]
    if isinstance(inner, Mapping):
        mine = tree.get(head, {})
        inner = _overlaid(mine, inner, tuple(rest)) if rest else {**mine, **inner}
    return {**tree, head: inner}
