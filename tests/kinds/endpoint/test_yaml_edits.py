"""What is written so that the YAML says what is live, and what is left to a person."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.kinds.endpoint.yaml_edits import edits_for
from reconciler.kinds.registry import ENDPOINT
from reconciler.model.values import Fields, Path
from reconciler.planning.diff import differences
from reconciler.yamlfile.edits import Edit, Remove, Set, apply_edits
from tests.builders import LARGER, PINNED, SPEC, endpoint, live, parse_bare, secret

WORKERS: tuple[Path, ...] = (("workerConfig", "minNum"), ("workerConfig", "maxNum"))
POLICY: tuple[Path, ...] = (("policy", "type"), ("policy", "value"))
BASE = {"endpoint": "base-test", "specName": SPEC.name, "image": "ubuntu:22.04"}


def accepted(declared: dict[str, Any], fields: Fields, *paths: Path, **more: Any) -> tuple[Edit, ...]:
    """The edits, where no problem is in the way."""
    edits, problems = edits_for({**BASE, **declared}, paths, fields, **more)
    assert problems == ()
    return edits


def refused(declared: dict[str, Any], fields: Fields, *paths: Path, **more: Any) -> str:
    """Why nothing is edited, and what to do."""
    edits, (problem,) = edits_for({**BASE, **declared}, paths, fields, **more)
    assert (edits, problem.code, problem.address) == ((), "cannot-accept", "novita_endpoint.base-test")
    return f"{problem.summary} | {problem.hint}"


@pytest.mark.parametrize(
    ("declared", "now", "edits"),
    [
        ({}, (3, 3), {"replicas": 3}),
        ({"replicas": 2}, (3, 3), {"replicas": 3}),
        ({"replicas": 2}, (0, 3), {"minReplicas": 0, "maxReplicas": 3, "replicas": None}),
        ({}, (1, 3), {"minReplicas": 1, "maxReplicas": 3}),
        ({"minReplicas": 0, "maxReplicas": 3}, (0, 5), {"maxReplicas": 5}),
        ({"maxReplicas": 3}, (2, 2), {"minReplicas": 2, "maxReplicas": 2}),
        ({"maxReplicas": 3, "replicas": 1}, (0, 2), {"maxReplicas": 2, "replicas": None}),
    ],
)
def test_workers_are_told_as_they_are_declared(
    declared: dict[str, Any], now: tuple[int, int], edits: dict[str, Any]
) -> None:
    """A fixed number stays one as long as it can; a range takes its place, and its own `replicas` with it."""
    fields = live(minReplicas=now[0], maxReplicas=now[1]).fields
    found = accepted(declared, fields, *WORKERS)
    assert {one.path[0]: one.value if isinstance(one, Set) else None for one in found} == edits


@pytest.mark.parametrize("name", ["freeTimeout", "taskTimeout", "scaleDownIdleTime"])
def test_the_timeout_that_counts_is_edited(name: str) -> None:
    """The first of its three names that is declared; `freeTimeout` where none is."""
    path = ("workerConfig", "freeTimeout")
    fields = live(freeTimeout=20).fields
    names = ("freeTimeout", "taskTimeout", "scaleDownIdleTime")
    declared = dict.fromkeys(names[names.index(name) :], 5)
    assert accepted(declared, fields, path) == (Set(path=(name,), value=20),)
    assert accepted({}, fields, path) == (Set(path=("freeTimeout",), value=20),)


@pytest.mark.parametrize(
    ("declared", "now", "edit"),
    [
        ({}, ("queue", 5), Set(path=("policy",), value={"type": "queue", "value": 5})),
        ({"scaleUpThreshold": 2}, ("concurrency", 5), Set(path=("scaleUpThreshold",), value=5)),
        ({"scaleUpThreshold": 2}, ("queue", 5), Set(path=("policy",), value={"type": "queue", "value": 5})),
        ({"policy": {"type": "queue", "value": 1}}, ("queue", 5), Set(path=("policy", "value"), value=5)),
        (
            {"policy": {"type": "queue", "value": 5}},
            ("concurrency", 5),
            Set(path=("policy", "type"), value="concurrency"),
        ),
    ],
)
def test_the_policy_is_edited_where_it_is_declared(
    declared: dict[str, Any], now: tuple[str, int], edit: Edit
) -> None:
    """In `policy`, else in `scaleUpThreshold` if that can say it, else in a new `policy`."""
    fields = live(policy={"type": now[0], "value": now[1]}).fields
    assert accepted(declared, fields, *POLICY) == (edit,)


@pytest.mark.parametrize(
    ("path", "declared", "name", "value"),
    [
        (("image", "image"), {"image": "x:2"}, "image", "x:2"),
        (("image", "command"), {"command": "echo ${X}"}, "command", "echo $${X}"),
        (("image", "authId"), {"imageAuthId": "a"}, "imageAuthId", "a"),
        (("ports",), {"port": 80}, "port", 80),
        (("healthy", "path"), {"healthPath": "/"}, "healthPath", "/"),
        (("workerConfig", "requestTimeout"), {"requestTimeout": 5}, "requestTimeout", 5),
        (("workerConfig", "maxConcurrent"), {"maxConcurrent": 5}, "maxConcurrent", 5),
        (("appName",), {"appName": "other"}, "appName", "other"),
        (
            ("volumeMounts", "/w", "size"),
            {"storage": [{"type": "local", "sizeGb": 5, "mountPath": "/w"}]},
            "storage",
            [{"type": "local", "sizeGb": 5, "mountPath": "/w"}],
        ),
    ],
)
def test_most_fields_are_one_key(path: Path, declared: dict[str, Any], name: str, value: Any) -> None:
    """The live value is written under its name, `${` escaped."""
    assert accepted({}, live(**declared).fields, path) == (Set(path=(name,), value=value),)


def test_what_is_gone_is_removed() -> None:
    """A command, a credential or the storage that was taken away; a null where something beneath says it."""
    fields = live().fields
    declared = {"command": "x", "storage": [{"type": "network", "id": "n", "mountPath": "/n"}]}
    paths: tuple[Path, ...] = (("image", "command"), ("volumeMounts", "/n"))
    assert accepted(declared, fields, *paths) == (Remove(path=("command",)), Remove(path=("storage",)))
    assert accepted(declared, fields, *paths, beneath={"command": "y"}) == (
        Set(path=("command",), value=None),
        Remove(path=("storage",)),
    )


def test_env_values_follow_and_new_ones_are_references() -> None:
    """A literal takes the new value; what somebody added is referred to, and never written."""
    fields = live(env={"A": "2", "NEW": "hf_secret", "PATH": "/x", "E": ""}).fields
    declared = {"env": {"A": "1", "GONE": "1", "R": "${env:R}", "E": "1"}}
    keys = ("A", "NEW", "PATH", "GONE", "R", "E")
    found = accepted(declared, fields, *(("envs", key) for key in keys), beneath={"env": {"GONE": "0"}})
    assert found == (
        Set(path=("env", "A"), value="2"),
        Set(path=("env", "NEW"), value="${env:NEW}"),
        Set(path=("env", "PATH"), value="${env:BASE_TEST_PATH}"),
        Set(path=("env", "GONE"), value=None),
        Remove(path=("env", "R")),
        Set(path=("env", "E"), value=""),
    )
    whole = accepted({"env": {"A": "1"}}, fields, ("envs",))
    assert [one.path[1] for one in whole] == ["A", "E", "NEW", "PATH"]


def test_a_wrapped_value_is_not_written() -> None:
    """What may be a secret becomes a reference in `env`, and a problem in `command`."""
    fields = {"envs": {"A": secret("hf_1")}, "image": {"command": secret("run hf_1")}}
    assert accepted({"env": {"A": "1"}}, fields, ("envs", "A")) == (Set(path=("env", "A"), value="${env:A}"),)
    assert "as a reference" in refused({}, fields, ("image", "command"))


def test_a_new_name_keeps_the_endpoint() -> None:
    """`renamedFrom` leads from the old one, and the app name is said where the default would not do."""
    named = live("chat-2").fields
    assert accepted({}, named, ("name",)) == (
        Set(path=("endpoint",), value="chat-2"),
        Set(path=("renamedFrom",), value="base-test"),
    )
    odd = {**named, "name": "My Chat"}
    assert accepted({}, odd, ("name",))[2] == Set(path=("appName",), value="chat-2")
    assert accepted({}, {"name": "My Chat"}, ("name",))[2] == Set(path=("appName",), value="my-chat")
    assert len(accepted({"appName": "a"}, odd, ("name",))) == 2


def test_a_shape_is_another_spec() -> None:
    """All that a spec says changes together; without a spec that says it, the problem tells which to add."""
    fields = live(spec=LARGER).fields
    paths: tuple[Path, ...] = (("products",), ("workerConfig", "gpuNum"))
    assert accepted({}, fields, *paths, specs=[SPEC, LARGER]) == (Set(path=("specName",), value="large"),)
    assert "productId SL-serverless-9, region us-dallas-nas-2, gpu 2" in refused({}, fields, *paths)
    pinned = live(spec=PINNED).fields
    assert "cudaVersion 12.4" in refused({}, pinned, ("workerConfig", "cudaVersion"), specs=[SPEC])
    assert "does not report" in refused({}, parse_bare().fields, ("rootfsSize",), specs=[SPEC])


@pytest.mark.parametrize(
    ("declared", "path", "what", "live_value"),
    [
        ({"image": "x:${env:TAG}"}, ("image", "image"), "`image` is x:${env:TAG}", '"live:1"'),
        ({"command": "${file:c}"}, ("image", "command"), "`command` is ${file:c}", "what is live"),
        ({"env": {"A": "${env:A}"}}, ("envs", "A"), "`env.A` is ${env:A}", "what is live"),
        ({"replicas": "${env:N}"}, WORKERS[0], "`replicas` is ${env:N}", "4"),
        ({"minReplicas": "${env:N}"}, WORKERS[1], "`minReplicas` is ${env:N}", "4"),
        ({"policy": {"type": "queue", "value": "${env:N}"}}, POLICY[0], "`policy` is ${env:N}", "7"),
        ({"scaleUpThreshold": "${env:N}"}, POLICY[0], "`scaleUpThreshold` is ${env:N}", "7"),
        (
            {"storage": [{"type": "network", "id": "${env:N}", "mountPath": "/n"}]},
            ("volumeMounts", "/n"),
            "`storage` is a reference",
            "what is live",
        ),
    ],
)
def test_a_reference_is_never_overwritten(
    declared: dict[str, Any], path: Path, what: str, live_value: str
) -> None:
    """It is named, with what it would have to say; not so where that may be a secret."""
    policy = {"type": "queue", "value": 7}
    now = live(image="live:1", command="run hf_1", env={"A": "hf_1"}, replicas=4, policy=policy)
    said = refused(declared, now.fields, path)
    assert said.endswith(f"{what}, and references are not overwritten | let it say {live_value}")
    assert "hf_" not in said


def test_an_escaped_brace_is_no_reference() -> None:
    """`$${` is a literal, and may be overwritten."""
    found = accepted({"command": "$${X}"}, live(command="y").fields, ("image", "command"))
    assert found == (Set(path=("command",), value="y"),)


values: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "image": st.sampled_from(["i", "j"]),
        "command": st.sampled_from(["x", "y"]),
        "imageAuthId": st.sampled_from(["x", "y"]),
        "replicas": st.integers(1, 3),
        "minReplicas": st.integers(0, 2),
        "maxReplicas": st.integers(2, 3),
        "freeTimeout": st.integers(1, 2),
        "taskTimeout": st.integers(1, 2),
        "policy": st.fixed_dictionaries(
            {"type": st.sampled_from(["queue", "concurrency"]), "value": st.integers(1, 2)}
        ),
        "scaleUpThreshold": st.integers(1, 2),
        "port": st.sampled_from([8000, 80]),
        "storage": st.sampled_from([[], [{"type": "local", "sizeGb": 30, "mountPath": "/w"}]]),
        "env": st.dictionaries(st.sampled_from("AB"), st.sampled_from("xy")),
    },
)


@given(values, values)
def test_afterwards_the_yaml_says_what_is_live(declared: dict[str, Any], there: dict[str, Any]) -> None:
    """From any declaration to any other, with what is new in `env` in its variable."""
    seen = live(**there)
    want, have = ENDPOINT.sides(endpoint(**declared).fields, None, seen.fields, ())
    paths = [path for path, _, _ in differences(have, want)]
    after = apply_edits(declared, accepted(declared, seen.fields, *paths))
    for key, value in after.get("env", {}).items():
        if value.startswith("${env:"):
            after["env"][key] = seen.fields["envs"][key]
    want, have = ENDPOINT.sides(endpoint(**after).fields, None, seen.fields, ())
    assert have == want


def test_a_version_writes_its_references() -> None:
    """A field and a variable of an earlier version are written as the references that they had."""
    fields = {
        "image": {"image": secret(source="ghcr.io/acme/chat:${env:TAG}")},
        "envs": {"HF_TOKEN": secret()},
    }
    paths: tuple[Path, ...] = (("image", "image"), ("envs", "HF_TOKEN"))
    assert accepted({"env": {"HF_TOKEN": "plain"}}, fields, *paths, from_history=True) == (
        Set(path=("image",), value="ghcr.io/acme/chat:${env:TAG}"),
        Set(path=("env", "HF_TOKEN"), value="${env:HF_TOKEN}"),
    )


def test_a_live_credential_takes_the_place_of_a_named_one() -> None:
    """The ID is written in place of the name, or nothing if the image is pulled without one."""
    path: Path = ("image", "authId")
    named = {"imageAuth": "hub"}
    edits = accepted(named, {"image": {"authId": "auth-2"}}, path)
    assert edits == (Remove(path=("imageAuth",)), Set(path=("imageAuthId",), value="auth-2"))
    assert accepted(named, {"image": {}}, path) == (Remove(path=("imageAuth",)),)
