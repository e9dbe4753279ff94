"""The live table of `watch` on a terminal: the endpoints, and the latest events below them."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from reconciler.model.problem import Problem
from reconciler.model.status import EndpointInfo, ReplicaEvent
from reconciler.reports.terminal.table import Screen, rich_table
from reconciler.reports.terminal.values import plain
from reconciler.reports.views.endpoints import event_text, summary_line, table_of

if TYPE_CHECKING:
    from rich.live import Live

SHOWN_EVENTS: Final = 6
"""Number of events below the table."""


class LiveTable:
    """A table that `show` redraws in place; the last one stays on the screen."""

    def __init__(self, columns: Sequence[str], screen: Screen) -> None:
        self._columns = columns
        self._screen = screen
        self._event_lines: deque[str] = deque(maxlen=SHOWN_EVENTS)
        self._live: Live | None = None

    def __enter__(self) -> LiveTable:
        from rich.console import Console
        from rich.live import Live

        console = Console(highlight=False, no_color=not self._screen.colour)
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
    ) -> None:
        """Draw the endpoints, the latest events, and the problem that prevented the last poll."""
        from rich.console import Group, RenderableType
        from rich.text import Text

        assert self._live is not None
        self._event_lines.extend(event_text(event, f"{now:%H:%M:%S}") for event in events)
        if problem is not None:
            self._event_lines.append(f"{now:%H:%M:%S}  {plain(problem.summary)}")
        parts: list[RenderableType] = [
            rich_table(*table_of(apps, self._columns, now, unicode=self._screen.unicode), self._screen)
            if apps
            else Text("No endpoint found yet."),
            Text(""),
        ]
        if apps:
            parts.append(Text(summary_line(apps)))
        parts += [Text(line, style="dim") for line in (*self._event_lines, "Press Ctrl-C to stop.")]
        self._live.update(Group(*parts), refresh=True)
