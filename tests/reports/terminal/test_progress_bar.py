"""The progress bar, which leaves nothing on the terminal when it is stopped."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable

import pytest

from reconciler.model import durations
from reconciler.reports.terminal.progress_bar import ProgressBar
from reconciler.reports.terminal.style import Style


class Terminal:
    """Collects the written text, and what a terminal still shows of it."""

    def __init__(self) -> None:
        self.written = ""
        self.changed = threading.Condition()

    def write(self, text: str) -> None:
        with self.changed:
            self.written += text
            self.changed.notify_all()

    @property
    def seen(self) -> str:
        return re.sub(r"[^\n]*\r\x1b\[K", "", self.written)

    def wait_for(self, what: str) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: what in self.written, timeout=10), self.written


def bar_on(
    write: Callable[[str], None],
    *,
    columns: int = 100,
    seconds: float = 65.0,
    unicode: bool = True,
) -> ProgressBar:
    """Return a bar that started this many seconds ago."""
    return ProgressBar(
        "Listing",
        1200,
        write,
        columns=lambda: columns,
        unicode=unicode,
        clock=iter([0.0, *[seconds] * 10_000]).__next__,
    )


def test_it_shows_progress_and_elapsed_time() -> None:
    terminal = Terminal()
    bar = bar_on(terminal.write)
    bar.done = 300
    terminal.wait_for("300/1,200 1:05")
    assert bar.line() == "Listing " + "━" * 10 + "─" * 30 + " 300/1,200 1:05"
    bar.stop()
    assert terminal.seen == ""


@pytest.mark.parametrize(
    ("columns", "unicode", "line"),
    [
        (40, True, "Listing " + "━" * 4 + "─" * 12 + " 300/1,200 1:05"),
        (40, False, "Listing " + "#" * 4 + "-" * 12 + " 300/1,200 1:05"),
        (20, True, ""),
    ],
)
def test_it_fits_in_one_line(columns: int, unicode: bool, line: str) -> None:
    bar = bar_on(lambda _text: None, columns=columns, unicode=unicode)
    bar.done = 300
    assert bar.line() == line
    assert len(line) < columns
    bar.stop()


def test_a_short_run_has_no_bar() -> None:
    terminal = Terminal()
    bar = bar_on(terminal.write, seconds=durations.MIN_BAR_DURATION - 0.1)
    bar.above("a line\n")
    terminal.wait_for("a line")
    bar.stop()
    assert terminal.written == "a line\n"


def test_text_is_printed_above_it() -> None:
    terminal = Terminal()
    bar = bar_on(terminal.write)
    terminal.wait_for("1:05")
    for number in range(50):
        bar.above(f"line {number}\n")
        time.sleep(0.005)  # so that some are said between two drawings, and some at one
    bar.stop()
    assert terminal.seen == "".join(f"line {number}\n" for number in range(50))


def test_a_closed_terminal_stops_nothing() -> None:
    def gone(_text: str) -> None:
        raise OSError

    bar = bar_on(gone)
    bar.above("x\n")
    bar.stop()
    assert not bar._thread.is_alive()


def test_it_can_be_coloured() -> None:
    bar = ProgressBar(
        "",
        2,
        lambda _text: None,
        columns=lambda: 80,
        style=Style(colour=True),
        clock=iter([0.0, *[9.0] * 99]).__next__,
    )
    bar.done = 2
    assert bar.line() == "\x1b[32m" + "━" * 40 + "\x1b[0m 2/2 0:09"
    bar.stop()
