"""Normal form <-> wire: what Novita may answer, and what is sent."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.kinds.answer_reader import number
from reconciler.kinds.endpoint.codec import create_body, parse, parse_all, unsendable, update_body
from reconciler.model.secrets import reveal
from tests.builders import PINNED, SPEC, answer, endpoint, live, secret


def fields(**changes: Any) -> Any:
    """The normal form of a default answer with these keys changed on the wire."""
    return parse({**answer(), **changes}).fields


def test_an_answer_becomes_the_normal_form() -> None:
    """Digit strings are ints, lists are maps, and what is empty or filled in is gone."""
    found = parse(answer(env={"A": "1"}, storage=[{"type": "local", "sizeGb": 30, "mountPath": "/w"}]))
    assert found.fields == {
        "name": "base-test",
        "appName": "base-test",
        "clusterID": "us-dallas-nas-2",
        "workerConfig": {
            "minNum": 1,
            "maxNum": 1,
            "freeTimeout": 300,
            "maxConcurrent": 1,
            "gpuNum": 1,
            "requestTimeout": 3600,
        },
        "policy": {"type": "queue", "value": 60},
        "image": {"image": "ubuntu:22.04"},
        "healthy": {"path": "/health"},
        "ports": [{"port": 8000}],
        "products": [{"id": "SL-serverless-3"}],
        "rootfsSize": 100,
        "envs": {"A": "1"},
        "volumeMounts": {"/w": {"type": "local", "id": "vol-1", "size": 30}},
    }
    assert (found.id, found.name, found.state) == ("id-base-test", "base-test", "serving")
    assert found.url == "https://id-base-test-base-test.runsync.novita.dev"


@pytest.mark.parametrize("value", [None, [], {}, "", 0, "absent"])
@pytest.mark.parametrize(
    "key",
    [
        "workerConfig",
        "policy",
        "image",
        "healthy",
        "ports",
        "products",
        "rootfsSize",
        "clusterID",
        "appName",
        "state",
        "url",
        "workers",
    ],
)
def test_what_is_not_reported_is_left_out(key: str, value: Any) -> None:
    """Null, absent, empty or of another type: nothing is known then, and nothing breaks."""
    changed = {**answer(), key: value}
    if value == "absent":
        del changed[key]
    found = parse(changed)
    rest = {name: value for name, value in parse(answer()).fields.items() if name != key}
    kept = {name: value for name, value in found.fields.items() if name != key}
    assert kept == rest
    if value != 0 or key != "rootfsSize":
        assert key not in found.fields


@pytest.mark.parametrize("value", [None, [], {}, ""])
@pytest.mark.parametrize("key", ["envs", "volumeMounts"])
def test_no_envs_and_no_volumes_are_empty(key: str, value: Any) -> None:
    """Whichever way the answer says it, the map is there and empty."""
    assert fields(**{key: value})[key] == {}
    bare = answer()
    del bare[key]
    assert parse(bare).fields[key] == {}


@pytest.mark.parametrize(
    ("given_value", "expected"),
    [
        (5, 5),
        ("5", 5),
        ("-1", -1),
        ("", None),
        ("x", None),
        ("1.5", None),
        (5.0, 5),
        (1.5, None),
        (float("inf"), None),
        (float("nan"), None),
        (True, None),
        (None, None),
        ([], None),
        ("9" * 5000, None),
    ],
)
def test_a_number_is_an_int_or_digits(given_value: Any, expected: int | None) -> None:
    """Anything else is no number, and no reason to fail."""
    assert number(given_value) == expected


@pytest.mark.parametrize("version", ["any", "", None, "absent"])
def test_any_empty_and_absent_cuda_are_one(version: Any) -> None:
    """All leave the choice to Novita."""
    worker = {**answer()["workerConfig"], "cudaVersion": version}
    if version == "absent":
        del worker["cudaVersion"]
    assert "cudaVersion" not in fields(workerConfig=worker)["workerConfig"]


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("envs", [{"key": "A"}, {"key": "", "value": "x"}, {"value": "x"}, "y"], {"A": ""}),
        ("envs", [{"key": "A", "value": 5}, {"key": "B", "value": None}], {"A": "5", "B": ""}),
        ("volumeMounts", [{"type": "local", "size": "30"}, {"mountPath": "/w", "size": 0}], {"/w": {}}),
        ("products", [{"id": "b"}, {"id": "a"}, {"id": ""}, {}], [{"id": "a"}, {"id": "b"}]),
        ("ports", [{"port": "80"}, {"port": 81}, {}, None], [{"port": 80}, {"port": 81}]),
        ("policy", {"type": "queue"}, {"type": "queue"}),
        ("policy", {"type": "", "value": "4"}, {"value": 4}),
        ("healthy", {"path": "/p", "period": 10, "timeout": "10"}, {"path": "/p"}),
        ("image", {"image": "i:1", "authId": "", "command": None, "digest": "x"}, {"image": "i:1"}),
        ("image", {"image": "i:1", "authId": 7, "command": ["a", "b"]}, {"image": "i:1", "authId": "7"}),
        ("policy", {"type": ["queue"], "value": 4}, {"value": 4}),
    ],
)
def test_parts_are_read_as_far_as_they_make_sense(key: str, value: Any, expected: Any) -> None:
    """What we do not know, or cannot use, is not carried into a comparison."""
    assert fields(**{key: value})[key] == expected


@pytest.mark.parametrize(
    ("state", "expected"),
    [({"state": "serving", "error": ""}, "serving"), ("stopped", "stopped"), ({}, ""), (None, "")],
)
def test_the_state_is_a_word_or_an_object(state: Any, expected: str) -> None:
    """Both are seen in the wild."""
    assert parse({**answer(), "state": state}).state == expected


@pytest.mark.parametrize("state", ["terminating", "deleting"])
def test_an_endpoint_on_its_way_out_says_so(state: str) -> None:
    """It can neither be changed nor adopted."""
    assert live(state=state).is_terminating
    assert not live().is_terminating


@pytest.mark.parametrize("wrong", [None, [], "x", {}, {"endpoint": {}}])
def test_without_anything_of_an_endpoint_it_is_none(wrong: Any) -> None:
    """Nothing could be done with it."""
    with pytest.raises(ValueError, match="an endpoint without an id"):
        parse(wrong)


@pytest.mark.parametrize("wrong", ["", 5, None, "a\nb", "\ud800", ["id"], {"id": "x"}])
def test_an_id_that_cannot_be_read_is_named(wrong: Any) -> None:
    """The endpoint counts in a listing, and nothing can be done about it."""
    found = parse({**answer(), "id": wrong})
    assert not found.is_identified
    assert found.name == "base-test"


def test_items_of_a_page_that_cannot_be_read_are_told_apart() -> None:
    """Each counts, also those that read alike and those too deep to be looked at, and stays the same."""
    deep: list[Any] = []
    for _ in range(3000):
        deep = [deep]
    items = [answer(), None, None, {"name": deep}, {"name": "a", "volumeMounts": [{"mountPath": ""}]}]
    found = parse_all(items)
    assert len({one.id for one in found}) == len(items)
    assert found == parse_all(items)
    assert [one.is_identified for one in found] == [True, False, False, False, False]


@pytest.mark.parametrize(
    ("odd", "said", "lost"),
    [
        ({"envs": [{"key": ["a"]}]}, {"envs": {"A": "1"}}, ()),
        ({"envs": [{"key": ["a"]}]}, {"envs": {}}, (("envs",),)),
        ({"envs": [{"key": "A", "value": []}]}, {"envs": {"A": "1"}}, ()),
        ({"envs": [{"key": "A", "value": ["x"]}]}, {"envs": {"B": "1"}}, (("envs", "A"),)),
        ({"workerConfig": "x"}, {"workerConfig": {"minNum": 1}}, (("workerConfig",),)),
        ({"workerConfig": {"cudaVersion": ["x"]}}, {}, (("workerConfig", "cudaVersion"),)),
        ({"image": {"image": ["x"]}}, {"image": {"image": "y:1"}}, ()),
        ({"createdAt": "x", "workers": 5, "products": "x", "rootfsSize": "x"}, {}, ()),
    ],
)
def test_an_update_lacks_what_it_sends_and_nobody_said(odd: Any, said: Any, lost: Any) -> None:
    """Not what it never sends, nor what it says itself."""
    assert unsendable(parse({**answer(), **odd}), said) == lost


def test_tombstone_workers_and_server_fields_are_no_fields() -> None:
    """They are kept in `raw` for those who look at workers, and compared by nobody."""
    found = parse(answer())
    assert found.raw["workers"][0]["state"]["state"] == "removed"
    assert set(found.fields).isdisjoint({"workers", "createdAt", "url", "state", "id"})


def test_a_create_body_is_whole_and_in_documented_order() -> None:
    """The seed's table on the wire: envs sorted, optional fields only when they are set."""
    desired = endpoint(
        env={"B": "2", "A": "1"},
        command="",
        imageAuthId="auth",
        storage=[
            {"type": "network", "id": "n", "mountPath": "/n"},
            {"type": "local", "sizeGb": 5, "mountPath": "/a"},
        ],
    )
    body = create_body(desired.fields, desired.app_name)
    assert json.dumps(body) == json.dumps(
        {
            "endpoint": {
                "name": "base-test",
                "appName": "base-test",
                "workerConfig": {
                    "minNum": 1,
                    "maxNum": 1,
                    "freeTimeout": 300,
                    "maxConcurrent": 1,
                    "gpuNum": 1,
                    "requestTimeout": 3600,
                    "cudaVersion": "any",
                },
                "ports": [{"port": 8000}],
                "policy": {"type": "queue", "value": 60},
                "image": {"image": "ubuntu:22.04", "authId": "auth"},
                "products": [{"id": "SL-serverless-3"}],
                "rootfsSize": 100,
                "volumeMounts": [
                    {"type": "local", "size": 5, "mountPath": "/a"},
                    {"type": "network", "id": "n", "mountPath": "/n"},
                ],
                "clusterID": "us-dallas-nas-2",
                "envs": [{"key": "A", "value": "1"}, {"key": "B", "value": "2"}],
                "healthy": {"path": "/health"},
            }
        }
    )


