"""One measurement beside its baseline, and the table of all measurements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_NUMBERS = (1, 2, 4, 5)
"""The columns that hold numbers."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A measurement, that of the floor or the peer, and the maximum of their ratio, if there is one."""

    what: str
    ours: float
    floor: float
    floor_is: str
    at_most: float | None = None
    unit: str = "s"

    @property
    def ratio(self) -> float:
        return self.ours / self.floor

    @property
    def verdict(self) -> str:
        """Return whether the rounded ratio keeps the limit."""
        if self.at_most is None:
            return ""
        return "ok" if round(self.ratio, 2) <= self.at_most else "MISSED"


def table(rows: Sequence[Row]) -> str:
    """Return the rows as an aligned Markdown table."""
    head = ("benchmark", "result", "baseline", "of", "ratio", "limit", "")
    cells = [head, *map(_cells, rows)]
    widths = [max(len(row[at]) for row in cells) for at in range(len(head))]
    lines = [_line(row, widths) for row in cells]
    ruler = [
        ("-" * (width - 1) + ":") if 0 < at < 6 and at != 3 else "-" * width
        for at, width in enumerate(widths)
    ]
    return "\n".join([lines[0], _line(ruler, widths), *lines[1:]]) + "\n"


def _cells(row: Row) -> tuple[str, ...]:
    figures = [_figure(value, row.unit) for value in (row.ours, row.floor)]
    limit = "" if row.at_most is None else f"{row.at_most:g}"
    return (row.what, *figures, row.floor_is, f"{row.ratio:.2f}", limit, row.verdict)


def _figure(value: float, unit: str) -> str:
    if unit == "s":
        return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.2f} s"
    return f"{value:.0f} {unit}".strip()


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [
        cell.rjust(width) if at in _NUMBERS else cell.ljust(width)
        for at, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return f"| {' | '.join(padded)} |"
