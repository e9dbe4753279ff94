"""Who has the last line of a terminal."""

from __future__ import annotations

import pytest

from reconciler.cli.output import Output
from reconciler.model.resource import Listed

PAGE = Listed(count=100, total=300)
OVER = Listed(count=0, total=0, is_over=True)


def test_a_listing_has_a_bar_while_it_lasts(capsys: pytest.CaptureFixture[str]) -> None:
    out = Output()
    out.listed(PAGE)
    bar = out._bar
    assert bar is not None
    assert (bar.done, bar.total) == (100, 300)
    out.listed(Listed(count=200, total=300))
    assert bar.done == 200
    out.line("said meanwhile")
    out.listed(OVER)
    out.line("said afterwards")
    assert capsys.readouterr().err == "said meanwhile\nsaid afterwards\n"
    assert not bar._thread.is_alive()


def test_the_bar_of_an_apply_outlives_the_listings_beside_it() -> None:
    """Those of --wait, for one."""
    out = Output()
    bar = out.begin("", 4)
    out.listed(PAGE)
    out.listed(OVER)
    assert out._bar is bar
    assert (bar.done, bar.total) == (0, 4)
    out.end()
    assert not bar._thread.is_alive()
    out.listed(PAGE)
    assert out._bar is not None
    out.listed(OVER)
    assert out._bar is None
