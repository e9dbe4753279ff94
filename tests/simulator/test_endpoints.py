"""The life of an endpoint under the default profile: the likeliest Novita."""

import re
from typing import Any

import pytest

from reconciler.simulator import Request

from .api import AUTH, BASE, Api, body, outcome, worker_config

NOT_FOUND = (400, "SERVERLESS_ENDPOINT_NOT_FOUND")


def test_an_answer_has_the_shape_of_the_api() -> None:
    """Get wraps the endpoint, three numbers come back as strings, and the server fills in what is its own."""
    api = Api.of()
    mounts = [{"type": "local", "size": 30, "mountPath": "/workspace"}]
    endpoint_id = api.create(appName="sd", volumeMounts=mounts)
    assert re.fullmatch("[0-9a-f]{16}", endpoint_id)
    endpoint = api.read(endpoint_id)
    [worker] = endpoint.pop("workers")
    times = {"createdAt", "readyAt", "deletedAt"}
    assert worker.keys() == {"id", "state", "log", "metrics", "healthy", "drain", *times}
    assert endpoint == {
        "id": endpoint_id,
        "name": "sd-prod",
        "appName": "sd",
        "state": {"state": "serving", "error": "", "message": ""},
        "url": f"https://{endpoint_id}-sd.runsync.novita.dev",
        "workerConfig": {
            "minNum": 1,
            "maxNum": 3,
            "freeTimeout": "300",
            "maxConcurrent": "1",
            "gpuNum": 1,
            "requestTimeout": 120,
            "cudaVersion": "",
        },
        "policy": {"type": "queue", "value": "60"},
        "image": {"image": "registry.example.com/sd:1", "authId": "", "command": ""},
        "rootfsSize": 100,
        "volumeMounts": [{"type": "local", "id": "", "size": 30, "mountPath": "/workspace"}],
        "envs": [{"key": "MODEL", "value": "sdxl"}],
        "ports": [{"port": 8000}],
        "products": [{"id": "SL-serverless-3"}],
        "healthy": {
            "path": "/health",
            "initialDelay": 10,
            "period": 10,
            "timeout": 10,
            "successThreshold": 1,
            "failureThreshold": 3,
        },
        "clusterID": "us-dallas-nas-2",
        "log": f"https://logs.novita.invalid/{endpoint_id}",
        "createdAt": "1700000000",
        "updatedAt": "1700000000",
    }


def test_get_and_list_agree() -> None:
    """A listed endpoint is the full object."""
    api = Api.of()
    endpoint_id = api.create()
    assert api.get("/endpoints")[1] == {"endpoints": [api.read(endpoint_id)], "total": 1}


def test_the_app_name_defaults_to_the_id() -> None:
    """Without an app name the endpoint gets its id as one, twice in its address."""
    api = Api.of()
    endpoint_id = api.create()
    endpoint = api.read(endpoint_id)
    assert endpoint["appName"] == endpoint_id
    assert endpoint["url"] == f"https://{endpoint_id}-{endpoint_id}.runsync.novita.dev"


def test_what_was_declared_beyond_the_docs_is_answered() -> None:
    """The type and the list of clusters come back when they were given."""
    api = Api.of()
    policy = {"type": "concurrency", "value": 4}
    endpoint = api.read(api.create(type="async", policy=policy, clusterIDs=["as-sgp-2"]))
    assert (endpoint["type"], endpoint["clusterIDs"]) == ("async", ["as-sgp-2"])


def test_names_may_repeat_and_app_names_may_not() -> None:
    """Two endpoints may bear one name; a taken app name is a conflict until its owner is gone."""
    api = Api.of()
    first = api.create(appName="sd")
    assert api.try_create() == (200, "")
    assert api.try_create(appName="sd") == (400, "SERVERLESS_APP_NAME_IS_EXIST")
    assert len(api.world.endpoints) == 2
    api.delete(id=first)
    assert api.try_create(appName="sd") == (200, "")


