"""One declared item -> its normal form, and what is said about it."""

from typing import Any

import pytest

from reconciler.kinds.endpoint.from_yaml import desired_endpoint, shared_app_names, suggested_app_name
from reconciler.model.problem import Place, Problem, Severity
from reconciler.model.resource import Desired
from reconciler.model.values import Path
from tests.builders import PINNED, SPEC, endpoint, secret


def place(path: Path) -> Place:
    """A place whose file is the path, so that tests can tell where a problem points."""
    return Place(file=".".join(path), line=1, column=1)


def told(**declared: Any) -> tuple[Desired | None, tuple[Problem, ...]]:
    return desired_endpoint({"endpoint": "base-test", "image": "ubuntu:22.04", **declared}, SPEC, place)


def test_an_endpoint_of_two_lines_has_all_defaults() -> None:
    """What is not declared has the default of the mapping table."""
    assert endpoint().fields == {
        "name": "base-test",
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
        "image": {"image": "ubuntu:22.04"},
        "products": [{"id": "SL-serverless-3"}],
        "rootfsSize": 100,
        "volumeMounts": {},
        "clusterID": "us-dallas-nas-2",
        "envs": {},
        "healthy": {"path": "/health"},
    }


def test_an_undeclared_app_name_is_no_field() -> None:
    """It is the endpoint's name on create, and counts for nothing afterwards."""
    assert (endpoint().app_name, "appName" in endpoint().fields) == ("base-test", False)
    declared = endpoint(appName="other")
    assert (declared.app_name, declared.fields["appName"]) == ("other", "other")


FIELDS: list[tuple[dict[str, Any], Path, Any]] = [
    ({"command": "serve"}, ("image", "command"), "serve"),
    ({"command": ""}, ("image", "command"), ""),
    ({"imageAuthId": "auth-1"}, ("image", "authId"), "auth-1"),
    ({"replicas": 3}, ("workerConfig", "minNum"), 3),
    ({"replicas": 3}, ("workerConfig", "maxNum"), 3),
    ({"replicas": 3, "maxReplicas": 5}, ("workerConfig", "minNum"), 0),
    ({"replicas": 3, "maxReplicas": 5}, ("workerConfig", "maxNum"), 5),
    ({"minReplicas": 2}, ("workerConfig", "maxNum"), 10),
    ({"freeTimeout": 1, "taskTimeout": 2, "scaleDownIdleTime": 3}, ("workerConfig", "freeTimeout"), 1),
    ({"taskTimeout": 2, "scaleDownIdleTime": 3}, ("workerConfig", "freeTimeout"), 2),
    ({"scaleDownIdleTime": 3}, ("workerConfig", "freeTimeout"), 3),
    ({"requestTimeout": 9}, ("workerConfig", "requestTimeout"), 9),
    ({"maxConcurrent": 4}, ("workerConfig", "maxConcurrent"), 4),
    (
        {"policy": {"type": "queue", "value": 5}, "scaleUpThreshold": 7},
        ("policy",),
        {"type": "queue", "value": 5},
    ),
    ({"scaleUpThreshold": 7}, ("policy",), {"type": "concurrency", "value": 7}),
    ({"port": 80}, ("ports",), [{"port": 80}]),
    ({"healthPath": "/ping"}, ("healthy",), {"path": "/ping"}),
    ({"env": {"B": "2", "A": secret("x")}}, ("envs",), {"B": "2", "A": secret("x")}),
    (
        {"storage": [{"type": "local", "sizeGb": 30, "mountPath": "/w"}]},
        ("volumeMounts",),
        {"/w": {"type": "local", "size": 30}},
    ),
    (
        {"storage": [{"type": "network", "id": "s-1", "mountPath": "/n"}]},
        ("volumeMounts",),
        {"/n": {"type": "network", "id": "s-1"}},
    ),
]


@pytest.mark.parametrize(("declared", "path", "expected"), FIELDS)
def test_every_declared_field_has_its_place_on_the_wire(
    declared: dict[str, Any], path: Path, expected: Any
) -> None:
    """The mapping table, row by row, with its precedences."""
    found: Any = endpoint(**declared).fields
    for segment in path:
        found = found[segment]
    assert found == expected


