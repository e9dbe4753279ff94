"""The comparison of the three sides: what has drifted from the record."""

import dataclasses
from typing import Any

import pytest

from reconciler.model.plan import Cause, Drift, FieldChange
from reconciler.model.resource import Desired, Live, Tracked
from reconciler.model.values import ABSENT, Path
from reconciler.planning.comparison import compare
from reconciler.planning.matching import matched
from tests.builders import KEYRING, OTHER_KEYRING, endpoint, live, parse_bare, plan, secret, tracked


def drift_of(record: Tracked, live: Live | None, desired: Desired | None = None) -> Drift | None:
    """The drift that the comparison finds."""
    return compare(matched(record.name, desired, record, live), KEYRING).drift


def fields_of(record: Tracked, live: Live, desired: Desired | None = None) -> tuple[FieldChange, ...]:
    """The fields that drifted."""
    drift = drift_of(record, live, desired)
    return drift.fields if drift else ()


TOKEN = {"env": {"T": secret("old")}}
T = ("envs", "T")


def moved(
    applied: dict[str, Any], there: dict[str, Any], declared: dict[str, Any] | None = None
) -> dict[Path, tuple[Any, Any]]:
    """Path -> (applied, live) of every field that drifted."""
    desired = None if declared is None else endpoint(**declared)
    return {
        field.path: (field.before, field.after)
        for field in fields_of(tracked(**applied), live(**{"object_id": "id-base-test", **there}), desired)
    }


@pytest.mark.parametrize(
    ("applied", "there", "expected"),
    [
        ({}, {}, {}),
        ({"port": 1}, {"port": 2}, {("ports",): ([{"port": 1}], [{"port": 2}])}),
        ({}, {"command": "theirs", "imageAuthId": "theirs"}, {}),
        ({"command": "ours"}, {}, {("image", "command"): ("ours", "")}),
        ({}, {"env": {"A": "1"}}, {("envs", "A"): (ABSENT, secret("1"))}),
        ({"env": {"A": "1"}}, {}, {("envs", "A"): ("1", ABSENT)}),
        (TOKEN, {"env": {"T": "old"}}, {}),
        (
            TOKEN,
            {"env": {"T": "new"}},
            {("envs", "T"): (KEYRING.seal("old", ("envs", "T")), KEYRING.seal("new", ("envs", "T")))},
        ),
        ({}, {"name": "renamed"}, {("name",): ("base-test", "renamed")}),
    ],
)
def test_the_live_endpoint_is_compared_with_the_record(
    applied: dict[str, Any], there: dict[str, Any], expected: dict[Path, Any]
) -> None:
    """Only what was applied counts; a secret is compared by its fingerprint."""
    assert moved(applied, there) == expected


def test_what_only_the_yaml_changed_is_no_drift() -> None:
    """The account still says what was applied."""
    assert moved({"port": 1}, {"port": 1}, {"port": 2}) == {}


@pytest.mark.parametrize(
    ("ignored", "there"),
    [
        ("replicas", {"replicas": 4}),
        ("env.A", {"env": {"A": "2"}}),
        ("env.A", {}),
        ("env.B", {"env": {"A": "1", "B": "new"}}),
        ("env", {"env": {"C": "3"}}),
        ("image", {"env": {"A": "1"}, "image": "other:1"}),
        ("storage./w", {"env": {"A": "1"}, "storage": [{"type": "local", "sizeGb": 1, "mountPath": "/w"}]}),
    ],
)
def test_what_is_ignored_today_is_no_drift(ignored: str, there: dict[str, Any]) -> None:
    """Even if the record still has it, or it was added in the account."""
    there = {"env": {"A": "1"}, **there} if ignored == "replicas" else there
    applied = {"env": {"A": "1"}}
    assert moved(applied, there, {**applied, "lifecycle": {"ignoreChanges": [ignored]}}) == {}


def test_under_another_key_a_secret_counts_as_unmoved() -> None:
    """Nobody can say, and a rotated key must not cry wolf."""
    assert drift_of(tracked(**TOKEN, keyring=OTHER_KEYRING), live(env={"T": "x"})) is None


