"""The messages of `--events`, in the format of Terraform's machine-readable UI."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from reconciler.model.apply_events import (
    ApplyReport,
    ApplyStarted,
    ChangeEnded,
    ChangeResult,
    ChangeServing,
    ChangeStarted,
    ChangeWaiting,
    Outcome,
)
from reconciler.model.plan import Change
from reconciler.model.problem import Severity
from reconciler.model.run_report import RunReport
from reconciler.reports.run.apply_stream import (
    event_message,
    final_messages,
    plan_messages,
    progress_message,
    version_message,
)
from tests.builders import change, endpoint, live, plan, tracked
from tests.reports import samples

NEW = change(endpoint("a"), None, None)
DELETED = change(None, tracked("a"), live("a"))
RESOURCE = {
    "addr": "novita_endpoint.a",
    "module": "",
    "resource": "novita_endpoint.a",
    "implied_provider": "novita",
    "resource_type": "novita_endpoint",
    "resource_name": "a",
    "resource_key": None,
}


def ended(outcome: Outcome, made: Change = NEW) -> ChangeEnded:
    object_id = "id-a" if outcome is Outcome.DONE else None
    return ChangeEnded(
        result=ChangeResult(change=made, outcome=outcome, id=object_id, seconds=1.25, problem=samples.REFUSAL)
    )


def test_the_first_message_has_the_versions() -> None:
    """The first message has Terraform's format."""
    message = version_message()
    assert (message["type"], message["terraform"], message["ui"]) == ("version", "1.11.0", "1.2")


def test_a_plan_has_one_message_per_change() -> None:
    """Drift comes first and the number of changes last, in Terraform's words."""
    messages = list(plan_messages(samples.every_action()))
    changes = [(one["type"], one["change"]) for one in messages[:-1]]
    assert [(kind, one["resource"]["resource_name"], one["action"]) for kind, one in changes] == [
        ("resource_drift", "gone", "delete"),
        ("resource_drift", "tuned", "update"),
        ("planned_change", "adopted", "update"),
        ("planned_change", "fresh", "create"),
        ("planned_change", "gone", "remove"),
        ("planned_change", "larger", "replace"),
        ("planned_change", "old", "delete"),
        ("planned_change", "scaled", "update"),
        ("planned_change", "tuned", "update"),
    ]
    assert messages[2]["change"]["importing"] == {"id": "id-adopted"}
    assert messages[3]["@message"] == "novita_endpoint.fresh: Plan to create"
    assert messages[-1] == {
        "@level": "info",
        "@message": "Plan: 1 to import, 2 to add, 3 to change, 2 to destroy.",
        "type": "change_summary",
        "changes": {"add": 2, "change": 3, "import": 1, "remove": 2, "operation": "plan"},
    }
    (imported, _) = plan_messages(plan([endpoint("a")], [], [live("a")]))
    assert imported["change"]["action"] == "import"


def test_the_messages_of_one_change() -> None:
    """The messages contain the ID once it is known, and the elapsed time."""
    start = event_message(ChangeStarted(change=NEW), 0.0)
    assert start == {
        "@level": "info",
        "@message": "novita_endpoint.a: Creating...",
        "type": "apply_start",
        "hook": {"resource": RESOURCE, "action": "create"},
    }
    assert progress_message(NEW, 10.0004) == {
        "@level": "info",
        "@message": "novita_endpoint.a: Still creating... [10s elapsed]",
        "type": "apply_progress",
        "hook": {"resource": RESOURCE, "action": "create", "elapsed_seconds": 10.0},
    }
    end = event_message(ended(Outcome.DONE), 0.0)
    assert end
    assert (end["type"], end["hook"]) == (
        "apply_complete",
        {
            "resource": RESOURCE,
            "action": "create",
            "id_key": "id",
            "id_value": "id-a",
            "elapsed_seconds": 1.25,
        },
    )
    known = event_message(ChangeStarted(change=DELETED), 0.0)
    assert known
    assert (known["hook"]["id_key"], known["hook"]["id_value"]) == ("id", "id-a")