def test_the_spec_decides_the_shape() -> None:
    """cudaVersion is emitted when the spec has one, and only then."""
    assert endpoint(spec=PINNED).fields["workerConfig"]["cudaVersion"] == "12.4"
    bare = SPEC.__class__(name="s", product_id="p", region="r", gpu=2, rootfs_gb=50)
    fields = endpoint(spec=bare).fields
    assert "cudaVersion" not in fields["workerConfig"]
    assert (
        fields["products"],
        fields["clusterID"],
        fields["rootfsSize"],
        fields["workerConfig"]["gpuNum"],
    ) == (
        [{"id": "p"}],
        "r",
        50,
        2,
    )


def test_lifecycle_and_rename_are_read() -> None:
    """What is said about the endpoint's fate is no field of it."""
    desired = endpoint(
        renamedFrom="old",
        lifecycle={"preventDestroy": True, "ignoreChanges": ["replicas", "minReplicas", "env.A.B"]},
    )
    assert desired.renamed_from == "old"
    assert desired.lifecycle.prevent_destroy
    assert desired.lifecycle.ignore == (
        ("workerConfig", "minNum"),
        ("workerConfig", "maxNum"),
        ("envs", "A.B"),
    )


Said = tuple[str, str, str, str, str]

PROBLEMS: list[tuple[dict[str, Any], list[Said]]] = [
    ({}, []),
    ({"shmSize": "", "volumeMounts": [], "enablePtrace": False}, []),
    (
        {"shmSize": "1Gi"},
        [
            (
                "error",
                "unsupported-field",
                "Shared memory size configuration not applicable to Novita",
                "remove `shmSize`; workers get the shared memory of their product",
                "shmSize",
            )
        ],
    ),
    (
        {"enablePtrace": True},
        [
            (
                "error",
                "unsupported-field",
                "Ptrace capability not applicable to Novita",
                "remove `enablePtrace`",
                "enablePtrace",
            )
        ],
    ),
    (
        {"volumeMounts": [{"pvcName": "p"}]},
        [
            (
                "error",
                "unsupported-field",
                "PVC volume mounts are not supported (Novita uses network storage)",
                "declare `storage: [{type: network, id: STORAGE_ID, mountPath: /network}]` instead",
                "volumeMounts",
            )
        ],
    ),
    (
        {"priority": 1},
        [("warning", "never-sent", "Novita has no `priority`; accepted and never sent", "", "priority")],
    ),
    (
        {"maxPendingTasks": 1, "scaleUpCooldown": 2, "highLoadThreshold": 3},
        [
            (
                "warning",
                "never-sent",
                "Novita has no `maxPendingTasks`, `scaleUpCooldown` or `highLoadThreshold`; "
                "accepted and never sent",
                "`policy: {type: concurrency, value: N}` scales up on N waiting requests",
                "maxPendingTasks",
            )
        ],
    ),
    (
        {"replicas": 0},
        [
            (
                "error",
                "replicas-zero",
                "`replicas: 0` would leave no worker that could ever start",
                "to scale to zero when idle, write `minReplicas: 0` and `maxReplicas: N`",
                "replicas",
            )
        ],
    ),
    (
        {"minReplicas": 12},
        [
            (
                "error",
                "min-above-max",
                "minReplicas 12 is above maxReplicas 10, the default once either is declared",
                "raise `maxReplicas` to at least 12, or lower `minReplicas`",
                "minReplicas",
            )
        ],
    ),
    (
        {"minReplicas": 3, "maxReplicas": 2},
        [
            (
                "error",
                "min-above-max",
                "minReplicas 3 is above maxReplicas 2",
                "raise `maxReplicas` to at least 3, or lower `minReplicas`",
                "minReplicas",
            )
        ],
    ),
    (
        {"replicas": 2, "minReplicas": 1, "maxReplicas": 4},
        [
            (
                "note",
                "precedence",
                "`minReplicas` wins over `replicas` (workers: 1 to 4)",
                "remove `replicas`",
                "replicas",
            )
        ],
    ),
    (
        {"taskTimeout": 20, "scaleDownIdleTime": 30},
        [
            (
                "note",
                "precedence",
                "`taskTimeout` wins over `scaleDownIdleTime` (idle timeout: 20 s)",
                "remove `scaleDownIdleTime`",
                "scaleDownIdleTime",
            )
        ],
    ),
    (
        {"policy": {"type": "queue", "value": 4}, "scaleUpThreshold": 2},
        [
            (
                "note",
                "precedence",
                "`policy` wins over `scaleUpThreshold` (policy: queue 4)",
                "remove `scaleUpThreshold`",
                "scaleUpThreshold",
            )
        ],
    ),
    (
        {"endpoint": "My Endpoint"},
        [
            (
                "error",
                "app-name",
                "`My Endpoint` cannot be the appName in the endpoint's URL: "
                "it must be lower-case letters, digits and inner hyphens",
                "add `appName: my-endpoint` (it is fixed for the endpoint's life)",
                "endpoint",
            )
        ],
    ),
    ({"endpoint": "My Endpoint", "appName": "mine"}, []),
    (
        {
            "storage": [
                {"type": "local", "sizeGb": 1, "mountPath": "/w"},
                {"type": "network", "id": "n", "mountPath": "/w"},
            ]
        },
        [
            (
                "error",
                "duplicate-mount",
                "`/w` is mounted twice",
                "give each entry of `storage` a `mountPath` of its own",
                "storage.1.mountPath",
            )
        ],
    ),
    (
        {"lifecycle": {"ignoreChanges": ["image", "replica"]}},
        [
            (
                "error",
                "unknown-ignore",
                "`replica` in ignoreChanges names no field of an endpoint",
                "did you mean `replicas`?",
                "lifecycle.ignoreChanges.1",
            )
        ],
    ),
    (
        {"lifecycle": {"ignoreChanges": ["zzz"]}},
        [
            (
                "error",
                "unknown-ignore",
                "`zzz` in ignoreChanges names no field of an endpoint",
                "use a YAML name (`replicas`, `env.KEY`) or a wire path",
                "lifecycle.ignoreChanges.0",
            )
        ],
    ),
]


