"""Progress of a running apply: lines and the progress bar."""

import pytest

from reconciler.model.apply_events import (
    ApplyEvent,
    ApplyReport,
    ApplyStarted,
    ChangeEnded,
    ChangeResult,
    ChangeServing,
    ChangeStarted,
    ChangeWaiting,
    Outcome,
    WaitStarted,
)
from reconciler.model.problem import Problem
from reconciler.reports.terminal.progress import (
    BarProgress,
    LineProgress,
    apply_report_text,
    duration_text,
    event_line,
)
from reconciler.reports.terminal.progress_bar import ProgressBar
from tests.builders import change, endpoint

CREATE = change(endpoint("a"), None, None)
PROBLEM = Problem(code="x", summary="it broke", detail="this is why", hint="do that")


def ended(outcome: Outcome, *, seconds: float = 3.0, problem: Problem | None = None) -> ChangeEnded:
    object_id = "id-a" if outcome is Outcome.DONE else None
    return ChangeEnded(
        result=ChangeResult(change=CREATE, outcome=outcome, id=object_id, seconds=seconds, problem=problem)
    )


LINES: list[tuple[ApplyEvent, str | None]] = [
    (ApplyStarted(total=1), None),
    (ChangeStarted(change=CREATE), "novita_endpoint.a: Creating..."),
    (ChangeWaiting(change=CREATE, why="for it"), "novita_endpoint.a: Waiting: for it"),
    (ChangeServing(change=CREATE, seconds=119.0), "novita_endpoint.a: Serving after 1m59s"),
    (WaitStarted(total=1), None),
    (
        ChangeServing(change=CREATE, seconds=1.0, idle="idle: nothing yet"),
        "novita_endpoint.a: idle: nothing yet",
    ),
    (ended(Outcome.DONE, seconds=150.0), "novita_endpoint.a: Creation complete after 2m30s [id=id-a]"),
    (ended(Outcome.FAILED, problem=PROBLEM), "novita_endpoint.a: Failed after 3s: it broke"),
    (ended(Outcome.UNRESOLVED), "novita_endpoint.a: Unresolved after 3s"),
    (ended(Outcome.NOT_ATTEMPTED, problem=PROBLEM), None),
]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "0s"),
        (59.4, "59s"),
        (59.6, "1m0s"),
        (160, "2m40s"),
        (210, "3m30s"),
        (3600, "1h0m0s"),
        (7505, "2h5m5s"),
    ],
)
def test_a_duration_is_in_whole_units(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


def test_an_event_is_a_line() -> None:
    """Events for the bar, and changes that were not begun, have no line."""
    assert [event_line(event) for event, _ in LINES] == [line for _, line in LINES]


def test_lines_for_pipes() -> None:
    """Only the lines are written."""
    said: list[str] = []
    with LineProgress(said.append) as lines:
        for event, _ in LINES:
            lines(event)
    assert said == [line for _, line in LINES if line]


class Counter(ProgressBar):
    """A progress bar that only counts."""

    def __init__(self, total: int) -> None:
        self.done, self.total = 0, total


def test_a_terminal_gets_the_same_lines_and_a_bar() -> None:
    said: list[str] = []
    progress_bar: list[Counter] = []

    def begin(total: int) -> Counter:
        progress_bar.append(Counter(total))
        return progress_bar[-1]

    with BarProgress(said.append, begin, lambda: said.append("end")) as watched:
        assert progress_bar == []
        for event, _ in LINES:
            watched(event)
    assert said == [*(line for _, line in LINES if line), "end"]
    assert [(bar.done, bar.total) for bar in progress_bar] == [(5, 1)]


def test_without_changes_there_is_no_bar() -> None:
    """The bar starts with the first event only."""
    said: list[str] = []
    with BarProgress(said.append, Counter, lambda: said.append("end")) as watched:
        watched(ApplyStarted(total=0))
    assert said == []


def test_the_report_lists_incomplete_changes() -> None:
    """The text has the counts, and each incomplete change with its problem."""
    results = tuple(event.result for event, _ in LINES if isinstance(event, ChangeEnded))
    assert apply_report_text(ApplyReport(results=results)) == (
        "Apply incomplete: 1 done, 1 failed, 1 unresolved, 1 not attempted.\n"
        "  novita_endpoint.a: create failed\n"
        "    it broke\n"
        "    This is why\n"
        "    Do that\n"
        "  novita_endpoint.a: create unresolved\n"
        "  novita_endpoint.a: create not attempted\n"
    )
    assert apply_report_text(ApplyReport(results=results, interrupted=True), is_destroy=True).startswith(
        "Destroy interrupted: 1 done"
    )
