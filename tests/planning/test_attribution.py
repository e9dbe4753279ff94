"""Who moved a field, judged by what was last applied."""

from typing import Any

import pytest

from reconciler.model.plan import Cause
from reconciler.model.values import ABSENT, Path
from reconciler.planning.attribution import cause_of, matches_applied
from tests.builders import KEYRING, OTHER_KEYRING, PINNED, SPEC, change, endpoint, live, secret, tracked

CONFIG, DRIFT, BOTH, UNKNOWN = Cause.CONFIG, Cause.DRIFT, Cause.BOTH, Cause.UNKNOWN
TOKEN = {"env": {"T": secret("old")}}
MOUNT = {"type": "local", "sizeGb": 30, "mountPath": "/w"}

CASES: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any], dict[Path, Cause]]] = [
    ("we changed it", {"port": 1}, {"port": 2}, {"port": 1}, {("ports",): CONFIG}),
    ("they changed it", {"port": 1}, {"port": 1}, {"port": 2}, {("ports",): DRIFT}),
    ("both did", {"port": 1}, {"port": 2}, {"port": 3}, {("ports",): BOTH}),
    ("we declared it now", {}, {"command": "a"}, {}, {("image", "command"): CONFIG}),
    (
        "we declared what they had set otherwise",
        {},
        {"command": "a"},
        {"command": "b"},
        {("image", "command"): CONFIG},
    ),
    ("we dropped it", {"command": "a"}, {}, {"command": "a"}, {("image", "command"): CONFIG}),
    ("they cleared it", {"command": "a"}, {"command": "a"}, {}, {("image", "command"): DRIFT}),
    (
        "we dropped it, they changed it",
        {"command": "a"},
        {},
        {"command": "b"},
        {("image", "command"): BOTH},
    ),
    (
        "they set what we emptied",
        {"command": ""},
        {"command": ""},
        {"command": "b"},
        {("image", "command"): DRIFT},
    ),
    ("we added a key", {}, {"env": {"A": "1"}}, {}, {("envs", "A"): CONFIG}),
    ("we removed a key", {"env": {"A": "1"}}, {}, {"env": {"A": "1"}}, {("envs", "A"): CONFIG}),
    ("they added a key", {}, {}, {"env": {"A": "1"}}, {("envs", "A"): DRIFT}),
    ("they removed a key", {"env": {"A": "1"}}, {"env": {"A": "1"}}, {}, {("envs", "A"): DRIFT}),
    ("they removed an empty key", {"env": {"A": ""}}, {"env": {"A": ""}}, {}, {("envs", "A"): DRIFT}),
    ("both added a key", {}, {"env": {"A": "1"}}, {"env": {"A": "2"}}, {("envs", "A"): BOTH}),
    (
        "a secret was rotated by us",
        TOKEN,
        {"env": {"T": secret("new")}},
        {"env": {"T": "old"}},
        {("envs", "T"): CONFIG},
    ),
    ("a secret was overwritten by them", TOKEN, TOKEN, {"env": {"T": "new"}}, {("envs", "T"): DRIFT}),
    (
        "a secret is a literal now",
        TOKEN,
        {"env": {"T": "new"}},
        {"env": {"T": "old"}},
        {("envs", "T"): CONFIG},
    ),
    ("a secret was removed by them", TOKEN, TOKEN, {}, {("envs", "T"): DRIFT}),
    (
        "a literal is a secret now",
        {"env": {"T": "old"}},
        {"env": {"T": secret("new")}},
        {"env": {"T": "old"}},
        {("envs", "T"): CONFIG},
    ),
    (
        "an image never held a CUDA version",
        {"spec": SPEC},
        {"spec": PINNED},
        {},
        {("workerConfig", "cudaVersion"): CONFIG},
    ),
    ("we added a volume", {}, {"storage": [MOUNT]}, {}, {("volumeMounts", "/w"): CONFIG}),
    ("we removed a volume", {"storage": [MOUNT]}, {}, {"storage": [MOUNT]}, {("volumeMounts", "/w"): CONFIG}),
    (
        "they removed a volume",
        {"storage": [MOUNT]},
        {"storage": [MOUNT]},
        {},
        {("volumeMounts", "/w"): DRIFT},
    ),
    (
        "we grew a volume",
        {"storage": [MOUNT]},
        {"storage": [{**MOUNT, "sizeGb": 60}]},
        {"storage": [MOUNT]},
        {("volumeMounts", "/w", "size"): CONFIG},
    ),
    (
        "we made it a network volume",
        {"storage": [{"type": "network", "mountPath": "/w", "id": "a"}]},
        {"storage": [{"type": "network", "mountPath": "/w", "id": "b"}]},
        {"storage": [{"type": "network", "mountPath": "/w", "id": "a"}]},
        {("volumeMounts", "/w", "id"): CONFIG},
    ),
    (
        "we put a network volume in the place of a local one, whose ID the server had filled in",
        {"storage": [MOUNT]},
        {"storage": [{"type": "network", "mountPath": "/w", "id": "n"}]},
        {"storage": [MOUNT]},
        {("volumeMounts", "/w", "type"): CONFIG, ("volumeMounts", "/w", "id"): CONFIG},
    ),
    (
        "both added a volume",
        {},
        {"storage": [{**MOUNT, "sizeGb": 60}]},
        {"storage": [MOUNT]},
        {("volumeMounts", "/w", "size"): BOTH},
    ),
    (
        "env was ignored last time",
        {"lifecycle": {"ignoreChanges": ["env"]}},
        {"env": {"A": "1"}},
        {"env": {"A": "2"}},
        {("envs", "A"): CONFIG},
    ),
    (
        "replicas were ignored last time",
        {"lifecycle": {"ignoreChanges": ["replicas"]}},
        {"replicas": 2},
        {"replicas": 5},
        {("workerConfig", "minNum"): CONFIG, ("workerConfig", "maxNum"): CONFIG},
    ),
]