@pytest.mark.parametrize(("declared", "expected"), PROBLEMS)
def test_what_is_wrong_is_said_with_its_place_and_the_way_out(
    declared: dict[str, Any], expected: list[Said]
) -> None:
    """Only errors leave no endpoint; each problem points at the field that it is about."""
    desired, problems = told(**declared)
    said = [
        (one.severity.value, one.code, one.summary, one.hint, one.place.file if one.place else "")
        for one in problems
    ]
    assert said == expected
    assert (desired is None) is any(one.severity is Severity.ERROR for one in problems)
    assert {one.address for one in problems} <= {f"novita_endpoint.{declared.get('endpoint', 'base-test')}"}


def test_a_spec_that_cannot_be_used_was_reported_where_it_was_found() -> None:
    """Without a spec there is no endpoint, and all else is still said."""
    desired, problems = desired_endpoint({"endpoint": "A", "image": "i:1"}, None, place)
    assert (desired, [one.code for one in problems]) == (None, ["app-name"])


@pytest.mark.parametrize("name", ["a" * 46, "a", "9-b"])
def test_a_dns_label_needs_no_app_name(name: str) -> None:
    """46 characters are the most that fit beside the ID in one label."""
    assert endpoint(name).app_name == name


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("My Endpoint", "my-endpoint"),
        ("a" * 50, "a" * 46),
        ("a" * 45 + "-b", "a" * 45),
        ("-a_b.", "a-b"),
        ("模型", "my-endpoint"),
    ],
)
def test_the_suggested_app_name_is_the_nearest_label(name: str, expected: str) -> None:
    """A suggestion that is typed off must be valid."""
    assert suggested_app_name(name) == expected


def test_a_name_that_is_too_long_is_told_so() -> None:
    """The reason names the length, not the letters."""
    _, (problem,) = told(endpoint="a" * 47)
    assert problem.summary.endswith("it is longer than 46 characters")


def test_a_name_that_nobody_can_see_is_refused() -> None:
    """Direction marks and their like pass for printing characters in YAML."""
    item = {"endpoint": "a\u202eb", "image": "i:1", "appName": "x"}
    desired, problems = desired_endpoint(item, SPEC, lambda path: None)
    assert desired is None
    assert [(one.code, one.hint) for one in problems] == [("bad-format", r"it is 'a\u202eb'; remove them")]


def test_an_app_name_belongs_to_one_endpoint() -> None:
    """Declared or not, it is part of an address."""
    (problem,) = shared_app_names([endpoint("a"), endpoint("b", appName="a"), endpoint("c")])
    assert (problem.code, problem.address) == ("shared-app-name", "novita_endpoint.b")