def test_failed_changes_have_errored() -> None:
    """A failed or unresolved change is an error; a change that was not attempted has no message."""
    for outcome in (Outcome.FAILED, Outcome.UNRESOLVED):
        message = event_message(ended(outcome), 0.0)
        assert message
        assert (message["type"], message["hook"]["elapsed_seconds"]) == ("apply_errored", 1.25)
    assert event_message(ended(Outcome.NOT_ATTEMPTED), 0.0) is None
    assert event_message(ApplyStarted(total=1), 0.0) is None


def test_a_wait_has_a_reason() -> None:
    """Another message says that the endpoint serves."""
    waiting = event_message(ChangeWaiting(change=NEW, why="for a worker"), 3.0)
    assert waiting
    assert (waiting["type"], waiting["hook"]["waiting"]) == ("apply_progress", "for a worker")
    assert waiting["hook"]["elapsed_seconds"] == 3.0
    serving = event_message(ChangeServing(change=NEW, seconds=42.0), 0.0)
    assert serving
    assert (serving["type"], serving["@message"]) == ("log", "novita_endpoint.a: Serving after 42s")


def last(found: RunReport) -> list[dict[str, Any]]:
    """Return the last messages without the outputs."""
    messages = final_messages(found, found.report or ApplyReport())
    return [message for message in messages if message["type"] != "outputs"]


def test_problems_are_diagnostics() -> None:
    """They have a place; a note is a log message, because Terraform has no such severity."""
    error, warning, summary = last(samples.refused())
    assert error == {
        "@level": "error",
        "@message": "Error: `old` has `preventDestroy` and would be deleted",
        "type": "diagnostic",
        "diagnostic": {
            "severity": "error",
            "summary": "`old` has `preventDestroy` and would be deleted",
            "detail": "Remove `preventDestroy` first, in a commit of its own",
            "code": "prevent-destroy",
            "address": "novita_endpoint.old",
            "range": {
                "filename": "endpoints.yaml",
                "start": {"line": 12, "column": 7},
                "end": {"line": 12, "column": 21},
            },
        },
    }
    assert (warning["@level"], warning["diagnostic"]["severity"]) == ("warn", "warning")
    assert summary["@message"] == "No change was completed."
    note = replace(samples.WARNING, severity=Severity.NOTE)
    assert last(samples.failed(note, code=0))[0]["type"] == "log"


@pytest.mark.parametrize(
    ("found", "line", "counts"),
    [
        (
            samples.applied(Outcome.DONE),
            "Apply complete! Resources: 1 imported, 2 added, 3 changed, 2 destroyed.",
            (2, 3, 1, 2),
        ),
        (
            samples.applied(Outcome.DONE, Outcome.FAILED, Outcome.NOT_ATTEMPTED),
            "Apply incomplete: 1 done, 1 failed, 5 not attempted.",
            (0, 1, 1, 0),
        ),
        (
            samples.applied(Outcome.DONE, Outcome.NOT_ATTEMPTED, interrupted=True),
            "Apply interrupted: 1 done, 6 not attempted.",
            (0, 1, 1, 0),
        ),
    ],
    ids=["complete", "incomplete", "interrupted"],
)
def test_the_summary_counts_completed_changes(
    found: RunReport, line: str, counts: tuple[int, int, int, int]
) -> None:
    """Changes that were not completed are not counted."""
    summary = last(found)[-1]
    assert summary["@message"] == line
    changes = summary["changes"]
    assert (changes["add"], changes["change"], changes["import"], changes["remove"]) == counts
    assert changes["operation"] == "apply"
    is_destroy = last(replace(found, is_destroy=True))[-1]
    assert is_destroy["changes"]["operation"] == "destroy"


def test_no_secret_is_in_a_message() -> None:
    """This holds for declared, applied and live secrets."""
    found = samples.applied(Outcome.FAILED)
    assert found.plan
    events = [ended(Outcome.FAILED, one) for one in found.plan.pending]
    messages = [*plan_messages(found.plan), *(event_message(one, 0.0) for one in events), *last(found)]
    assert "hf_" not in json.dumps(messages)
