"""The live endpoints that use an object of another kind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from reconciler.kinds.registry import KINDS
from reconciler.model.resource import Live

Users: TypeAlias = Mapping[tuple[str, str], tuple[str, ...]]
"""The sorted names of live objects, by the type and the ID of what they use."""


def users_of(live: Iterable[Live]) -> Users:
    """Return who uses each object, by its type and ID."""
    users: dict[tuple[str, str], set[str]] = {}
    for one in live:
        for used in KINDS[one.kind].uses(one.fields):
            users.setdefault(used, set()).add(one.name or one.id)
    return {used: tuple(sorted(names)) for used, names in users.items()}