def test_an_update_body_is_flat_full_and_free_of_what_is_fixed() -> None:
    """appName, products and rootfsSize are never in it, whatever is declared."""
    body = update_body(live(), endpoint(appName="other", replicas=2).fields)
    assert body == {
        "id": "id-base-test",
        "name": "base-test",
        "workerConfig": {
            "minNum": 2,
            "maxNum": 2,
            "freeTimeout": 300,
            "maxConcurrent": 1,
            "gpuNum": 1,
            "requestTimeout": 3600,
        },
        "ports": [{"port": 8000}],
        "policy": {"type": "queue", "value": 60},
        "image": {"image": "ubuntu:22.04"},
        "volumeMounts": [],
        "clusterID": "us-dallas-nas-2",
        "envs": [],
        "healthy": {"path": "/health"},
    }


def test_an_update_carries_what_we_do_not_own() -> None:
    """A credential, a pinned CUDA version and a volume's ID that were set elsewhere survive."""
    there = live(
        spec=PINNED, imageAuthId="auth", storage=[{"type": "local", "sizeGb": 30, "mountPath": "/w"}]
    )
    wanted = endpoint(storage=[{"type": "local", "sizeGb": 60, "mountPath": "/w"}])
    body = update_body(there, wanted.fields)
    assert body["image"] == {"image": "ubuntu:22.04", "authId": "auth"}
    assert body["workerConfig"]["cudaVersion"] == "12.4"
    assert body["volumeMounts"] == [{"type": "local", "id": "vol-1", "size": 60, "mountPath": "/w"}]


