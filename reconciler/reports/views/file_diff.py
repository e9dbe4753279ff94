"""The difference between two versions of a file, in the format of `diff -u` with one line of context.

difflib takes minutes for a file of ten thousand similar endpoints. An edit is local, so it is enough to
compare the texts line by line and to search ahead for the next lines that are equal again. Only the lines in
between are given to difflib.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias

from reconciler.reports.terminal.escape import plain
from reconciler.reports.terminal.style import PLAIN, Style

_EQUAL_LINES: Final = 3
"""Number of equal lines that end a difference."""

_MANY_LINES: Final = 64
"""Number of lines that are compared at once, because most are equal."""

_MAX_DISTANCE: Final = 400
"""Maximum number of added and removed lines in one place; after that, the rest counts as changed."""

_Span: TypeAlias = tuple[int, int, int, int]
"""Changed lines: start and end before, start and end after."""


def diff_text(shown: str, before: str, after: str, style: Style = PLAIN) -> str:
    """Return the difference with the name of the file, ending in a newline; "" if there is none."""
    old, new = before.splitlines(), after.splitlines()
    lines = [line for span in _spans(old, new) for line in _hunk(old, new, span)]
    head = [f"--- {shown}", f"+++ {shown}"] if lines else []
    return "".join(f"{_colored(plain(line), style)}\n" for line in (*head, *lines))


def _spans(old: Sequence[str], new: Sequence[str]) -> Iterator[_Span]:
    i = j = 0
    while i < len(old) or j < len(new):
        size = _MANY_LINES if old[i : i + _MANY_LINES] == new[j : j + _MANY_LINES] else 1
        if old[i : i + size] == new[j : j + size]:
            i, j = i + size, j + size
            continue
        removed, added = _search(old, new, i, j)
        yield i, i + removed, j, j + added
        i, j = i + removed, j + added


def _search(old: Sequence[str], new: Sequence[str], i: int, j: int) -> tuple[int, int]:
    """Return how many lines were removed and added before the texts are equal again."""
    for size in range(1, _MAX_DISTANCE):
        for removed in range(size + 1):
            added = size - removed
            rest = old[i + removed : i + removed + _EQUAL_LINES]
            if (
                i + removed <= len(old)
                and j + added <= len(new)
                and rest == new[j + added : j + added + _EQUAL_LINES]
            ):
                return removed, added
    return len(old) - i, len(new) - j


def _hunk(old: Sequence[str], new: Sequence[str], span: _Span) -> Iterator[str]:
    start, end, begin, stop = span
    above, below = old[max(start - 1, 0) : start], old[end : end + 1]
    first = start + 1 - len(above)
    size = len(above) + len(below)
    yield f"@@ -{first},{end - start + size} +{begin + 1 - len(above)},{stop - begin + size} @@"
    yield from (f" {line}" for line in above)
    yield from _changed(old[start:end], new[begin:stop])
    yield from (f" {line}" for line in below)


def _changed(old: Sequence[str], new: Sequence[str]) -> Iterator[str]:
    """Yield the lines of one place; those that are equal in both are shown once, if the place is small."""
    places: Sequence[tuple[str, int, int, int, int]] = [("replace", 0, len(old), 0, len(new))]
    if len(old) + len(new) <= _MAX_DISTANCE:
        from difflib import SequenceMatcher  # slow to import, and only for a difference

        places = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    for tag, start, end, begin, stop in places:
        if tag == "equal":
            yield from (f" {line}" for line in old[start:end])
        else:
            yield from (f"-{line}" for line in old[start:end])
            yield from (f"+{line}" for line in new[begin:stop])


def _colored(line: str, style: Style) -> str:
    match line[:1]:
        case "+":
            return style.added(line)
        case "-":
            return style.removed(line)
        case _:
            return style.dim(line) if line.startswith("@@") else line
