"""Hides the items that no edit touches from the parser, which takes most of the time of an edit.

In the text for the parser they are comments of the same length, so that all other positions stay.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from itertools import pairwise
from typing import Final

_LIST: Final = re.compile(r"(?m)^([A-Za-z_][\w.-]*):[ ]*\n(?:[ ]*(?:#.*)?\n)*([ ]*)- ")
"""A key of the root, and the column of the dashes of the list that is its value."""

_ROOT_KEY: Final = re.compile(r"(?m)^[A-Za-z_]")

_STEP: Final = re.compile(r"(?m)^[ -]*[A-Za-z_][\w.-]*:[ ]*\n[ ]*[A-Za-z_]")
"""A map below a key, which shows the indentation of the file."""


def without_other_items(text: str, kept: Collection[tuple[object, ...]]) -> str:
    """Return a plain text with a comment after the first line of each item of a list below a key of the root.

    Kept are the items at these paths, the last one of each list, and the first ones until one of them shows
    the indentation. Lines tell where the items begin only in a text that `block` reads.
    """
    pieces: list[str] = []
    done = 0
    shows_indentation = False
    for found in _LIST.finditer(text):
        next_key = _ROOT_KEY.search(text, found.end())
        end = next_key.start() if next_key else len(text)
        dashes = re.compile(rf"(?m)^{found[2]}- ").finditer(text, found.end(1), end)
        for index, (item, following) in enumerate(pairwise(dashes)):
            start, stop = text.index("\n", item.start()) + 1, following.start()
            if not shows_indentation:
                shows_indentation = _STEP.search(text, item.start(), stop) is not None
            elif (found[1], index) not in kept and start < stop:
                pieces += (text[done:start], "#" * (stop - start - 1), "\n")
                done = stop
    return "".join([*pieces, text[done:]])
