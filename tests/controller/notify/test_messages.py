"""The texts of notifications: bounded, with what needs a person first, and as their schema says."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from reconciler.config.schema import load_schema
from reconciler.controller.events import EventKind
from reconciler.controller.notify.messages import chat_text, json_message, slack_message, title

from .test_delivery import event

SCHEMA = Draft202012Validator(load_schema("notification"), format_checker=FormatChecker())


@pytest.mark.parametrize("kind", list(EventKind))
def test_each_kind_of_event_is_as_the_schema_says(kind: EventKind) -> None:
    told = replace(event(kind), digest="a" * 64, is_repeated=True)
    SCHEMA.validate(json.loads(json_message([told, event()])))


def test_the_schema_knows_each_kind_and_no_other() -> None:
    known = load_schema("notification")["$defs"]["event"]["properties"]["kind"]["enum"]
    assert known == [kind.value for kind in EventKind]


def test_a_storm_is_one_bounded_message_with_the_urgent_first() -> None:
    storm = [event(EventKind.DRIFT_FOUND, f"novita_endpoint.e{number}") for number in range(5000)]
    told = [*storm, event(EventKind.FAILED, "account")]
    document = json.loads(json_message(told))
    SCHEMA.validate(document)
    assert (len(document["events"]), document["omitted"]) == (100, 4901)
    assert document["events"][0]["kind"] == "failed"
    lines = chat_text(told).splitlines()
    assert lines[:2] == [
        "reconciler (prod): 1 failed, 5,000 drift found", "[failed] account <changed> & moved",
    ]  # fmt: skip
    assert lines[-1] == "and 4,981 more events"
    assert len(slack_message(told)) < 40_000, "Slack cuts longer texts"


def test_a_chat_gets_a_few_lines_of_each_event_and_the_command_of_a_plan() -> None:
    told = replace(
        event(EventKind.WAITING, "plan"),
        details=tuple(f"line {number}" for number in range(8)),
        digest="abc123",
        is_repeated=True,
        environment="",
    )
    assert title([told]) == "reconciler: 1 waiting"
    assert chat_text([told]).splitlines()[1:] == [
        "[waiting] (still) plan <changed> & moved",
        *(f"    line {number}" for number in range(5)),
        "    and 3 more lines",
        "    to apply it: reconciler approve abc123",
    ]
    in_prod = chat_text([replace(told, environment="prod")])
    assert in_prod.endswith("    to apply it: reconciler -e prod approve abc123")


def test_nothing_of_an_event_is_markup_or_a_mention_in_slack() -> None:
    told = replace(event(), summary="<!channel> <https://evil|x> &lt;", details=("<@U123>",))
    text = json.loads(slack_message([told]))["text"]
    assert "<" not in text
    assert ">" not in text
    assert "&lt;!channel&gt;" in text
    assert "&amp;lt;" in text
