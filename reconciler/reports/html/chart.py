"""The replica range before and after a change as two bars: an inline SVG without scripts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from reconciler.kinds.registry import ENDPOINT
from reconciler.model.values import Fields, value_at

WIDTH: Final = 300
HEIGHT: Final = 78
LEFT: Final = 58
"""Horizontal position of 0 workers, to the right of the labels."""
SPAN: Final = 186
"""Width of the scale; the number of a bar is to its right."""
THICK: Final = 12
ROWS: Final = (4, 28)


class Range(NamedTuple):
    """Minimum and maximum number of workers."""

    low: int
    high: int

    def __str__(self) -> str:
        return str(self.low) if self.low == self.high else f"{self.low}\N{EN DASH}{self.high}"


def range_of(fields: Fields | None) -> Range | None:
    """Return the replica range of an endpoint; None if it is unknown."""
    low, high = (value_at(fields or {}, path) for path in ENDPOINT.replica_range)
    return Range(low, high) if isinstance(low, int) and isinstance(high, int) else None


def chart(before: Range | None, after: Range | None, labels: tuple[str, str] = ("before", "after")) -> str:
    """Return the chart with its text alternative; "" if neither range is known."""
    if before is None and after is None:
        return ""
    top = max(1, *(range_.high for range_ in (before, after) if range_))
    text = "; ".join(
        f"{label} {range_ or 'none'}" for label, range_ in zip(labels, (before, after), strict=True)
    )
    rows = zip(labels, (before, after), ROWS, ("was", "is"), strict=True)
    return (
        f'<svg class="chart" width="{WIDTH}" height="{HEIGHT}" role="img" aria-label="Workers: {text}">'
        f"{''.join(part for row in rows for part in _row(*row, top))}{_axis(top)}</svg>"
    )


def _row(label: str, range_: Range | None, y: int, kind: str, top: int) -> Iterator[str]:
    middle = y + THICK - 2
    yield f'<text x="0" y="{middle}">{label}</text>'
    yield f'<rect class="track" x="{LEFT}" y="{y}" width="{SPAN}" height="{THICK}" rx="4"/>'
    if range_ is None:
        yield f'<text x="{LEFT + SPAN + 8}" y="{middle}">none</text>'
        return
    start, end = (LEFT + SPAN * count / top for count in range_)
    if range_.low == range_.high:  # a single number is a visible dot within the track
        start = min(max(start - THICK / 2, LEFT), LEFT + SPAN - THICK)
        end = start + THICK
    yield f'<rect class="{kind}" x="{start:g}" y="{y}" width="{end - start:g}" height="{THICK}" rx="4"/>'
    yield f'<text class="count" x="{LEFT + SPAN + 8}" y="{middle}">{range_}</text>'


def _axis(top: int) -> str:
    y = HEIGHT - 22
    return (
        f'<path d="M{LEFT} {y}v4h{SPAN}v-4"/>'
        f'<text x="0" y="{y + 16}">workers</text><text x="{LEFT}" y="{y + 18}" text-anchor="middle">0</text>'
        f'<text x="{LEFT + SPAN}" y="{y + 18}" text-anchor="middle">{top}</text>'
    )