def test_a_sensitive_side_is_marked() -> None:
    """A fingerprint on one side, or a hidden live value on the other."""
    fields = fields_of(tracked(**TOKEN, port=1), live(env={"T": "x"}, port=2))
    assert {field.path: field.sensitive for field in fields} == {("ports",): False, ("envs", "T"): True}
    assert {field.cause for field in fields} == {Cause.DRIFT}


def test_a_record_that_knows_nothing_cannot_drift() -> None:
    """A rebuilt inventory may hold IDs alone; and an answer may say next to nothing."""
    (bare,) = plan([], [tracked("bare")], [parse_bare()]).changes
    assert drift_of(tracked("bare"), parse_bare()) is None
    empty = tracked().__class__(name="a", id="id-a", applied={})
    assert drift_of(empty, live("a", port=9)) is None
    assert bare.name == "bare"


def test_what_is_gone_has_drifted() -> None:
    """Somebody deleted it; there are no fields to tell of."""
    drift = drift_of(tracked(), None)
    assert drift is not None
    assert (drift.live, drift.fields, drift.address) == (None, (), "novita_endpoint.base-test")


def test_a_plan_tells_of_drift_beside_its_changes() -> None:
    """Of declared endpoints and of those that are declared no more; gone, renamed or changed."""
    made = plan(
        [
            endpoint("same"),
            endpoint("changed"),
            endpoint("gone"),
            endpoint("new", port=9),
            endpoint("yaml", port=9),
        ],
        [tracked(name) for name in ("same", "changed", "gone", "yaml", "left", "removed", "renamed")],
        [
            live("same"),
            live("changed", port=2),
            live("yaml"),
            live("left", port=2),
            live("removed"),
            live("other", "id-renamed"),
        ],
    )
    assert [(one.name, [field.path for field in one.fields]) for one in made.drift] == [
        ("changed", [("ports",)]),
        ("gone", []),
        ("left", [("ports",)]),
        ("renamed", [("name",)]),
    ]


def test_a_field_that_both_have_moved_says_so() -> None:
    """Whoever reverts it should know that the YAML moved as well."""
    causes = {
        field.path: field.cause
        for field in fields_of(tracked(), live(port=2, healthPath="/x"), endpoint(port=3))
    }
    assert causes == {("ports",): Cause.BOTH, ("healthy", "path"): Cause.DRIFT}


@pytest.mark.parametrize(
    ("there", "declared", "causes"),
    [("new", "new", []), ("old", "new", [Cause.UNKNOWN]), ("new", None, [])],
)
def test_under_another_key_what_is_not_declared_is_unknown(
    there: str, declared: str | None, causes: list[Cause]
) -> None:
    """If live and declared values differ, the cause is unknown."""
    want = endpoint(env={"T": secret(declared)}) if declared else None
    fields = fields_of(tracked(**TOKEN, keyring=OTHER_KEYRING), live(env={"T": there}), want)
    assert [field.cause for field in fields] == causes


def test_where_a_reference_is_unset_drift_is_told_all_the_same() -> None:
    """What was applied is known by its fingerprint; what is declared is not known, so it is not `both`."""
    path = ("envs", "T")
    want = dataclasses.replace(endpoint(env={"T": secret("${env:T}", "${env:T}")}), unset=(path,))
    fields = fields_of(tracked(**TOKEN), live(env={"T": "theirs"}), want)
    assert [(field.path, field.cause) for field in fields] == [(path, Cause.DRIFT)]
    assert drift_of(tracked(**TOKEN), live(env={"T": "old"}), want) is None
    foreign = tracked(**TOKEN, keyring=OTHER_KEYRING)
    assert drift_of(foreign, live(env={"T": "old"}), want) is None
    (change,) = plan([want], [tracked(**TOKEN)], [live(env={"T": "old"})]).pending or [None]
    assert change is None


def test_what_was_made_without_yaml_is_watched_too() -> None:
    """It is recorded as ours; plans never delete it."""
    made = plan([], [tracked("sdk", imperative=True)], [live("sdk", port=9)])
    assert (made.changes, [one.name for one in made.drift]) == ((), ["sdk"])
