"""Whether a key looks as if a machine had made it, with at least 128 random bits."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final

_HEX: Final = re.compile(r"[0-9a-f]{32,}|[0-9A-F]{32,}")


def is_random_key(key: str) -> bool:
    """True for at least 32 hex digits, or at least 32 characters of mixed kinds in a mixed order.

    It errs towards False: words, repetitions and short keys are not random, and some random keys are not
    recognised. That costs the time of stretching and nothing else.
    """
    if _HEX.fullmatch(key):
        return len(set(key.lower())) >= 8
    kinds = [_kind(character) for character in key if character.isalnum()]  # words stay words without hyphens
    switches = sum(one != other for one, other in pairwise(kinds))
    return len(key) >= 32 and len(set(key)) >= 16 and switches >= 0.4 * len(kinds)


def _kind(character: str) -> str:
    """Digits and letters of either case; in words, neighbours are mostly of one kind."""
    return "0" if character.isdigit() else "a" if character.islower() else "A"
