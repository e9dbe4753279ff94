"""Which fields count in a comparison, and what a write is made from."""

from typing import Any

import pytest

from reconciler.kinds.endpoint.codec import parse
from reconciler.kinds.registry import ENDPOINT
from reconciler.model.secrets import Secret
from reconciler.model.values import Fields, Path
from tests.builders import KEYRING, PINNED, SPEC, answer, endpoint, live, tracked

MOUNT = {"type": "local", "sizeGb": 30, "mountPath": "/w"}


def equal(applied: Fields | None, declared: dict[str, Any], there: dict[str, Any], **wire: Any) -> bool:
    """Whether nothing is to be done between a declaration and what was created from another one."""
    found = parse({**answer(**there), **wire})
    want, have = ENDPOINT.sides(endpoint(**declared).fields, applied, found.fields, ())
    return want == have


@pytest.mark.parametrize(
    ("declared", "there", "wire"),
    [
        ({}, {}, {}),
        ({}, {}, {"healthy": None}),
        ({}, {}, {"ports": None, "policy": None, "products": None, "rootfsSize": None}),
        ({}, {}, {"workerConfig": None, "image": None, "clusterID": ""}),
        ({"command": "x", "spec": PINNED}, {}, {"workerConfig": None, "image": None}),
        ({}, {"command": "x", "imageAuthId": "a", "spec": PINNED}, {}),
        ({}, {"appName": "other"}, {}),
        ({}, {}, {"envs": None, "volumeMounts": None, "workers": None}),
        ({"env": {"B": "2", "A": "1"}}, {"env": {"A": "1", "B": "2"}}, {}),
        ({"storage": [MOUNT]}, {"storage": [MOUNT]}, {}),
        ({"command": ""}, {}, {}),
        ({"spec": SPEC}, {"spec": SPEC}, {"more": {"unknown": 1}}),
    ],
)
def test_what_the_server_fills_in_or_leaves_out_is_no_change(
    declared: dict[str, Any], there: dict[str, Any], wire: dict[str, Any]
) -> None:
    """Only fields that we emit count, and what is not reported cannot have changed."""
    assert equal(None, declared, there, **wire)


@pytest.mark.parametrize(
    ("declared", "there", "wire"),
    [
        ({"command": "x"}, {}, {}),
        ({"command": ""}, {"command": "x"}, {}),
        ({"appName": "mine"}, {"appName": "other"}, {}),
        ({"spec": PINNED}, {}, {}),
        ({}, {"env": {"A": "1"}}, {}),
        ({}, {"storage": [MOUNT]}, {}),
        ({"env": {"A": ""}}, {}, {}),
        ({"storage": [MOUNT]}, {}, {}),
        ({}, {}, {"healthy": {"path": "/other"}}),
        ({}, {}, {"ports": [{"port": 8000}, {"port": 8001}]}),
    ],
)
def test_what_is_emitted_and_differs_is_a_change(
    declared: dict[str, Any], there: dict[str, Any], wire: dict[str, Any]
) -> None:
    """The declared maps of env and storage are the whole maps."""
    assert not equal(None, declared, there, **wire)


@pytest.mark.parametrize(
    "field", [("image", "command"), ("image", "authId"), ("workerConfig", "cudaVersion")]
)
def test_an_optional_field_that_was_dropped_is_emptied(field: Path) -> None:
    """Emitted last time and not now: it is wanted empty; never emitted: it is not ours."""
    head, leaf = field
    before = endpoint(command="x", imageAuthId="a", spec=PINNED).fields
    want = ENDPOINT.owned(endpoint().fields, before)
    assert want[head][leaf] == ""
    for applied in (None, {}, {head: {}}, {head: {leaf: ""}}):
        assert leaf not in ENDPOINT.owned(endpoint().fields, applied)[head]


def test_dropped_fields_are_emptied_in_one_order() -> None:
    """The bytes of a request are the same in every process."""
    want = ENDPOINT.owned(endpoint().fields, endpoint(command="x", imageAuthId="a").fields)
    assert list(want["image"]) == ["image", "authId", "command"]


def test_an_undeclared_app_name_was_never_emitted() -> None:
    """Not declared now, it is not ours, even if the record holds one."""
    want, have = ENDPOINT.sides(
        endpoint().fields, endpoint(appName="old").fields, live(appName="old").fields, ()
    )
    assert "appName" not in want
    assert want == have


def test_owning_copies() -> None:
    """The declared fields are not changed by looking at them."""
    desired = endpoint()
    ENDPOINT.owned(desired.fields, endpoint(command="x").fields)["image"]["image"] = "changed"
    assert desired == endpoint()


