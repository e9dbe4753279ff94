"""A text of limited size: whole rows are left out, the least important first, and counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Rows that stay whole, between an opening and a closing that stand only around a row.

    rank: those of the lowest get their room first; share: at most that part of the room that is left;
    left_out: says how many of how many rows are missing.
    """

    rows: Sequence[str]
    rank: int
    left_out: Callable[[int, int], str]
    opening: str = ""
    closing: str = ""
    share: float = 1.0

    def text(self, kept: Sequence[str]) -> str:
        missing = len(self.rows) - len(kept)
        body = f"{self.opening}{''.join(kept)}{self.closing}" if kept else ""
        return body + (self.left_out(missing, len(self.rows)) if missing else "")


def fit_to_limit(head: str, sections: Iterable[Section], limit: int) -> str:
    """The head and all sections in their order, in at most `limit` bytes of UTF-8; only rows are left out."""
    used = [one for one in sections if one.rows]
    room = limit - _size(head) - sum(map(_frame, used))
    kept: dict[int, tuple[str, ...]] = {}
    for number, section in sorted(enumerate(used), key=lambda one: one[1].rank):
        kept[number] = tuple(_fitting(section.rows, int(room * section.share)))
        room -= sum(map(_size, kept[number]))
    return head + "".join(section.text(kept[number]) for number, section in enumerate(used))


def _fitting(rows: Sequence[str], room: int) -> Iterator[str]:
    for row in rows:
        if (size := _size(row)) <= room:
            room -= size
            yield row


def _frame(section: Section) -> int:
    """What a section takes at most beside its rows."""
    count = len(section.rows)
    return _size(section.opening) + _size(section.closing) + _size(section.left_out(count, count))


def _size(text: str) -> int:
    return len(text.encode("utf-8", "backslashreplace"))