def test_update_replaces_in_full() -> None:
    """Optional fields an update leaves out are cleared; app name, product and disk size stay."""
    api = Api.of()
    mounts = [{"type": "local", "size": 30, "mountPath": "/workspace"}]
    image = {"image": "a:1", "authId": "k1", "command": "serve"}
    endpoint_id = api.create(appName="sd", volumeMounts=mounts, image=image, rootfsSize=90)
    api.clock.now += 60
    bare: dict[str, Any] = {
        "id": endpoint_id,
        "workerConfig": worker_config(maxNum=5),
        "image": {"image": "a:2"},
    }
    bare |= {"ports": [{"port": 9000}], "policy": {"type": "concurrency", "value": 2}}
    assert api.post("/endpoint/update", bare) == (200, {})
    endpoint = api.read(endpoint_id)
    assert endpoint["workerConfig"]["maxNum"] == 5
    assert endpoint["image"] == {"image": "a:2", "authId": "", "command": ""}
    assert endpoint["ports"] == [{"port": 9000}]
    assert endpoint["policy"] == {"type": "concurrency", "value": "2"}
    cleared = [endpoint[field] for field in ("name", "clusterID", "envs", "volumeMounts", "healthy")]
    assert cleared == ["", "", [], [], None]
    assert (endpoint["appName"], endpoint["rootfsSize"]) == ("sd", 90)
    assert endpoint["products"] == [{"id": "SL-serverless-3"}]
    assert (endpoint["createdAt"], endpoint["updatedAt"]) == ("1700000000", "1700000060")


def test_update_ignores_attempts_on_fixed_fields() -> None:
    """App name, product, disk size, type and CUDA version silently stay as they were."""
    api = Api.of()
    endpoint_id = api.create(appName="sd", workerConfig=worker_config(cudaVersion="12.4"))
    changes = {"appName": "x", "products": [{"id": "SL-serverless-4"}], "rootfsSize": 50, "type": "async"}
    assert api.update(endpoint_id, **changes, workerConfig=worker_config(cudaVersion="12.6")) == (200, "")
    endpoint = api.read(endpoint_id)
    assert (endpoint["appName"], endpoint["rootfsSize"]) == ("sd", 100)
    assert endpoint["products"] == [{"id": "SL-serverless-3"}]
    assert endpoint["workerConfig"]["cudaVersion"] == "12.4"
    assert "type" not in endpoint


def test_update_changes_name_cluster_and_cluster_list() -> None:
    """Renaming, and moving between clusters, is an ordinary update."""
    api = Api.of()
    endpoint_id = api.create()
    api.update(endpoint_id, name="new", clusterID="as-sgp-2", clusterIDs=["as-sgp-2", "eu-de-1"])
    endpoint = api.read(endpoint_id)
    assert (endpoint["name"], endpoint["clusterID"]) == ("new", "as-sgp-2")
    assert endpoint["clusterIDs"] == ["as-sgp-2", "eu-de-1"]


@pytest.mark.parametrize("keys", [("id",), ("name",), ("id", "name")])
def test_delete_takes_the_id_under_either_key(keys: tuple[str, ...]) -> None:
    """The id may stand under id, under name, or under both."""
    api = Api.of()
    endpoint_id = api.create()
    assert api.delete(**dict.fromkeys(keys, endpoint_id)) == (200, "")
    assert outcome(api.get("/endpoint", id=endpoint_id)) == NOT_FOUND
    assert api.world.endpoints == []


def test_delete_does_not_take_a_display_name() -> None:
    """The key called name holds the id; a display name is not found, and nothing at all is refused."""
    api = Api.of()
    api.create(name="sd-prod")
    assert api.delete(name="sd-prod") == NOT_FOUND
    assert api.delete() == (400, "VALIDATOR_PARAM")
    assert len(api.world.endpoints) == 1


def test_what_is_not_there_is_a_400_with_a_reason() -> None:
    """Get, update and delete of an unknown id answer 400 with the not-found reason."""
    api = Api.of()
    assert outcome(api.get("/endpoint", id="nope")) == NOT_FOUND
    assert outcome(api.get("/endpoint")) == NOT_FOUND
    assert api.update("nope") == NOT_FOUND
    assert api.delete(id="nope") == NOT_FOUND


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"authorization": ""}, 403),
        ({"authorization": "Bearer "}, 403),
        ({"authorization": "Basic abc"}, 403),
        ({"authorization": "Bearer anything"}, 200),
    ],
)
def test_a_key_is_demanded(headers: dict[str, str], status: int) -> None:
    """Any non-empty bearer token will do; without one the answer is 403 INVALID_API_KEY."""
    answered, payload = Api.of().send("GET", "/endpoints", headers=headers)
    assert answered == status
    assert payload.get("reason") == ("INVALID_API_KEY" if status == 403 else None)


def test_unknown_paths_and_methods_are_told_apart() -> None:
    """An unknown path is 404, a known one under another method 405, both with an error object."""
    api = Api.of()
    assert outcome(api.get("/endpoint/start")) == (404, "NOT_FOUND")
    assert outcome(api.send("DELETE", "/endpoint")) == (405, "METHOD_NOT_ALLOWED")
    elsewhere = api.world.handle(Request(method="GET", path="/endpoints", headers=AUTH))
    assert elsewhere.status == 404


