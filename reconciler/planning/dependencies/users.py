"""The live endpoints that use an object of another kind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from reconciler.kinds.registry import KINDS
from reconciler.model.plan import Change
from reconciler.model.resource import Live
from reconciler.model.secrets import reveal
from reconciler.model.values import value_at

Users: TypeAlias = Mapping[tuple[str, str], tuple[str, ...]]
"""The sorted names of live objects, by the type and the ID of what they use."""


def uses(live: Live) -> Iterator[tuple[str, str]]:
    """Yield the type and the ID of each object of another kind that a live one uses."""
    for path, kind in KINDS[live.kind].links(live.fields):
        yield kind, reveal(value_at(live.fields, path))


def users_of(live: Iterable[Live]) -> Users:
    """Return who uses each object, by its type and ID."""
    users: dict[tuple[str, str], set[str]] = {}
    for one in live:
        for used in uses(one):
            users.setdefault(used, set()).add(one.name or one.id)
    return {used: tuple(sorted(names)) for used, names in users.items()}


def users_after(changes: Iterable[Change], live: Iterable[Live]) -> tuple[Users, frozenset[tuple[str, str]]]:
    """Return who uses objects and is not changed, and the objects whose users are all changed."""
    planned = (getattr(change, "live", None) for change in changes)
    changed = {one.id: one for one in planned if one is not None}
    staying = users_of(one for one in live if one.id not in changed)
    return staying, frozenset(used for one in changed.values() for used in uses(one)) - staying.keys()
