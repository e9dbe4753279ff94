"""Which of the known words was probably meant."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Final

LONGEST: Final = 100
"""Characters of a word that is compared. The time grows with one word times the other."""

MOST: Final = 200
"""Known words (count) that a word is compared with."""


def guess(word: str, known: Iterable[str], *, cutoff: float = 0.6) -> str:
    """The known word most like it, and at least as much as `cutoff` (0 to 1) says; "" if there is none."""
    from difflib import get_close_matches

    if len(word) > LONGEST:
        return ""
    near = (name for name in known if len(name) <= LONGEST)
    return next(iter(get_close_matches(word, islice(near, MOST), n=1, cutoff=cutoff)), "")
