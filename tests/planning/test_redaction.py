"""Which live values may be shown."""

from dataclasses import replace
from typing import Any

import pytest

from reconciler.model.secrets import Secret, mask
from reconciler.planning.redaction import redact
from tests.builders import endpoint, live, parse_bare, secret, tracked

LITERAL = {"env": {"A": "1"}}
REFERENCE = {"env": {"A": secret("1")}}


@pytest.mark.parametrize(
    ("declared", "applied", "shown"),
    [
        (None, None, False),
        (None, LITERAL, False),
        ({}, None, False),
        ({}, LITERAL, False),
        (LITERAL, None, True),
        (LITERAL, {}, True),
        (LITERAL, LITERAL, True),
        (LITERAL, REFERENCE, False),
        (REFERENCE, None, False),
        (REFERENCE, LITERAL, False),
    ],
)
def test_an_env_value_is_shown_only_where_todays_yaml_spells_it_out(
    declared: dict[str, Any] | None, applied: dict[str, Any] | None, shown: bool
) -> None:
    """And not even then while it still holds what was a secret when it was applied."""
    seen = redact(
        live(env={"A": "live"}),
        None if declared is None else endpoint(**declared).fields,
        None if applied is None else tracked(**applied).applied,
    )
    assert seen.fields["envs"]["A"] == ("live" if shown else secret("live"))


@pytest.mark.parametrize(
    ("declared", "applied", "shown"),
    [
        (None, None, False),
        ({}, None, False),
        ({}, {}, False),
        ({}, {"command": "x"}, True),
        ({}, {"command": secret("x")}, False),
        ({"command": "x"}, None, True),
        ({"command": "x"}, {"command": secret("x")}, False),
        ({"command": secret("x")}, None, False),
        ({"command": secret("x")}, {"command": "x"}, False),
    ],
)
def test_a_command_is_shown_where_we_wrote_it_in_the_clear(
    declared: dict[str, Any] | None, applied: dict[str, Any] | None, shown: bool
) -> None:
    """Today, or when it was last applied."""
    seen = redact(
        live(command="live"),
        None if declared is None else endpoint(**declared).fields,
        None if applied is None else tracked(**applied).applied,
    )
    assert seen.fields["image"]["command"] == ("live" if shown else secret("live"))


def test_only_env_and_command_can_be_secrets() -> None:
    """All else is shown as it is, and concealing twice changes nothing."""
    seen = redact(live(env={"A": "1"}, command="c", imageAuthId="a"))
    assert redact(seen) == seen
    assert {key: value for key, value in seen.fields.items() if mask(value) != value}.keys() == {
        "envs",
        "image",
    }
    assert isinstance(seen.fields["image"]["command"], Secret)
    assert seen.fields["image"]["authId"] == "a"


def test_an_endpoint_that_reports_nothing_has_nothing_to_hide() -> None:
    """Missing objects stay missing."""
    assert redact(parse_bare()).fields == {"name": "bare", "envs": {}, "volumeMounts": {}}


def test_secret_fields_that_the_account_does_not_report_stay_out() -> None:
    """An answer without env has nothing to hide."""
    bare = replace(live(), fields={"name": "base-test"})
    assert redact(bare, endpoint(**LITERAL).fields, tracked(**REFERENCE).applied).fields == bare.fields
