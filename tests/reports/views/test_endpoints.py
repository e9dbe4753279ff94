"""Live endpoints as text."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from reconciler.kinds.endpoint.status import endpoint_info
from reconciler.model.status import Happening, Status
from reconciler.reports.terminal.style import PLAIN, Style
from reconciler.reports.views.endpoint import endpoint_text
from reconciler.reports.views.endpoints import (
    age,
    bar,
    colored_status,
    event_text,
    summary_line,
)
from reconciler.workflow.watch import event_of
from tests.builders import live

NOW = datetime(2026, 11, 24, 21, 0, tzinfo=UTC)
APP = endpoint_info(live())


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-5, "0s"), (0, "0s"), (119, "119s"), (120, "2m"), (7199, "119m"), (7200, "2h"), (172_799, "47h"),
     (172_800, "2d"), (86_400 * 400, "400d")],
)  # fmt: skip
def test_ages(seconds: int, text: str) -> None:
    """The unit is the largest that gives at least 2; an age is never negative."""
    assert age(NOW - timedelta(seconds=seconds), NOW) == text


def test_an_unknown_age() -> None:
    """An unknown age is empty."""
    assert age(None, NOW) == ""


@pytest.mark.parametrize(
    ("ready", "desired", "drawn"),
    [(0, 0, ""), (0, 3, "░░░"), (1, 3, "█░░"), (3, 3, "███"), (5, 3, "███"), (1, 1000, "█░░░░░░░"),
     (999, 1000, "████████"), (1000, 1000, "████████")],
)  # fmt: skip
def test_bars(ready: int, desired: int, drawn: str) -> None:
    """One block per worker up to eight; one ready worker is visible, and surplus workers do not overflow."""
    assert bar(ready, desired) == drawn
    assert bar(ready, desired, unicode=False).isascii()


def test_counts() -> None:
    """Numbers have the right singular and plural."""
    assert summary_line([APP]) == "1 endpoint: 1 running. 0 workers, 0 ready."
    other = replace(APP, status=Status.FAILED, total_replicas=1, ready_replicas=1)
    assert summary_line([APP, other]) == "2 endpoints: 1 running, 1 failed. 1 worker, 1 ready."


def test_every_status_has_a_colour() -> None:
    """Without colour, the text is unchanged."""
    for status in Status:
        assert colored_status(status, "x", Style(colour=True)) != "x"
        assert colored_status(status, "x", PLAIN) == "x"


def test_an_event_in_a_line() -> None:
    """A deleted endpoint has no status, and the message comes last."""
    stuck = replace(APP, name="a\nb", message="no stock")
    assert (
        event_text(event_of(stuck, Happening.CREATED), "now") == "now  a\\nb  created  Running  0/1  no stock"
    )
    assert event_text(event_of(APP, Happening.DELETED), "now") == "now  base-test  deleted  -  0/1"
    quiet = event_of(replace(APP, conditions=()), Happening.CHANGED)
    assert event_text(quiet, "now", wide=True).endswith("id-base-test  running=0  conditions=-")


def test_unknown_details_are_omitted() -> None:
    """A line without a value is omitted."""
    bare = replace(APP, message="", created_at=None, url="", image="", product="", state="")
    text = endpoint_text(bare, {}, NOW)
    assert "created" not in text
    assert "url" not in text
    assert "Novita state" not in text
