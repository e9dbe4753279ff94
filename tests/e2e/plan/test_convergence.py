"""A plan straight after an apply is empty, whatever the account re-orders, re-types, fills in or delays."""

import shutil
from itertools import permutations
from typing import Any

import pytest

from tests.e2e.sandbox import Sandbox, item

LOCAL = {"type": "local", "sizeGb": 30, "mountPath": "/scratch"}
NETWORK = {"type": "network", "id": "st-1", "mountPath": "/models"}

BARE = item("chat")
FULL = item(
    "chat",
    appName="chat",
    command="serve --port 9000",
    imageAuthId="auth-1",
    minReplicas=1,
    maxReplicas=4,
    freeTimeout=120,
    requestTimeout=600,
    maxConcurrent=8,
    policy={"type": "concurrency", "value": 3},
    port=9000,
    healthPath="/ready",
    env={"B": "2", "A": "1", "EMPTY": "", "N.a-me": "wörld"},
    storage=[NETWORK, LOCAL],
)
OTHER = item(
    "chat",
    appName="chat",
    image="ubuntu:24.04",
    command="serve",
    imageAuthId="auth-2",
    minReplicas=0,
    maxReplicas=2,
    freeTimeout=60,
    requestTimeout=1200,
    maxConcurrent=2,
    policy={"type": "queue", "value": 30},
    port=9001,
    healthPath="/live",
    env={"A": "2", "C": "3"},
    storage=[LOCAL],
)

HABITS: dict[str, dict[str, Any]] = {
    "numbers as ints": {"number_style": "int"},
    "ports as strings": {"port_style": "string"},
    "healthy is null": {"healthy_null": True},
    "get is flat": {"get_wrapped": False},
    "empty lists are null": {"empty_as": "null"},
    "empty lists are absent": {"empty_as": "absent"},
    "pages count from 1": {"page_base": 1},
    "page 0 is refused": {"page_base": 1, "page_zero": "400"},
    "pages are small": {"max_page_size": 2},
    "pages are small, from 1": {"max_page_size": 1, "page_base": 1},
    "pages repeat past the end": {"past_end": "repeat", "max_page_size": 2},
    "pages past the end are refused": {"past_end": "400", "max_page_size": 2},
    "listings lag": {"list_lag_seconds": 0.4},
    "reads lag": {"get_lag_seconds": 0.3},
    "updates lag": {"update_lag_seconds": 0.3},
    "only id deletes": {"delete_key": "strict"},
    "only name deletes": {"delete_key": "strict-name"},
    "deleted ones terminate": {"terminating_seconds": 0.6},
    "not found is 404": {"not_found_status": 404},
    "updates keep what is left out": {"update_omitted": "keep"},
    "fixed fields are refused": {"immutable": "refuse"},
    "cudaVersion is filled in": {"cuda_fill": "12.6"},
    "envs are reversed": {"env_order": "reversed"},
    "envs are shuffled": {"env_order": "shuffled"},
    "unknown fields": {"extra_fields": True},
    "short ids": {"id_style": "mixed12"},
    "no tombstones": {"tombstones": False},
    "workers boot slowly": {"worker_boot_seconds": 60.0},
    "the cluster sleeps": {"cluster_inactive_tries": 1},
    "no limits are told": {"limit_offered": False},
}


def settled(sandbox: Sandbox) -> None:
    """The plan is empty, and was made without a word of drift."""
    planned = sandbox.plan()
    assert planned.actions == {}, planned.document["resource_changes"]
    assert planned.code == 0
    assert planned.document["resource_drift"] == []
    assert planned.document["complete"] is True


@pytest.mark.parametrize("habit", HABITS)
def test_every_habit_converges(sandbox: Sandbox, habit: str) -> None:
    """Create with every field, change each, drop each, replace, delete: one apply each, then nothing."""
    sandbox.sim.world.switch(**HABITS[habit])
    for wanted in (FULL, OTHER, BARE):
        sandbox.declare(wanted, item("embed"), item("rerank"))
        sandbox.apply()
        settled(sandbox)
    sandbox.declare(item("chat", specName="large"), item("embed"))
    sandbox.apply()
    settled(sandbox)
    assert set(sandbox.live()) == {"chat", "embed"}
    assert len(sandbox.sent("create")) <= 4 + HABITS[habit].get("cluster_inactive_tries", 0)


