"""Text of limited size: whole rows are omitted, the least important ones first, and counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from reconciler.model.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Rows between an opening and a closing, which are omitted if there are no rows.

    rank: sections of a lower rank get space first; share: maximum share of the remaining space;
    left_out: returns a note for the numbers of omitted rows and of all rows.
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
    """Return the head and the sections, in at most `limit` bytes; rows that do not fit are omitted."""
    filled = [section for section in sections if section.rows]
    space = limit - _size(head) - sum(map(_overhead, filled))
    kept: dict[int, tuple[str, ...]] = {}
    for number, section in sorted(enumerate(filled), key=lambda item: item[1].rank):
        kept[number] = tuple(_fitting(section.rows, int(space * section.share)))
        space -= sum(map(_size, kept[number]))
    return head + "".join(section.text(kept[number]) for number, section in enumerate(filled))


def _fitting(rows: Sequence[str], space: int) -> Iterator[str]:
    for row in rows:
        if (size := _size(row)) <= space:
            space -= size
            yield row


def _overhead(section: Section) -> int:
    """Return the maximum size of a section without its rows."""
    count = len(section.rows)
    return _size(section.opening) + _size(section.closing) + _size(section.left_out(count, count))


def _size(text: str) -> int:
    return len(text.encode("utf-8", "backslashreplace"))
