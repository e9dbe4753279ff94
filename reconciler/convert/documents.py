"""Splits a YAML text into its documents, each with the number of the lines above it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice, pairwise
from typing import Final

MAX_DOCUMENTS: Final = 1_000

_MARKER: Final = re.compile(r"(?m)^---(?=[ \t\r\n]|\Z)")
"""The start of a document. Nothing else may begin in the first column with it, also within a text."""


def split(text: str) -> Iterator[tuple[int, str]]:
    """Yield (lines above, text) of each document that is not empty."""
    starts = [match.start() for match in islice(_MARKER.finditer(text), MAX_DOCUMENTS)]
    line = 0
    for start, end in pairwise([-1, *starts, len(text)]):
        part = text[max(start, 0) : end]
        content = "   " + part.removeprefix("---") if start >= 0 else part
        if any(row.strip() and not row.lstrip().startswith(("#", "%")) for row in content.splitlines()):
            yield line, content
        line += part.count("\n")
