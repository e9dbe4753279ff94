"""An edit of a file, as `diff -u` shows it: the changed lines, and one line around them.

difflib takes minutes over a file of ten thousand endpoints, which look alike. An edit is local, so it is
enough to walk both texts in step, and to look ahead for the next place where they agree again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias

from reconciler.reports.terminal.escape import plain
from reconciler.reports.terminal.style import PLAIN, Style

_AGREED: Final = 3
"""Equal lines (count) after which the two texts are in step again."""

_FARTHEST: Final = 400
"""Lines (count) that an edit puts in and takes out; beyond that, the rest counts as changed."""

_Span: TypeAlias = tuple[int, int, int, int]
"""Changed lines: from and to, before; from and to, after."""


def diff_text(shown: str, before: str, after: str, style: Style = PLAIN) -> str:
    """The difference under the file's name, ending in a newline; "" where there is none."""
    old, new = before.splitlines(), after.splitlines()
    lines = [line for span in _spans(old, new) for line in _hunk(old, new, span)]
    head = [f"--- {shown}", f"+++ {shown}"] if lines else []
    return "".join(f"{_painted(plain(line), style)}\n" for line in (*head, *lines))


def _spans(old: Sequence[str], new: Sequence[str]) -> Iterator[_Span]:
    i = j = 0
    while i < len(old) or j < len(new):
        if old[i : i + 1] == new[j : j + 1]:
            i, j = i + 1, j + 1
            continue
        gone, come = _ahead(old, new, i, j)
        yield i, i + gone, j, j + come
        i, j = i + gone, j + come


def _ahead(old: Sequence[str], new: Sequence[str], i: int, j: int) -> tuple[int, int]:
    """How many lines were taken out and put in, until the texts agree again."""
    for size in range(1, _FARTHEST):
        for gone in range(size + 1):
            come = size - gone
            rest = old[i + gone : i + gone + _AGREED]
            if i + gone <= len(old) and j + come <= len(new) and rest == new[j + come : j + come + _AGREED]:
                return gone, come
    return len(old) - i, len(new) - j


def _hunk(old: Sequence[str], new: Sequence[str], span: _Span) -> Iterator[str]:
    start, end, begin, stop = span
    above, below = old[max(start - 1, 0) : start], old[end : end + 1]
    first = start + 1 - len(above)
    size = len(above) + len(below)
    yield f"@@ -{first},{end - start + size} +{begin + 1 - len(above)},{stop - begin + size} @@"
    yield from (f" {line}" for line in above)
    yield from (f"-{line}" for line in old[start:end])
    yield from (f"+{line}" for line in new[begin:stop])
    yield from (f" {line}" for line in below)


def _painted(line: str, style: Style) -> str:
    match line[:1]:
        case "+":
            return style.added(line)
        case "-":
            return style.removed(line)
        case _:
            return style.dim(line) if line.startswith("@@") else line
