"""A live endpoint as the YAML that declares it: what is written, left out, and not to be had."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.kinds.endpoint.kind import ENDPOINT
from reconciler.kinds.endpoint.to_yaml import (
    escaped,
    item_of,
    obstacle,
    shape_of,
    spec_of,
)
from reconciler.model.resource import Live
from tests.builders import LARGER, PINNED, SPEC, answer, endpoint, live, parse_bare

BARE = {"endpoint": "base-test", "specName": "s", "image": "ubuntu:22.04"}


def read(value: Any) -> Any:
    """What the YAML means once `$${` is read."""
    match value:
        case str():
            return value.replace("$${", "${")
        case dict():
            return {key: read(item) for key, item in value.items()}
        case list():
            return [read(item) for item in value]
        case _:
            return value


def changed(**fields: Any) -> Live:
    """A live endpoint that answers with some things otherwise."""
    return ENDPOINT.parse_one({**answer(), **fields})


@pytest.mark.parametrize(
    ("declared", "written"),
    [
        ({}, {}),
        ({"replicas": 3}, {"replicas": 3}),
        ({"minReplicas": 2, "maxReplicas": 2}, {"replicas": 2}),
        ({"minReplicas": 0, "maxReplicas": 10}, {"minReplicas": 0, "maxReplicas": 10}),
        ({"taskTimeout": 20}, {"freeTimeout": 20}),
        ({"freeTimeout": 300, "requestTimeout": 3600, "maxConcurrent": 1}, {}),
        ({"requestTimeout": 5, "maxConcurrent": 2}, {"requestTimeout": 5, "maxConcurrent": 2}),
        ({"scaleUpThreshold": 2}, {"policy": {"type": "concurrency", "value": 2}}),
        ({"port": 80, "healthPath": "/"}, {"port": 80, "healthPath": "/"}),
        ({"command": "", "imageAuthId": "a"}, {"imageAuthId": "a"}),
        ({"command": "echo ${HOME}"}, {"command": "echo $${HOME}"}),
        ({"env": {"B": "${x}", "A": ""}}, {"env": {"A": "", "B": "$${x}"}}),
        (
            {"storage": [{"type": "network", "id": "n", "mountPath": "/n"}]},
            {"storage": [{"type": "network", "id": "n", "mountPath": "/n"}]},
        ),
        (
            {"storage": [{"type": "local", "sizeGb": 30, "mountPath": "/w"}]},
            {"storage": [{"type": "local", "sizeGb": 30, "mountPath": "/w"}]},
        ),
        ({"appName": "other"}, {"appName": "other"}),
        ({"appName": "base-test"}, {}),
    ],
)
def test_it_says_what_the_mapping_would_not_fill_in(
    declared: dict[str, Any], written: dict[str, Any]
) -> None:
    """Defaults are left out, one name stands for each field, and `${` is escaped."""
    assert item_of(live(**declared), "s") == {**BARE, **written}


@pytest.mark.parametrize(
    ("name", "app_name", "written"),
    [
        ("chat", "id-1", None),
        ("chat", "", None),
        ("chat", "chat-2", "chat-2"),
        ("My Chat", "my-chat", "my-chat"),
        ("My Chat", "id-1", "id-1"),
        ("My Chat", "", "my-chat"),
    ],
)
def test_the_url_stays(name: str, app_name: str, written: str | None) -> None:
    """An app name is written where the default would be another, or none at all."""
    found = ENDPOINT.parse_one(
        {**answer(name="base-test", object_id="id-1"), "name": name, "appName": app_name}
    )
    assert obstacle(found) == ""
    assert item_of(found, "s").get("appName") == written


declarations: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "image": st.sampled_from(["i:1", "a/b:1.10", "a@sha256:" + "0" * 64]),
        "command": st.text(st.characters(codec="utf-8"), min_size=1, max_size=5) | st.just("$${a} ${b}"),
        "imageAuthId": st.sampled_from(["p", "${"]),
        "replicas": st.integers(1, 3),
        "minReplicas": st.integers(0, 2),
        "maxReplicas": st.integers(2, 3),
        "freeTimeout": st.sampled_from([300, 20]),
        "requestTimeout": st.sampled_from([3600, 20]),
        "maxConcurrent": st.integers(1, 2),
        "port": st.sampled_from([8000, 80]),
        "healthPath": st.sampled_from(["/health", "/", "/${x}"]),
        "policy": st.fixed_dictionaries(
            {"type": st.sampled_from(["queue", "concurrency"]), "value": st.sampled_from([60, 2])}
        ),
        "env": st.dictionaries(
            st.sampled_from(["A", "x.y", "__T"]),
            # an `obstacle` says of a NUL that no variable can hold it
            st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=4) | st.just("$${a"),
        ),
        "storage": st.sampled_from(
            [
                [],
                [{"type": "local", "sizeGb": 30, "mountPath": "/w"}],
                [
                    {"type": "network", "id": "n", "mountPath": "/n"},
                    {"type": "local", "sizeGb": 1, "mountPath": "/w"},
                ],
            ]
        ),
    },
)


@given(declarations, st.sampled_from([SPEC, PINNED, LARGER]))
def test_it_is_the_mapping_backwards(declared: dict[str, Any], spec: Any) -> None:
    """What was declared, created and read is declared again with the same fields."""
    before = endpoint(spec=spec, **declared)
    found = ENDPOINT.parse_one(answer(spec=spec, **declared))
    item = read(item_of(found, spec.name))
    assert obstacle(found) == ""
    assert spec_of(found.fields, [SPEC, LARGER, PINNED]) == spec
    after = endpoint(item.pop("endpoint"), spec=spec, **item)
    assert after.fields == before.fields


def test_what_is_not_reported_is_not_written() -> None:
    """An answer that leaves out half of an endpoint makes no YAML about that half."""
    found = changed(healthy=None, policy=None, ports=None, workerConfig={"gpuNum": 1}, volumeMounts=None)
    assert item_of(found, "s") == BARE
    mount = {"type": "local", "mountPath": "/w"}
    assert item_of(changed(volumeMounts=[mount]), "s")["storage"] == [mount]


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"name": ""}, "it has no name"),
        ({"name": "a\nb"}, "printable"),
        ({"name": "a${b}"}, "printable"),
        ({"name": "a" * 221}, "printable"),
        ({"name": "My Chat", "appName": "My_App"}, "`My_App`"),
        ({"image": None}, "image"),
        ({"image": {"image": "docker://a"}}, "`docker://a` is not the reference"),
        ({"products": [{"id": "a"}, {"id": "b"}]}, "one product"),
        ({"clusterID": ""}, "region"),
        ({"rootfsSize": None}, "rootfs"),
        ({"envs": [{"key": "A B", "value": ""}]}, "'A B'"),
        ({"envs": [{"key": "A", "value": "a\0b"}]}, "its value of A"),
        ({"envs": [{"key": "A", "value": "\ud800"}]}, "its value of A"),
    ],
)
def test_some_cannot_be_declared(fields: dict[str, Any], why: str) -> None:
    """Each says why not."""
    assert why in obstacle(changed(**fields))


def test_a_spec_fits_by_what_it_gives() -> None:
    """By its product, region, GPUs, disk and CUDA version; the first of several; any CUDA version is none."""
    fields = live().fields
    shape = shape_of(fields)
    assert shape is not None
    assert (shape.product_id, shape.gpu, shape.rootfs_gb) == ("SL-serverless-3", 1, 100)
    assert spec_of(fields, [LARGER, PINNED, SPEC]) == SPEC
    assert spec_of(fields, [LARGER, PINNED]) is None
    assert spec_of(live(spec=PINNED).fields, [SPEC, PINNED]) == PINNED
    assert spec_of(parse_bare().fields, [SPEC]) is None


def test_numbers_need_no_escape() -> None:
    """Only texts are spelled otherwise, wherever they are."""
    assert escaped({"a": ["${x}", 1, None, True]}) == {"a": ["$${x}", 1, None, True]}