FIELDS: dict[str, tuple[Any, Any, set[str]]] = {
    "image": ("ubuntu:22.04", "ubuntu:24.04", {"image.image"}),
    "command": ("serve", "serve -v", {"image.command"}),
    "imageAuthId": ("auth-1", "auth-2", {"image.authId"}),
    "replicas": (2, 3, {"workerConfig.minNum", "workerConfig.maxNum"}),
    "minReplicas": (1, 2, {"workerConfig.minNum"}),
    "maxReplicas": (3, 4, {"workerConfig.maxNum"}),
    "freeTimeout": (60, 90, {"workerConfig.freeTimeout"}),
    "taskTimeout": (60, 90, {"workerConfig.freeTimeout"}),
    "scaleDownIdleTime": (60, 90, {"workerConfig.freeTimeout"}),
    "requestTimeout": (60, 90, {"workerConfig.requestTimeout"}),
    "maxConcurrent": (2, 3, {"workerConfig.maxConcurrent"}),
    "policy": (
        {"type": "queue", "value": 10},
        {"type": "concurrency", "value": 9},
        {"policy.type", "policy.value"},
    ),
    "scaleUpThreshold": (2, 3, {"policy.value"}),
    "port": (8001, 8002, {"ports"}),
    "healthPath": ("/a", "/b", {"healthy.path"}),
    "env": ({"A": "1", "B": "1"}, {"A": "2", "C": "1"}, {"envs.A", "envs.B", "envs.C"}),
    "storage": ([LOCAL], [{**LOCAL, "sizeGb": 40}], {"volumeMounts./scratch.size"}),
    "appName": ("one", "two", {"appName"}),
    "specName": (
        "small",
        "large",
        {"products", "rootfsSize", "workerConfig.gpuNum", "workerConfig.cudaVersion"},
    ),
}
SCALES = {"replicas", "minReplicas", "maxReplicas"}
REPLACES = {"appName", "specName"}
NEEDED = {"image", "specName"}


@pytest.mark.parametrize("field", FIELDS)
def test_every_field_is_followed(sandbox: Sandbox, field: str) -> None:
    """A changed field is planned alone and with its path, applied once, and gone again when it is removed."""
    first, second, paths = FIELDS[field]
    sandbox.declare(item("chat", **{field: first}))
    sandbox.apply()
    settled(sandbox)
    sandbox.declare(item("chat", **{field: second}))
    planned = sandbox.plan()
    kind = "scale" if field in SCALES else "replace" if field in REPLACES else "update"
    assert planned.actions == {"chat": kind}
    (change,) = planned.document["resource_changes"]
    assert {".".join(one["path"]) for one in change["fields"]} == paths
    assert {one["cause"] for one in change["fields"]} == {"config"}
    sandbox.apply()
    settled(sandbox)
    if field not in NEEDED:
        sandbox.declare(item("chat"))
        sandbox.apply()
        settled(sandbox)
        assert without_identity(sandbox) == fresh(sandbox, item("chat"))


WORLDS: dict[str, list[dict[str, Any]]] = {
    "nothing": [],
    "two bare": [item("chat"), item("embed")],
    "one full": [FULL, item("embed", replicas=3)],
    "another full": [OTHER, item("rerank")],
    "large": [item("chat", specName="large", env={"A": "1"}), item("rerank", specName="large", replicas=2)],
    "app names": [item("chat", appName="one"), item("embed", appName="two")],
    "app names swapped": [item("chat", appName="two"), item("embed", appName="one")],
}


def without_identity(sandbox: Sandbox) -> dict[str, Any]:
    """The live endpoints by name without what differs from account to account.

    An app name is no difference either: undeclared, it stays what it was at the creation.
    """
    own = ("id", "appName", "createdAt", "updatedAt")
    return {
        name: {key: value for key, value in one.items() if key not in own}
        for name, one in sandbox.live().items()
    }


