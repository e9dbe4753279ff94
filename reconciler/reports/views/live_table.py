"""The live table of a watch on a terminal: the endpoints as they are, and below what happened last."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from reconciler.model.problem import Problem
from reconciler.model.status import EndpointInfo, ReplicaEvent
from reconciler.reports.terminal.table import Screen, rich_table
from reconciler.reports.terminal.values import plain
from reconciler.reports.views.endpoints import counts, event_text, table_of

if TYPE_CHECKING:
    from rich.live import Live

SHOWN_EVENTS: Final = 6
"""Events that stay in sight."""


class LiveTable:
    """Redrawn in place by `show`; what it showed last stays on the screen."""

    def __init__(self, columns: Sequence[str], screen: Screen) -> None:
        self._columns = columns
        self._screen = screen
        self._past: deque[str] = deque(maxlen=SHOWN_EVENTS)
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
        """Draw the endpoints as they are, with the latest events and what keeps us from seeing more."""
        from rich.console import Group, RenderableType
        from rich.text import Text

        assert self._live is not None
        self._past.extend(event_text(event, f"{now:%H:%M:%S}") for event in events)
        if problem is not None:
            self._past.append(f"{now:%H:%M:%S}  {plain(problem.summary)}")
        parts: list[RenderableType] = [
            rich_table(*table_of(apps, self._columns, now, unicode=self._screen.unicode), self._screen)
            if apps
            else Text("No endpoint found yet."),
            Text(""),
        ]
        if apps:
            parts.append(Text(counts(apps)))
        parts += [Text(line, style="dim") for line in (*self._past, "Press Ctrl-C to stop.")]
        self._live.update(Group(*parts), refresh=True)
