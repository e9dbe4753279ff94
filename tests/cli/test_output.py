"""Output of a run: the progress bar in the last line of a terminal, and colour."""

from __future__ import annotations

import io
import threading
import time
from typing import Any

import pytest

from reconciler.cli.output import Output, is_coloured
from reconciler.model.resource import ListingProgress
from reconciler.reports.terminal import progress_bar

PAGE = ListingProgress(count=100, total=300)
LISTING_DONE = ListingProgress(count=0, total=0, is_done=True)


def test_a_listing_shows_a_progress_bar(capsys: pytest.CaptureFixture[str]) -> None:
    out = Output()
    out.listing_progress(PAGE)
    bar = out._progress_bar
    assert bar is not None
    assert (bar.done, bar.total) == (100, 300)
    out.listing_progress(ListingProgress(count=200, total=300))
    assert bar.done == 200
    out.line("said meanwhile")
    out.listing_progress(LISTING_DONE)
    out.line("said afterwards")
    assert capsys.readouterr().err == "said meanwhile\nsaid afterwards\n"
    assert not bar._thread.is_alive()


def test_the_bar_of_an_apply_takes_precedence_over_a_listing() -> None:
    """The listings of --wait do not replace the bar."""
    out = Output()
    bar = out.start_bar("", 4)
    out.listing_progress(PAGE)
    out.listing_progress(LISTING_DONE)
    assert out._progress_bar is bar
    assert (bar.done, bar.total) == (0, 4)
    out.stop_bar()
    assert not bar._thread.is_alive()
    out.listing_progress(PAGE)
    assert out._progress_bar is not None
    out.listing_progress(LISTING_DONE)
    assert out._progress_bar is None


def test_a_bar_that_is_being_started_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """One thread may end a listing while another starts its bar."""
    begun = threading.Event()

    class Slow(progress_bar.ProgressBar):
        def __init__(self, *given: Any, **more: Any) -> None:
            begun.set()
            time.sleep(0.2)  # in which the other thread would get ahead
            super().__init__(*given, **more)

    monkeypatch.setattr(progress_bar, "ProgressBar", Slow)
    out = Output()
    listing = threading.Thread(target=out.listing_progress, args=(PAGE,))
    listing.start()
    assert begun.wait(60)
    out.listing_progress(LISTING_DONE)
    listing.join(60)
    assert out._progress_bar is None


def test_nothing_is_printed_after_close(capsys: pytest.CaptureFixture[str]) -> None:
    """Background threads print nothing after the end of a run."""
    out = Output()
    out.listing_progress(PAGE)
    bar = out._progress_bar
    assert bar is not None
    out.line("in time")
    out.close()
    assert not bar._thread.is_alive()
    out.line("too late")
    out.listing_progress(PAGE)
    assert out._progress_bar is None
    assert capsys.readouterr().err == "in time\n"


@pytest.mark.parametrize(
    ("environ", "no_color", "expected"),
    [
        ({}, False, False),
        ({"FORCE_COLOR": "1"}, False, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, False),
        ({"FORCE_COLOR": "1"}, True, False),
    ],
)
def test_colour_without_a_terminal(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], no_color: bool, expected: bool
) -> None:
    """FORCE_COLOR enables it, for CI logs; NO_COLOR and --no-color take precedence."""
    for name in ("FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert is_coloured(io.StringIO(), no_color=no_color) is expected