def fresh(sandbox: Sandbox, *items: dict[str, Any]) -> dict[str, Any]:
    """What an apply of these items makes of an empty account; leaves the account empty and unrecorded."""
    for endpoint in sandbox.sim.world.endpoints:
        sandbox.sim.world.console_delete(endpoint["id"])
    shutil.rmtree(sandbox.root / "state", ignore_errors=True)
    sandbox.declare(*items)
    sandbox.apply()
    made = without_identity(sandbox)
    for endpoint in sandbox.sim.world.endpoints:
        sandbox.sim.world.console_delete(endpoint["id"])
    shutil.rmtree(sandbox.root / "state")
    return made


def apply_all(sandbox: Sandbox, items: list[dict[str, Any]]) -> None:
    """Apply with as many deletions agreed to as there are."""
    sandbox.declare(*items)
    summary = sandbox.plan().document["summary"]
    sandbox.apply("--allow-delete", str(summary["delete"] + summary["replace"]))


@pytest.mark.parametrize(("start", "end"), list(permutations(WORLDS, 2)))
def test_every_world_can_be_reached_from_every_other(sandbox: Sandbox, start: str, end: str) -> None:
    """Apply one, apply the other: the plan is empty and the account is as if there had been no first."""
    expected = fresh(sandbox, *WORLDS[end]) if WORLDS[end] else {}
    apply_all(sandbox, WORLDS[start])
    settled(sandbox)
    apply_all(sandbox, WORLDS[end])
    settled(sandbox)
    assert without_identity(sandbox) == expected
    assert set(sandbox.inventory) == set(expected)
    for one in WORLDS[end]:
        assert "appName" not in one or sandbox.live()[one["endpoint"]]["appName"] == one["appName"]


def test_a_rename_keeps_the_id(sandbox: Sandbox) -> None:
    """`renamedFrom` updates the name of what is there: one ID, one record, then nothing."""
    sandbox.declare(item("chat"))
    sandbox.apply()
    known = sandbox.id("chat")
    sandbox.declare(item("talk", renamedFrom="chat"))
    assert sandbox.plan().actions == {"talk": "update"}
    sandbox.apply()
    settled(sandbox)
    assert sandbox.id("talk") == known
    assert set(sandbox.inventory) == {"talk"}
    assert len(sandbox.sent("create")) == 1


def test_what_is_ignored_stays(sandbox: Sandbox) -> None:
    """A path under ignoreChanges is neither planned nor overwritten by an update of something else."""
    ignoring = {"lifecycle": {"ignoreChanges": ["replicas", "env.TUNED"]}}
    sandbox.declare(item("chat", replicas=2, env={"TUNED": "1"}, **ignoring))
    sandbox.apply()
    sandbox.sim.world.console_update(sandbox.id("chat"), workerConfig={"minNum": 3, "maxNum": 7})
    sandbox.sim.world.edit(sandbox.id("chat"), lambda one: one.update(envs=[{"key": "TUNED", "value": "9"}]))
    settled(sandbox)
    sandbox.declare(item("chat", replicas=2, env={"TUNED": "1"}, port=9000, **ignoring))
    sandbox.apply()
    settled(sandbox)
    live = sandbox.live()["chat"]
    assert (live["workerConfig"]["minNum"], live["workerConfig"]["maxNum"]) == (3, 7)
    assert live["envs"] == [{"key": "TUNED", "value": "9"}]
    assert live["ports"] == [{"port": 9000}]


def test_fields_of_others_survive_updates(sandbox: Sandbox) -> None:
    """What was set in the console and is not declared is sent back with every update."""
    sandbox.declare(item("chat"))
    sandbox.apply()
    sandbox.sim.world.console_update(sandbox.id("chat"), image={"authId": "auth-of-others"})
    settled(sandbox)
    sandbox.declare(item("chat", port=9000))
    sandbox.apply()
    settled(sandbox)
    assert sandbox.live()["chat"]["image"]["authId"] == "auth-of-others"
