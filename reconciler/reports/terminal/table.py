"""Tables: drawn in colour on a terminal, and plain aligned columns elsewhere, for grep and awk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from reconciler.model.lazy_dataclass import dataclass
from reconciler.reports.terminal.escape import plain

if TYPE_CHECKING:
    from rich.table import Table

EMPTY_CELL: Final = "-"
"""Text of an empty cell, which keeps the number of columns."""

MAX_DRAWN_ROWS: Final = 500
"""Rows. rich takes seconds for thousands of rows, so a longer table is plain."""

MIN_FOLDED_WIDTH: Final = 20
"""Least width (columns) of a first or last column that is folded to fit the terminal."""

MIN_CUT_WIDTHS: Final = (16, 24)
"""Least widths (columns) of the first and of the last column if they are cut instead. On wide terminals the
last one has at least two fifths of the width."""

UNFOLDED: Final = frozenset({"URL", "LOG"})
"""Titles of columns that are never folded, so that their values can be copied."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """A terminal to draw on: its size in columns and lines, and whether it shows colour and Unicode."""

    width: int
    height: int = 24
    colour: bool = True
    unicode: bool = True


@dataclass(frozen=True, slots=True)
class Cell:
    """One value; `colour` is a style of rich, and a terminal shows `terminal_text` in place of `text`."""

    text: str
    colour: str = ""
    terminal_text: str = ""


def table_text(titles: Sequence[str], rows: Sequence[Sequence[Cell]], screen: Screen | None = None) -> str:
    """Return the table, ending in a newline. It is drawn if it fits the screen, and plain otherwise."""
    if screen is None or len(rows) > MAX_DRAWN_ROWS or not fits(titles, rows, screen):
        return "".join(f"{line}\n" for line in _aligned_lines(titles, rows))
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
        console.print(rich_table(titles, rows, screen))
    return "".join(f"{line.rstrip()}\n" for line in capture.get().splitlines())


def fitted_table_text(
    titles: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    screen: Screen | None,
    optional: Sequence[str],
) -> str:
    """Return the table as `table_text` does, without columns for which the screen is too narrow.

    `optional` are the titles of columns that may be left out, the most dispensable first.
    """
    shown = list(range(len(titles)))
    for title in optional:
        part = [titles[at] for at in shown]
        if screen is None or fits(part, [[row[at] for at in shown] for row in rows], screen):
            break
        shown.remove(titles.index(title))
    return table_text([titles[at] for at in shown], [[row[at] for at in shown] for row in rows], screen)


def rich_table(
    titles: Sequence[str], rows: Sequence[Sequence[Cell]], screen: Screen, *, one_line: bool = False
) -> Table:
    """Return the table for rich; the first and the last column are folded if the screen is too narrow.

    With `one_line`, each row is one line and these columns are cut instead, and so is the heading's rule.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(
        box=None if one_line else box.SIMPLE_HEAD if screen.unicode else box.ASCII2,
        header_style="bold",
        padding=(0, 2 if one_line else 1, 0, 0),
        show_edge=False,
    )
    cut = _cut_widths(titles, rows, screen) if one_line else {}
    for at, title in enumerate(titles):
        is_outer = at in (0, len(titles) - 1) and title not in UNFOLDED
        width = max([len(title), *(cell_width(_terminal_text(row[at])) for row in rows)])
        table.add_column(
            title,
            no_wrap=one_line or not is_outer,
            overflow="ellipsis" if one_line else "fold",
            min_width=min(width, MIN_FOLDED_WIDTH) if is_outer and not one_line else None,
            max_width=cut.get(at),
        )
    for row in rows:
        table.add_row(*(Text(_terminal_text(cell), style=cell.colour) for cell in row))
    return table


def fits(
    titles: Sequence[str], rows: Sequence[Sequence[Cell]], screen: Screen, *, one_line: bool = False
) -> bool:
    """Return True if the screen is wide enough for the table with its outer columns folded, or cut."""
    widths = _widths(titles, rows)
    for at, least in _least_widths(titles, screen, one_line=one_line).items():
        widths[at] = min(widths[at], least)
    return sum(widths) + 2 * len(widths) <= screen.width


def _widths(titles: Sequence[str], rows: Sequence[Sequence[Cell]]) -> list[int]:
    return [
        max(map(cell_width, column))
        for column in zip(titles, *([_terminal_text(cell) for cell in row] for row in rows), strict=True)
    ]


def _least_widths(titles: Sequence[str], screen: Screen, *, one_line: bool) -> dict[int, int]:
    """Return the least widths of the outer columns, the last one first."""
    first, last = MIN_FOLDED_WIDTH, MIN_FOLDED_WIDTH
    if one_line:
        first, last = MIN_CUT_WIDTHS[0], max(MIN_CUT_WIDTHS[1], screen.width * 2 // 5)
    return {at: least for at, least in ((len(titles) - 1, last), (0, first)) if titles[at] not in UNFOLDED}


def _cut_widths(titles: Sequence[str], rows: Sequence[Sequence[Cell]], screen: Screen) -> dict[int, int]:
    """Return the widths of the outer columns, of which the last one is cut first."""
    widths = _widths(titles, rows)
    excess = sum(widths) + 2 * len(widths) - screen.width
    cut: dict[int, int] = {}
    for at, least in _least_widths(titles, screen, one_line=True).items():
        cut[at] = max(widths[at] - max(excess, 0), min(widths[at], least))
        excess -= widths[at] - cut[at]
    return cut


def _aligned_lines(titles: Sequence[str], rows: Sequence[Sequence[Cell]]) -> Iterator[str]:
    texts = [titles, *([plain(cell.text) or EMPTY_CELL for cell in row] for row in rows)]
    columns = map(_padded, zip(*texts, strict=True))
    for row in zip(*columns, strict=True):
        yield "  ".join(row).rstrip()


def _padded(texts: Sequence[str]) -> list[str]:
    """Return the texts of a column, each as wide as the widest."""
    widths = [*map(cell_width, texts)]
    widest = max(widths)
    return [text + " " * (widest - width) for text, width in zip(texts, widths, strict=True)]


def _terminal_text(cell: Cell) -> str:
    return plain(cell.terminal_text or cell.text) or EMPTY_CELL


def cell_width(text: str) -> int:
    """Return the width of a text on a terminal: an ideograph takes two columns, a combining mark none."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def pad(text: str, width: int) -> str:
    """Return the text followed by spaces, at least `width` columns wide."""
    return text + " " * (width - cell_width(text))
