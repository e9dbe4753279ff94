"""Names matched by glob patterns, suggestions for mistyped words, numbers with nouns, and times."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from fnmatch import translate
from itertools import islice
from typing import Final, Generic, TypeVar

T = TypeVar("T")

MAX_WORD_LENGTH: Final = 100
"""Characters. Longer words are not compared, because the time grows with the product of both lengths."""

MAX_CANDIDATES: Final = 200
"""Known words that a word is compared with."""


class PatternMap(Generic[T]):
    """Values by name or glob pattern. Exact names are looked up in constant time."""

    def __init__(self, entries: Iterable[tuple[str, T]]) -> None:
        """Store (name or glob, value) pairs; earlier pairs come first in results."""
        self._exact: dict[str, list[tuple[int, T]]] = {}
        self._globs: list[tuple[int, re.Pattern[str], T]] = []
        for position, (pattern, value) in enumerate(entries):
            self._exact.setdefault(pattern, []).append((position, value))
            if not {"*", "?", "["}.isdisjoint(pattern):
                self._globs.append((position, re.compile(translate(pattern)), value))

    def matching(self, name: str) -> list[T]:
        """Return the values whose pattern equals or matches the name, in order."""
        matches = dict(self._exact.get(name, ()))
        matches |= {position: value for position, pattern, value in self._globs if pattern.match(name)}
        return [matches[position] for position in sorted(matches)]


def quantity(count: int, noun: str) -> str:
    """Return a number with its noun, such as `1 endpoint` or `2 endpoints`."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def closest_match(word: str, known: Iterable[str], *, cutoff: float = 0.6) -> str:
    """Return the known word most similar to the word, or "" if no similarity reaches `cutoff` (0 to 1)."""
    from difflib import get_close_matches

    if len(word) > MAX_WORD_LENGTH:
        return ""
    candidates = (name for name in known if len(name) <= MAX_WORD_LENGTH)
    matches = get_close_matches(word, islice(candidates, MAX_CANDIDATES), n=1, cutoff=cutoff)
    return next(iter(matches), "")


TIME_FORMAT: Final = "%Y-%m-%dT%H:%M:%SZ"
"""Terraform's format of a time in UTC, RFC 3339 without fractions."""


def minute_text(time: datetime) -> str:
    """Return a time for people, in UTC, such as `2026-01-31 12:00Z`."""
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M}Z"


def utc_text(time: datetime) -> str:
    """Return a time, which must be in UTC, in Terraform's format."""
    return time.strftime(TIME_FORMAT)
