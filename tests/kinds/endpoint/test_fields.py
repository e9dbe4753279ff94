"""How ignoreChanges and drift.ignore name a field."""

from typing import Any

import pytest

from reconciler.kinds.endpoint.fields import TABLE, partial_fields
from reconciler.model.values import ABSENT, Path


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("replicas", (("workerConfig", "minNum"), ("workerConfig", "maxNum"))),
        ("image", (("image", "image"),)),
        ("image.image", (("image", "image"),)),
        ("image.command", (("image", "command"),)),
        ("workerConfig.maxNum", (("workerConfig", "maxNum"),)),
        ("workerConfig", (("workerConfig",),)),
        ("policy", (("policy",),)),
        ("policy.value", (("policy", "value"),)),
        ("healthy", (("healthy",),)),
        ("rootfsSize", (("rootfsSize",),)),
        ("env", (("envs",),)),
        ("envs", (("envs",),)),
        ("env.HF_TOKEN", (("envs", "HF_TOKEN"),)),
        ("env.a.b", (("envs", "a.b"),)),
        ("envs.a['b']", (("envs", "a['b']"),)),
        ("storage", (("volumeMounts",),)),
        ("storage./work.dir", (("volumeMounts", "/work.dir"),)),
        ("volumeMounts./w", (("volumeMounts", "/w"),)),
        ("env.", ()),
        ("endpoint", ()),
        ("name", ()),
        ("workerConfig.nope", ()),
        ("", ()),
    ],
)
def test_a_yaml_name_or_a_dotted_wire_path_names_fields(text: str, expected: tuple[Path, ...]) -> None:
    """An env key may hold dots itself; what names nothing is found out."""
    assert TABLE.wire_paths(text) == expected


def test_every_suggestion_is_a_name() -> None:
    """What `did you mean` offers can be typed."""
    assert [name for name in TABLE.known_names() if not TABLE.wire_paths(name)] == []
    assert set(TABLE.names) <= set(TABLE.known_names())


def test_partial_fields_stand_where_the_mapping_puts_them() -> None:
    """No other field is mentioned."""
    assert partial_fields({"image": "new:1", "replicas": 3, "taskTimeout": 60, "env": {"A": "1"}}) == {
        "image": {"image": "new:1"},
        "workerConfig": {"minNum": 3, "maxNum": 3, "freeTimeout": 60},
        "envs": {"A": "1"},
    }
    assert partial_fields({"minReplicas": 1}) == {"workerConfig": {"minNum": 1}}
    assert partial_fields({}) == {}


def test_zero_replicas_keep_the_most() -> None:
    """A most of zero would leave no worker that could ever start."""
    assert partial_fields({"replicas": 0}) == {"workerConfig": {"minNum": 0}}


@pytest.mark.parametrize(
    ("path", "label"),
    [
        (("workerConfig", "minNum"), "minReplicas"),
        (("workerConfig", "maxNum"), "maxReplicas"),
        (("workerConfig", "gpuNum"), "specName.gpu"),
        (("workerConfig", "freeTimeout"), "freeTimeout"),
        (("name",), "endpoint"),
        (("appName",), "appName"),
        (("ports",), "port"),
        (("policy", "value"), "policy.value"),
        (("image", "image"), "image"),
        (("products",), "specName.productId"),
        (("healthy", "path"), "healthPath"),
        (("envs",), "env"),
        (("envs", "A.B"), "env.A.B"),
        (("volumeMounts", "/a.b", "size"), "storage./a.b.sizeGb"),
        (("healthy",), "healthy"),
        (("createdAt",), "createdAt"),
        (("specName",), "specName"),
    ],
)
def test_each_field_has_a_name_in_reports(path: Path, label: str) -> None:
    """E3: its name in the YAML; what the YAML does not have keeps its path."""
    assert TABLE.label(path) == label


def test_names_of_reports_can_be_written_back() -> None:
    """A part of a spec is a path like another."""
    assert TABLE.wire_paths("specName.region") == (("clusterID",),)
    assert "specName.region" in TABLE.known_names()


@pytest.mark.parametrize(
    ("path", "value", "shown"),
    [
        (("ports",), [{"port": 8000}], 8000),
        (("ports",), [{"port": 1}, {"port": 2}], [{"port": 1}, {"port": 2}]),
        (("ports",), [{"port": 1, "name": "x"}], [{"port": 1, "name": "x"}]),
        (("ports",), "8", "8"),
        (("ports",), ABSENT, ABSENT),
        (("products",), [{"id": "p"}], "p"),
        (("rootfsSize",), 100, 100),
    ],
)
def test_a_list_of_one_is_shown_as_its_value(path: Path, value: Any, shown: Any) -> None:
    assert TABLE.value_shown(path, value) == shown
