"""One measurement beside its baseline, and the table of all measurements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_NUMBERS = (1, 2, 4, 5)
"""The columns that hold numbers."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A measurement, that of the baseline or the peer, and the maximum of their ratio, if there is one."""

    what: str
    result: float
    baseline: float
    baseline_name: str
    limit: float | None = None
    unit: str = "s"

    @property
    def ratio(self) -> float:
        return self.result / self.baseline

    @property
    def status(self) -> str:
        """Return whether the rounded ratio keeps the limit."""
        if self.limit is None:
            return ""
        return "ok" if round(self.ratio, 2) <= self.limit else "MISSED"


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
    figures = [_figure(value, row.unit) for value in (row.result, row.baseline)]
    limit = "" if row.limit is None else f"{row.limit:g}"
    return (row.what, *figures, row.baseline_name, f"{row.ratio:.2f}", limit, row.status)


def _figure(value: float, unit: str) -> str:
    if unit == "s":
        return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.2f} s"
    digits = f"{value:.0f}" if value >= 10 or value == int(value) else f"{value:.2g}"
    return f"{digits} {unit}".strip()


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [
        cell.rjust(width) if at in _NUMBERS else cell.ljust(width)
        for at, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return f"| {' | '.join(padded)} |"