IGNORED: list[tuple[list[str], dict[str, Any], dict[str, Any]]] = [
    (["replicas"], {"replicas": 5}, {"replicas": 2}),
    (["maxReplicas"], {"minReplicas": 0, "maxReplicas": 9}, {"minReplicas": 0, "maxReplicas": 2}),
    (["workerConfig.minNum", "workerConfig.maxNum"], {"replicas": 5}, {"replicas": 2}),
    (["workerConfig"], {"replicas": 5, "freeTimeout": 9}, {"maxConcurrent": 7}),
    (["env.A"], {"env": {"A": "1", "B": "2"}}, {"env": {"A": "other", "B": "2"}}),
    (["env.A"], {"env": {"A": "1"}}, {}),
    (["env.A"], {}, {"env": {"A": "1"}}),
    (["env.a.b"], {"env": {"a.b": "1"}}, {"env": {"a.b": "2"}}),
    (["env"], {"env": {"A": "1"}}, {"env": {"B": "2"}}),
    (["storage"], {}, {"storage": [MOUNT]}),
    (["storage./w"], {"storage": [MOUNT]}, {}),
    (["image"], {"image": "a:1"}, {"image": "b:1"}),
    (["command"], {"command": "a"}, {"command": "b"}),
    (["command"], {"command": "a"}, {}),
    (["policy.value"], {"policy": {"type": "queue", "value": 1}}, {}),
    (["policy"], {"policy": {"type": "concurrency", "value": 1}}, {}),
    (["specName"], {"spec": PINNED}, {}),
    (["appName"], {"appName": "a"}, {"appName": "b"}),
    (["appName"], {}, {"appName": "b"}),
    (["healthPath"], {"healthPath": "/a"}, {}),
    (["healthy"], {"healthPath": "/a"}, {}),
]


@pytest.mark.parametrize(("names", "declared", "there"), IGNORED)
def test_an_ignored_field_is_wanted_as_it_is_live(
    names: list[str], declared: dict[str, Any], there: dict[str, Any]
) -> None:
    """YAML names, wire paths, prefixes and env keys with dots all make the two sides equal."""
    desired = endpoint(**declared, lifecycle={"ignoreChanges": names})
    want, have = ENDPOINT.sides(desired.fields, None, live(**there).fields, desired.lifecycle.ignore)
    assert want == have


@pytest.mark.parametrize(("names", "declared", "there"), IGNORED)
def test_a_replacement_keeps_the_live_value_of_ignored_fields(
    names: list[str], declared: dict[str, Any], there: dict[str, Any]
) -> None:
    """A create from its fields says of every ignored field what was live."""
    desired = endpoint(**declared, lifecycle={"ignoreChanges": names})
    found = live(**there)
    want, _ = ENDPOINT.sides(desired.fields, None, found.fields, desired.lifecycle.ignore)
    made = ENDPOINT.replacement(want, found.fields, desired.lifecycle.ignore)
    for path in desired.lifecycle.ignore:
        assert at(made, path) == at(found.fields, path)


def at(tree: Any, path: Path) -> Any:
    for segment in path:
        tree = tree.get(segment, "") if isinstance(tree, dict) else ""
    return tree


def test_a_replacement_keeps_ignored_fields_that_are_not_ours() -> None:
    """An ignored command or app name that somebody else set goes with the endpoint."""
    ignore = [("image", "command"), ("appName",), ("workerConfig",)]
    found = live(command="theirs", appName="theirs", spec=PINNED)
    made = ENDPOINT.replacement(endpoint().fields, found.fields, ignore)
    assert made["image"] == {"image": "ubuntu:22.04", "command": "theirs"}
    assert made["appName"] == "theirs"
    assert made["workerConfig"]["cudaVersion"] == "12.4"


def test_a_replacement_keeps_its_declared_value_where_nothing_is_reported() -> None:
    """An ignored field that the answer left out is still sent, because a create needs it."""
    ignore = [("products",), ("policy", "value"), ("workerConfig", "requestTimeout")]
    worker = {key: value for key, value in answer()["workerConfig"].items() if key != "requestTimeout"}
    found = parse({**answer(), "products": None, "policy": None, "workerConfig": worker})
    want, _ = ENDPOINT.sides(endpoint().fields, None, found.fields, ignore)
    assert ENDPOINT.replacement(want, found.fields, ignore) == ENDPOINT.owned(endpoint().fields, None)


def test_ignored_fields_are_not_recorded() -> None:
    """An apply does not claim what it left alone."""
    desired = endpoint(env={"A": "1", "B": "2"}, command="x")
    recorded = ENDPOINT.emitted(
        desired.fields, [("envs", "A"), ("policy",), ("image", "command"), ("healthy", "path"), ("nope", "x")]
    )
    assert recorded == {
        **{key: value for key, value in desired.fields.items() if key != "policy"},
        "envs": {"B": "2"},
        "image": {"image": "ubuntu:22.04"},
        "healthy": {},
    }


def test_a_sealed_command_that_was_dropped_is_emptied() -> None:
    """Whether the value was a secret does not matter to who owns it."""
    before = tracked(command=Secret(value="x", source="${env:X}"), keyring=KEYRING).applied
    assert ENDPOINT.owned(endpoint().fields, before)["image"]["command"] == ""
