"""A progress bar in the last line of a terminal; other text is printed above it.

A thread draws the bar, at most ten times a second, together with the text printed since the last drawing. So
printing text costs its callers almost nothing: rich's progress bar takes a fifth of the time of an apply of a
thousand endpoints.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from reconciler.model import durations
from reconciler.reports.terminal.style import PLAIN, Style

MAX_WIDTH: Final = 40
"""Width of the bar without its text, in columns."""

_CLEAR: Final = "\r\x1b[K"


class ProgressBar:
    """Shows `done` of `total`; `write` writes to the terminal, and `columns` returns its width.

    Every method may be called from any thread. The creator must call `stop`.
    """

    def __init__(
        self,
        title: str,
        total: int,
        write: Callable[[str], None],
        *,
        columns: Callable[[], int],
        style: Style = PLAIN,
        unicode: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.title = title
        self.total = total
        self.done = 0
        self._write = write
        self._columns = columns
        self._style = style
        self._full, self._empty = ("━", "─") if unicode else ("#", "-")
        self._clock = clock
        self._started = clock()
        self._lock = threading.Lock()  # guards the two fields below, and the terminal
        self._pending: list[str] = []
        self._drawn = ""
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._keep_drawing, name="progress bar", daemon=True)
        self._thread.start()

    def count(self, title: str, total: int) -> None:
        """Begin again at none of `total`, with another title."""
        self.title, self.total, self.done = title, total, 0

    def above(self, text: str) -> None:
        """Print whole lines above the bar."""
        with self._lock:
            self._pending.append(text)

    def stop(self) -> None:
        """Print the pending text, and remove the bar."""
        self._stopped.set()
        self._thread.join()
        self._draw("")

    def _keep_drawing(self) -> None:
        while not self._stopped.wait(durations.REDRAW_INTERVAL):
            self._draw(self.line())

    def line(self) -> str:
        """Return the current bar, or "" while the run is short or the terminal is too narrow."""
        seconds = int(self._clock() - self._started)
        counts = f"{self.done:,}/{self.total:,} {seconds // 60}:{seconds % 60:02}"
        head = f"{self.title} " if self.title else ""
        room = min(MAX_WIDTH, self._columns() - len(head) - len(counts) - 2)
        if seconds < durations.MIN_BAR_DURATION or room < 1:
            return ""
        full = room * min(self.done, self.total) // max(self.total, 1)
        return f"{head}{self._style.added(self._full * full)}{self._empty * (room - full)} {counts}"

    def _draw(self, line: str) -> None:
        with self._lock:
            text = "".join(self._pending)
            if not text and line == self._drawn:
                return
            self._pending.clear()
            clear = _CLEAR if self._drawn else ""
            self._drawn = line
            with suppress(OSError):  # the terminal may be closed during a run
                self._write(clear + text + line)
