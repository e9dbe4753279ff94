"""The live endpoints that use an object of another kind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from reconciler.kinds.registry import KINDS
from reconciler.model.resource import Live
from reconciler.model.secrets import reveal
from reconciler.model.values import value_at

Users: TypeAlias = Mapping[tuple[str, str], tuple[str, ...]]
"""The sorted names of live objects, by the type and the ID of what they use."""


def uses(live: Live) -> Iterator[tuple[str, str]]:
    """Yield the type and the ID of each object of another kind that a live one uses."""
    for path, kind in KINDS[live.kind].links(live.fields):
        value = reveal(value_at(live.fields, path))
        if isinstance(value, str) and value:
            yield kind, value


def users_of(live: Iterable[Live]) -> Users:
    """Return who uses each object, by its type and ID."""
    users: dict[tuple[str, str], set[str]] = {}
    for one in live:
        for used in uses(one):
            users.setdefault(used, set()).add(one.name or one.id)
    return {used: tuple(sorted(names)) for used, names in users.items()}
