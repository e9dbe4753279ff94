"""The cost of a plan as a section of the Markdown report."""

from __future__ import annotations

from collections.abc import Callable

from reconciler.model.market.cost import PlanCost
from reconciler.reports.run.cost import (
    LEGEND,
    CostRow,
    blocks,
    change_symbol,
    footnotes,
    headline,
    total_rows,
)
from reconciler.reports.run.markdown_escape import code, text
from reconciler.reports.run.size_limit import Section

HEADING = "\n### Cost\n\n"

TABLE = """\
| | Endpoint | Floor per hour | Floor per month | Ceiling per hour | Ceiling per month |
|-|-|-|-|-|-|
"""


def cost_section(cost: PlanCost, left_out: Callable[[int, int], str]) -> Section:
    """Return a section with the total and the costs of the changes, or with one sentence."""
    notes = [] if cost.is_unknown else [text(note) for note in footnotes(cost)]
    if line := headline(cost):
        sentences = [text(line.removeprefix("Cost: ")), *notes]
        return Section(opening=HEADING, rows=["\n\n".join(sentences) + "\n"], rank=2, left_out=left_out)
    rows = [
        _row(code(change_symbol(block.change)), code(block.change.name), block.rows) for block in blocks(cost)
    ]
    return Section(
        opening=HEADING + TABLE,
        rows=[_row("", "**total**", total_rows(cost)), *rows],
        closing="\n" + "\n\n".join([f"<sub>{text(LEGEND)}</sub>", *notes]) + "\n",
        rank=2,
        left_out=left_out,
    )


def _row(symbol: str, name: str, rows: tuple[CostRow, ...]) -> str:
    """Return a row of the table; a storage has one amount, which is floor and ceiling."""
    cells = [amount for row in (rows[0], rows[-1]) for amount in (row.per_hour, row.per_month)]
    shown = " | ".join(text(cell.replace("->", "\N{RIGHTWARDS ARROW}")) for cell in cells)
    return f"| {symbol} | {name} | {shown} |\n"
