"""The cost of a plan in the HTML report: a chart of the totals, and a table of the changes."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Final

from reconciler.model.market.cost import PlanCost, Total
from reconciler.model.market.text import monthly
from reconciler.reports.html.cards import escape
from reconciler.reports.run.cost import (
    LEGEND,
    CostRow,
    blocks,
    change_symbol,
    footnotes,
    headline,
    total_rows,
)

THICK: Final = 12

TITLES: Final = ("Floor per hour", "Floor per month", "Ceiling per hour", "Ceiling per month")

MAX_TABLE: Final = 200
"""Changes (count) in the table; the total includes all."""


def cost_parts(cost: PlanCost) -> list[str]:
    """Return the parts of the section about cost."""
    line = headline(cost)
    notes = "".join(f"<p>{escape(note)}" for note in ([line.removeprefix("Cost: ")] if line else []))
    notes += "".join(f"<p>{escape(note)}" for note in footnotes(cost) if not cost.is_unknown)
    if line:
        return [f'<div class="cost"><div class="notes">{notes}</div></div>\n']
    return [
        f'<div class="cost"><dl class="bars">{"".join(_bars(cost))}</dl>{_table(cost)}'
        f'<div class="notes"><p>{escape(LEGEND)}</p>{notes}</div></div>\n'
    ]


def _bars(cost: PlanCost) -> Iterator[str]:
    top = max(cost.before.ceiling.per_hour, cost.after.ceiling.per_hour) or Fraction(1)
    for label, kind, total in (("before", "was", cost.before), ("after", "is", cost.after)):
        floor, ceiling = monthly(total.floor), monthly(total.ceiling)
        text = floor if floor == ceiling else f"{floor} to {ceiling}"
        yield f"<dt>{label}<dd>{_bar(total, kind, top, f'{label}: {text} per month')}"
        yield f"<span>{text} per month</span>"


def _bar(total: Total, kind: str, top: Fraction, text: str) -> str:
    """Return a bar from the floor to the ceiling; a single amount is a visible mark."""
    start, end = (float(100 * amount.per_hour / top) for amount in (total.floor, total.ceiling))
    width = max(end - start, 1.5)
    start = min(start, 100 - width)
    return (
        f'<svg class="chart" width="100%" height="{THICK}" role="img" aria-label="{text}">'
        f'<rect class="track" width="100%" height="{THICK}" rx="4"/>'
        f'<rect class="{kind}" x="{start:.2f}%" width="{width:.2f}%" height="{THICK}" rx="4"/></svg>'
    )


def _table(cost: PlanCost) -> str:
    listed = blocks(cost)
    rows = "".join(
        _row(f"<b>{change_symbol(block.change)}</b> {escape(block.change.name)}", block.rows, block.remarks)
        for block in listed[:MAX_TABLE]
    )
    if len(listed) > MAX_TABLE:
        rows += f"<tr><th scope=row>and {len(listed) - MAX_TABLE:,} more<td colspan=4>"
    head = "".join(f"<th scope=col>{title}" for title in TITLES)
    total = _row("total", total_rows(cost), (), kind=" class=total")
    return f"<table class=money><thead><tr><th scope=col>Endpoint{head}<tbody>{rows}{total}</table>"


def _row(name: str, rows: tuple[CostRow, ...], remarks: tuple[str, ...], kind: str = "") -> str:
    """Return a row of the table; a storage has one amount, which is floor and ceiling."""
    cells = [text for row in (rows[0], rows[-1]) for text in (row.per_hour, row.per_month)]
    shown = "".join(
        f'<td data-title="{title}">{escape(text.replace("->", "→"))}'
        for title, text in zip(TITLES, cells, strict=True)
    )
    below = "".join(f"<small>{escape(remark)}</small>" for remark in remarks)
    return f"<tr{kind}><th scope=row>{name}{below}{shown}"