def test_pages_count_from_zero_and_end_empty() -> None:
    """Ten a page unless asked otherwise; past the end there is nothing; total counts all."""
    api = Api.of()
    for number in range(12):
        api.create(name=f"e{number}")
    assert api.names() == [f"e{number}" for number in range(10)]
    assert api.names(pageNum=1) == ["e10", "e11"]
    assert api.names(pageSize=5, pageNum=2) == ["e10", "e11"]
    assert api.names(pageSize=0) == api.names()
    assert api.get("/endpoints", pageSize=5, pageNum=3)[1] == {"endpoints": [], "total": 12}
    assert outcome(api.get("/endpoints", pageNum="x")) == (400, "VALIDATOR_PARAM")


def test_the_console_changes_any_field() -> None:
    """Somebody in the console may create, change single settings, change anything, and delete."""
    api = Api.of()
    endpoint_id = api.world.console_create(name="by-hand", workerConfig={"maxNum": 7})
    api.world.console_update(endpoint_id, workerConfig={"minNum": 2}, envs=[{"key": "A", "value": "b"}])
    api.world.edit(endpoint_id, lambda settings: settings.update(appName="renamed"))
    endpoint = api.read(endpoint_id)
    assert [endpoint["workerConfig"][field] for field in ("minNum", "maxNum", "gpuNum")] == [2, 7, 1]
    assert endpoint["envs"] == [{"key": "A", "value": "b"}]
    assert endpoint["appName"] == "renamed"
    assert api.world.endpoint(endpoint_id)["name"] == "by-hand"
    assert api.try_create(appName="renamed") == (400, "SERVERLESS_APP_NAME_IS_EXIST")
    assert api.try_create(appName=endpoint_id) == (200, "")
    api.world.console_delete(endpoint_id)
    assert outcome(api.get("/endpoint", id=endpoint_id)) == NOT_FOUND
    with pytest.raises(KeyError):
        api.world.console_update(endpoint_id, name="gone")


def test_a_snapshot_is_a_copy() -> None:
    """Changing what `endpoints` returned, or what was handed to the console, leaves the world alone."""
    api = Api.of()
    envs = [{"key": "A", "value": "b"}]
    endpoint_id = api.world.console_create(envs=envs)
    envs[0]["value"] = "changed"
    api.world.endpoints[0]["workerConfig"]["maxNum"] = 99
    endpoint = api.world.endpoint(endpoint_id)
    assert endpoint["envs"] == [{"key": "A", "value": "b"}]
    assert endpoint["workerConfig"]["maxNum"] == 3


def test_ids_are_never_reused() -> None:
    """An id is not used again after its endpoint was deleted, nor after the world was stored and loaded."""
    api = Api.of()
    seen = {api.create()}
    api.delete(id=next(iter(seen)))
    seen.add(api.create())
    stored = api.world.dump()
    again = Api.of()
    again.world.load(stored)
    seen.add(again.create())
    assert len(seen) == 3


def test_the_same_seed_makes_the_same_ids() -> None:
    """Two worlds with one seed answer alike."""
    assert Api.of().create() == Api.of().create()


def test_ten_thousand_endpoints_are_fast() -> None:
    """A large account pages through completely."""
    api = Api.of()
    for number in range(10_000):
        api.world.console_create(name=f"e{number}", workerConfig={"minNum": 0})
    pages = [api.names(pageSize=1000, pageNum=page) for page in range(11)]
    assert [len(page) for page in pages] == [1000] * 10 + [0]
    assert api.try_create(appName="one-more") == (200, "")


def test_a_request_is_parsed_from_its_target() -> None:
    """Path and query are split, escapes undone, header names lowered."""
    request = Request.parse("GET", f"{BASE}/endpoint?id=a%20b&x=", {"Authorization": "Bearer k"}, b"")
    assert (request.path, request.query) == (BASE + "/endpoint", {"id": "a b", "x": ""})
    assert request.headers == {"authorization": "Bearer k"}


def test_body_and_settings_do_not_share_state() -> None:
    """Two endpoints from one body live separate lives."""
    api = Api.of()
    shared = body()
    first = api.post("/endpoint/create", {"endpoint": shared})[1]["id"]
    second = api.post("/endpoint/create", {"endpoint": shared})[1]["id"]
    api.world.edit(first, lambda settings: settings["envs"].clear())
    assert api.read(second)["envs"] == [{"key": "MODEL", "value": "sdxl"}]