@pytest.mark.parametrize(
    ("applied", "declared", "there", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_the_cause_follows_from_what_was_last_applied(
    applied: dict[str, Any], declared: dict[str, Any], there: dict[str, Any], expected: dict[Path, Cause]
) -> None:
    """Three values decide: applied, declared, live."""
    made = change(endpoint(**declared), tracked(**applied), live(**there))
    assert {one.path: one.cause for one in made.fields} == expected


def test_under_another_key_nobody_can_say() -> None:
    """Fingerprints of another key tell nothing; literals are attributed as ever."""
    made = change(
        endpoint(env={"T": secret("new")}, port=2),
        tracked(env={"T": secret("old")}, port=1, keyring=OTHER_KEYRING),
        live(env={"T": "old"}, port=1),
    )
    assert {one.path: one.cause for one in made.fields} == {("ports",): CONFIG, ("envs", "T"): UNKNOWN}


def test_a_record_that_knows_nothing_blames_nobody_else() -> None:
    """Without last-applied values every difference is the YAML's."""
    assert cause_of(("envs", "A"), "1", "2", {}, KEYRING) is CONFIG


def test_a_volume_that_gained_an_id_was_changed_by_us() -> None:
    """An ID that is not live reads empty, and that is no drift from a record without one."""
    path = ("volumeMounts", "/w", "id")
    assert cause_of(path, "", "n-1", {"volumeMounts": {"/w": {"type": "network"}}}, KEYRING) is CONFIG


@pytest.mark.parametrize(
    ("last", "value", "expected"),
    [
        ("a", "a", True),
        ("a", secret("a"), True),
        ("a", secret("b"), False),
        (KEYRING.seal("a", ("x",)), "a", True),
        (KEYRING.seal("a", ("x",)), secret("a"), True),
        (KEYRING.seal("a", ("x",)), secret("b"), False),
        (KEYRING.seal("a", ("x",)), ABSENT, False),
        (ABSENT, ABSENT, True),
        (ABSENT, "", False),
        ({"t": KEYRING.seal("a", ("x", "t"))}, {"t": "a"}, True),
        ({"t": KEYRING.seal("a", ("x", "u"))}, {"t": "a"}, False),
        ({"a": 1}, {"a": 1, "filled": 2}, True),
        ({"a": 1}, {"a": 2}, False),
        ({"a": 1}, {}, False),
        ({"a": 1}, ABSENT, False),
        ([{"port": 1}], [{"port": 1}], True),
    ],
)
def test_a_value_is_the_applied_one(last: Any, value: Any, expected: bool) -> None:
    """Secrets agree through their fingerprint, maps through what was applied of them."""
    assert matches_applied(last, value, KEYRING, ("x",)) is expected
