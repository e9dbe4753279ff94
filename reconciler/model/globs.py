"""Things that are about names, each by a name or a glob."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import translate
from typing import Generic, TypeVar

T = TypeVar("T")


class PatternMap(Generic[T]):
    """Finds what is about a name. Names are looked up, so that only globs take the time of each."""

    def __init__(self, entries: Iterable[tuple[str, T]]) -> None:
        """The entries as (name or glob, thing), in the order in which they count."""
        self._exact: dict[str, list[tuple[int, T]]] = {}
        self._globs: list[tuple[int, re.Pattern[str], T]] = []
        for at, (pattern, thing) in enumerate(entries):
            self._exact.setdefault(pattern, []).append((at, thing))
            if not {"*", "?", "["}.isdisjoint(pattern):
                self._globs.append((at, re.compile(translate(pattern)), thing))

    def about(self, name: str) -> list[T]:
        """The things whose pattern is this name or matches it, in order."""
        found = dict(self._exact.get(name, ()))
        found |= {at: thing for at, pattern, thing in self._globs if pattern.match(name)}
        return [found[at] for at in sorted(found)]
