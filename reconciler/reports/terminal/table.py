"""Rows in columns: drawn and in colour on a terminal, plainly aligned everywhere else, for grep and awk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reconciler.reports.terminal.escape import plain

if TYPE_CHECKING:
    from rich.table import Table

NOTHING: Final = "-"
"""What stands for an empty cell, so that columns can be counted."""

MAX_DRAWN_ROWS: Final = 500
"""Rows; rich takes seconds for thousands, and nobody looks at the frame of such a table."""

FOLDED: Final = 20
"""Least width (columns) of a first or last column that is folded to fit the terminal."""

UNFOLDED: Final = frozenset({"URL"})
"""Titles of columns that are never folded, so that their values can be copied."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """A terminal to draw on: its width in columns, and what it can show."""

    width: int
    colour: bool = True
    unicode: bool = True


@dataclass(frozen=True, slots=True)
class Cell:
    """One value; `colour` is rich's name of one, and `drawn` what a terminal shows instead of `text`."""

    text: str
    colour: str = ""
    drawn: str = ""


def table_text(titles: Sequence[str], rows: Sequence[Sequence[Cell]], screen: Screen | None = None) -> str:
    """Titles and rows, ending in a newline. Drawn where that fits; else a terminal wraps the long lines."""
    if screen is None or len(rows) > MAX_DRAWN_ROWS or not _fits(titles, rows, screen):
        return "".join(f"{line}\n" for line in _aligned(titles, rows))
    from io import StringIO

    from rich.console import Console

    console = Console(
        file=StringIO(),
        width=screen.width,
        force_terminal=True,
        color_system="standard" if screen.colour else None,
        no_color=not screen.colour,
    )
    with console.capture() as capture:
        console.print(drawn(titles, rows, screen))
    return "".join(f"{line.rstrip()}\n" for line in capture.get().splitlines())


def drawn(titles: Sequence[str], rows: Sequence[Sequence[Cell]], screen: Screen) -> Table:
    """The same for rich; the first and the last column are folded where the screen is too narrow."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(
        box=box.SIMPLE_HEAD if screen.unicode else box.ASCII2,
        header_style="bold",
        padding=(0, 1, 0, 0),
        show_edge=False,
    )
    for at, title in enumerate(titles):
        is_outer = at in (0, len(titles) - 1) and title not in UNFOLDED
        width = max([len(title), *(cells(_shown(row[at])) for row in rows)])
        table.add_column(
            title, no_wrap=not is_outer, overflow="fold", min_width=min(width, FOLDED) if is_outer else None
        )
    for row in rows:
        table.add_row(*(Text(_shown(cell), style=cell.colour) for cell in row))
    return table


def _fits(titles: Sequence[str], rows: Sequence[Sequence[Cell]], screen: Screen) -> bool:
    widths = [
        max(map(cells, column))
        for column in zip(titles, *([_shown(cell) for cell in row] for row in rows), strict=True)
    ]
    for at in {0, len(widths) - 1}:
        if titles[at] not in UNFOLDED:
            widths[at] = min(widths[at], FOLDED)
    return sum(widths) + 2 * len(widths) <= screen.width


def _aligned(titles: Sequence[str], rows: Sequence[Sequence[Cell]]) -> Iterator[str]:
    texts = [list(titles), *([plain(cell.text) or NOTHING for cell in row] for row in rows)]
    widths = [max(map(cells, column)) for column in zip(*texts, strict=True)]
    for row in texts:
        yield "  ".join(padded(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _shown(cell: Cell) -> str:
    return plain(cell.drawn or cell.text) or NOTHING


def cells(text: str) -> int:
    """Columns."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def padded(text: str, width: int) -> str:
    """The text with spaces behind it, `width` columns wide at least."""
    return text + " " * (width - cells(text))