def test_a_volume_of_another_type_takes_nothing_from_its_predecessor() -> None:
    """A local disk must not be sent with the ID of the network storage that it replaces."""
    there = live(storage=[{"type": "network", "id": "n-1", "mountPath": "/w"}])
    body = update_body(there, endpoint(storage=[{"type": "local", "sizeGb": 30, "mountPath": "/w"}]).fields)
    assert body["volumeMounts"] == [{"type": "local", "size": 30, "mountPath": "/w"}]


def test_an_update_from_nothing_sends_all_that_is_live() -> None:
    """What the fields leave out keeps its live value, and what neither side has is left out."""
    there = live(env={"A": "1"}, storage=[{"type": "local", "sizeGb": 30, "mountPath": "/w"}])
    sent = update_body(there, {})
    assert sent["envs"] == [{"key": "A", "value": "1"}]
    assert sent["volumeMounts"] == [{"type": "local", "id": "vol-1", "size": 30, "mountPath": "/w"}]
    assert update_body(parse({"id": "x", "name": "n"}), {}) == {
        "id": "x",
        "name": "n",
        "workerConfig": {},
        "image": {},
        "volumeMounts": [],
        "envs": [],
    }


texts = st.text(st.characters(codec="utf-8"), max_size=8)
names = texts.filter(bool)
counts = st.integers(1, 2**31 - 1)
declarations = st.fixed_dictionaries(
    {},
    optional={
        "appName": st.just("other"),
        "image": st.from_regex(r"[a-z0-9]+:\w{1,9}", fullmatch=True, alphabet=st.characters(codec="ascii")),
        "command": texts | names.map(secret),
        "imageAuthId": names,
        "replicas": counts,
        "minReplicas": st.integers(0, 5),
        "freeTimeout": counts,
        "requestTimeout": counts,
        "maxConcurrent": counts,
        "policy": st.fixed_dictionaries({"type": st.sampled_from(["queue", "concurrency"]), "value": counts}),
        "port": st.integers(1, 65535),
        "healthPath": names,
        "env": st.dictionaries(names, texts | texts.map(secret), max_size=4),
        "storage": st.lists(
            st.one_of(
                st.fixed_dictionaries({"type": st.just("local"), "sizeGb": counts, "mountPath": names}),
                st.fixed_dictionaries({"type": st.just("network"), "id": names, "mountPath": names}),
            ),
            max_size=3,
            unique_by=lambda mount: mount["mountPath"],
        ),
        "spec": st.sampled_from([SPEC, PINNED]),
    },
)


@given(declarations)
def test_what_was_sent_is_read_back(declared: dict[str, Any]) -> None:
    """However the server re-types, re-orders and fills in, every emitted field has its value."""
    desired = endpoint(**declared)
    found = parse(answer(**declared)).fields
    sent = reveal(desired.fields)
    assert {**sent, "appName": desired.app_name}.keys() == found.keys()
    for key, value in sent.items():
        if key == "volumeMounts":
            assert {path: {**found[key][path], **mount} for path, mount in value.items()} == found[key]
        elif isinstance(value, dict) and key != "envs":
            assert {k: v for k, v in value.items() if v not in ("", "any")} == found[key]
        else:
            assert found[key] == value
