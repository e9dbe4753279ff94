"""A line on stderr that says how long a request has been waiting, and for what."""

from __future__ import annotations

import sys
import threading
import time
from contextlib import suppress
from shutil import get_terminal_size

from reconciler.model import durations
from reconciler.reports.terminal.escape import plain


class WaitingLine:
    """Shows the reason of a wait: on a terminal in one line, elsewhere as a line for each reason.

    As a context manager it shows nothing in the first second. The line of a terminal is removed at the end.
    """

    def __init__(self, name: str, *, is_terminal: bool) -> None:
        self._name = name
        self._is_terminal = is_terminal
        self._reason = "no answer yet"
        self._said = ""
        self._said_at = 0.0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="waiting", daemon=True)

    def __enter__(self) -> WaitingLine:
        self._started = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def say(self, reason: str) -> None:
        """Change the reason."""
        self._reason = reason

    def stop(self) -> None:
        """Remove the line. A second call does nothing."""
        if not self._stopped.is_set():
            self._stopped.set()
            self._thread.join()
            if self._is_terminal and self._said:
                _write("\r\x1b[K")

    def _run(self) -> None:
        while not self._stopped.wait(durations.WAITING_REDRAW):
            now = time.monotonic()
            reason = self._reason
            is_due = reason != self._said or now - self._said_at >= durations.HEARTBEAT_INTERVAL
            if self._is_terminal or is_due:
                text = plain(f"{self._name}: waiting for {now - self._started:.0f} s: {reason}")
                clipped = text[: get_terminal_size().columns - 1]
                _write(f"\r\x1b[K{clipped}" if self._is_terminal else f"{text}\n")
                self._said, self._said_at = reason, now


def _write(text: str) -> None:
    with suppress(OSError, ValueError):  # a closed stderr must not end the run
        sys.stderr.write(text)
        sys.stderr.flush()
