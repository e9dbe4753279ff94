"""A bar at the bottom of a terminal, above which all other text passes.

A thread draws it, ten times a second at most and together with all that was said meanwhile: who has something
to say pays for nothing but the saying. rich would take a fifth of the time of an apply of a thousand.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from reconciler.reports.terminal.style import PLAIN, Style

EVERY: Final = 0.1
"""Seconds between two drawings."""

LONG: Final = 1.0
"""Seconds until a run is long enough for a bar."""

WIDEST: Final = 40
"""Columns of the bar itself."""

_CLEAR: Final = "\r\x1b[K"


class Bar:
    """Counts up to `total`; draws with `write`, on a terminal as wide as `columns` says.

    Every method may be called from any thread. Whoever has made it must `stop` it.
    """

    def __init__(
        self,
        what: str,
        total: int,
        write: Callable[[str], None],
        *,
        columns: Callable[[], int],
        style: Style = PLAIN,
        unicode: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.what = what
        self.total = total
        self.done = 0
        self._write = write
        self._columns = columns
        self._style = style
        self._full, self._empty = ("━", "─") if unicode else ("#", "-")
        self._clock = clock
        self._began = clock()
        self._guard = threading.Lock()  # of the two below, and of the terminal
        self._said: list[str] = []
        self._drawn = ""
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep_drawing, name="bar", daemon=True)
        self._thread.start()

    def above(self, text: str) -> None:
        """Say something, in whole lines."""
        with self._guard:
            self._said.append(text)

    def stop(self) -> None:
        """Say what is still to be said, and leave nothing of the bar."""
        self._over.set()
        self._thread.join()
        self._draw("")

    def _keep_drawing(self) -> None:
        while not self._over.wait(EVERY):
            self._draw(self.line())

    def line(self) -> str:
        """The bar as it is now; "" while it is not worth one, or has no room."""
        seconds = int(self._clock() - self._began)
        counts = f"{self.done:,}/{self.total:,} {seconds // 60}:{seconds % 60:02}"
        head = f"{self.what} " if self.what else ""
        room = min(WIDEST, self._columns() - len(head) - len(counts) - 2)
        if seconds < LONG or room < 1:
            return ""
        full = room * min(self.done, self.total) // max(self.total, 1)
        return f"{head}{self._style.added(self._full * full)}{self._empty * (room - full)} {counts}"

    def _draw(self, line: str) -> None:
        with self._guard:
            text = "".join(self._said)
            if not text and line == self._drawn:
                return
            self._said.clear()
            clear = _CLEAR if self._drawn else ""
            self._drawn = line
            with suppress(OSError):  # who watches may leave, and the work goes on
                self._write(clear + text + line)
