"""The cost of a plan as text, for a terminal of 80 columns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from reconciler.model.market.cost import PlanCost
from reconciler.reports.run.cost import (
    LEGEND,
    MAX_ROWS,
    CostBlock,
    CostRow,
    blocks,
    change_symbol,
    footnotes,
    headline,
    is_storage,
    total_rows,
)
from reconciler.reports.terminal.escape import plain
from reconciler.reports.terminal.style import Style
from reconciler.reports.terminal.table import cell_width, pad

MAX_NAME: Final = 18
"""Columns of a name. Longer ones are cut."""

LABEL: Final = 7
"""Columns of the longest label."""


def cost_lines(cost: PlanCost, style: Style) -> Iterator[str]:
    """Yield the lines of the block about cost, which begins with an empty line.

    Remarks that hold for all changes that have some are written once, below the total.
    """
    yield ""
    if line := headline(cost):
        yield plain(line)
        yield from (style.dim(f"  {note}") for note in footnotes(cost) if not cost.is_unknown)
        return
    listed = blocks(cost)
    shown, total = listed[:MAX_ROWS], total_rows(cost)
    names = [_name(block) for block in shown]
    width = max(map(cell_width, [*names, "total"]))
    hours = max(len(row.per_hour) for row in (*total, *(row for block in shown for row in block.rows)))
    hours = max(hours, len("per hour"))
    yield style.bold("Cost") + style.dim(f" ({LEGEND}):")
    yield style.dim(f"{' ' * (width + LABEL + 8)}{'per hour':<{hours}}  per month")
    told = [block.remarks for block in shown if block.remarks]
    once = told[0] if len(told) > 1 and len(set(told)) == 1 else ()
    for block, name in zip(shown, names, strict=True):
        symbol = _symbol(block, style)
        yield from _lines(f"  {symbol} {pad(name, width)}", width, block.rows, hours)
        if not once:
            yield from (f"{' ' * (width + 6)}{style.dim(plain(remark))}" for remark in block.remarks)
    if len(listed) > MAX_ROWS:
        yield style.dim(f"    and {len(listed) - MAX_ROWS:,} more, which the total includes")
    if len(cost.changes) + cost.unchanged > 1:
        yield from _lines(f"    {style.bold(pad('total', width))}", width, total, hours)
    yield from (style.dim(f"  {plain(note)}") for note in (*once, *footnotes(cost)))


def _lines(start: str, width: int, rows: tuple[CostRow, ...], hours: int) -> Iterator[str]:
    for number, row in enumerate(rows):
        label = start if number == 0 else " " * (width + 4)
        yield f"{label}  {row.label:<{LABEL}}  {row.per_hour:<{hours}}  {row.per_month}"


def _name(block: CostBlock) -> str:
    """Return the name of a change. The label of its row tells a storage from an endpoint."""
    change = block.change
    name = plain(change.address.partition(".")[2] if is_storage(change) else change.name)
    return name if len(name) <= MAX_NAME else f"{name[: MAX_NAME - 3]}..."


def _symbol(block: CostBlock, style: Style) -> str:
    symbol = change_symbol(block.change)
    colours = {"+": style.added, "-": style.removed, "~": style.changed}
    return colours[symbol](symbol)
