"""The live table of `watch` on a terminal: the endpoints, worst first, and the latest events below them.

All of it fits the screen. Of many endpoints the worst are shown, and the others are counted.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from reconciler.model.problem import Problem
from reconciler.model.status import EndpointInfo, ReplicaEvent
from reconciler.reports.terminal.table import Screen, rich_table
from reconciler.reports.terminal.values import plain
from reconciler.reports.views.endpoints import (
    cut,
    event_text,
    fitting_columns,
    lease_lines,
    summary_line,
    table_of,
    worst_first,
)

if TYPE_CHECKING:
    from rich.live import Live

SHOWN_EVENTS: Final = 6
"""Number of events below the table; on a low screen a sixth of its lines, and a sixth of them for leases."""

ROOMY: Final = 20
"""Lines of a screen from which on a blank line stands below the table."""

STOP: Final = "Press Ctrl-C to stop."


class LiveTable:
    """A table that `show` redraws in place; the last one stays on the screen."""

    def __init__(self, columns: tuple[str, ...], screen: Screen) -> None:
        self._columns = columns
        self._event_lines: deque[str] = deque(maxlen=SHOWN_EVENTS)
        self._live: Live | None = None
        self._colour = screen.colour

    def __enter__(self) -> LiveTable:
        from rich.console import Console
        from rich.live import Live

        console = Console(highlight=False, no_color=not self._colour)
        self._live = Live(console=console, auto_refresh=False, redirect_stdout=False, redirect_stderr=True)
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def show(
        self,
        apps: Sequence[EndpointInfo],
        events: Sequence[ReplicaEvent],
        problem: Problem | None,
        now: datetime,
        screen: Screen,
    ) -> None:
        """Draw the endpoints, the latest events, and the problem that prevented the last poll."""
        from rich.console import Group, RenderableType
        from rich.text import Text

        assert self._live is not None
        self._event_lines.extend(event_text(event, f"{now:%H:%M:%S}") for event in events)
        if problem is not None:
            self._event_lines.append(f"{now:%H:%M:%S}  {plain(problem.summary)}")
            if problem.hint:
                self._event_lines.append(f"{now:%H:%M:%S}  {plain(problem.hint)}")
        few = max(1, screen.height // 6)
        leases = lease_lines(apps, screen)[:few]
        space = [""] if apps and screen.height >= ROOMY else []
        below = [*space, *leases, *([cut(summary_line(apps), screen)] if apps else [])]
        dim = [cut(line, screen) for line in (*list(self._event_lines)[-few:], STOP)]
        # one line for the titles, one for the count of the others, and the last one for the cursor
        room = max(1, screen.height - len(below) - len(dim) - 3)
        shown = worst_first(apps)
        if len(shown) <= room + 1:
            room += 1
        others = len(shown) - room
        parts: list[RenderableType] = [
            rich_table(
                *table_of(
                    shown[:room],
                    fitting_columns(shown[:room], self._columns, now, screen, one_line=True),
                    now,
                    unicode=screen.unicode,
                ),
                screen,
                one_line=True,
            )
            if apps
            else Text("No endpoint found yet.")
        ]
        if others > 0:
            parts.append(Text(f"{'…' if screen.unicode else '...'} and {others:,} more", style="dim"))
        parts += [Text(line) for line in below] + [Text(line, style="dim") for line in dim]
        self._live.update(Group(*parts), refresh=True)
