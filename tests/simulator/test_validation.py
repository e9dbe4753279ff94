"""The validation of create and update, and the messages of refusals."""

from typing import Any

import pytest

from .api import Api, body, worker_config

INVALID = (400, "VALIDATOR_PARAM")

REFUSED: list[tuple[str, dict[str, Any]]] = [
    ("workerConfig", {"workerConfig": None}),
    ("workerConfig", {"workerConfig": []}),
    ("workerConfig.minNum", {"workerConfig": worker_config(minNum=None)}),
    ("workerConfig.minNum", {"workerConfig": worker_config(minNum=-1)}),
    ("workerConfig.minNum", {"workerConfig": worker_config(minNum=4, maxNum=3)}),
    ("workerConfig.minNum", {"workerConfig": worker_config(minNum=True)}),
    ("workerConfig.minNum", {"workerConfig": worker_config(minNum="one")}),
    ("workerConfig.maxNum", {"workerConfig": worker_config(minNum=0, maxNum=0)}),
    ("workerConfig.freeTimeout", {"workerConfig": worker_config(freeTimeout=1.5)}),
    ("workerConfig.freeTimeout", {"workerConfig": worker_config(freeTimeout=0)}),
    ("workerConfig.maxConcurrent", {"workerConfig": worker_config(maxConcurrent=None)}),
    ("workerConfig.gpuNum", {"workerConfig": worker_config(gpuNum=9)}),
    ("workerConfig.requestTimeout", {"workerConfig": worker_config(requestTimeout=None)}),
    ("workerConfig.cudaVersion", {"workerConfig": worker_config(cudaVersion=12.4)}),
    ("ports", {"ports": None}),
    ("ports", {"ports": [{"port": 1}, {"port": 2}]}),
    ("ports", {"ports": [8000]}),
    ("ports", {"ports": {"port": 8000}}),
    ("ports[0].port", {"ports": [{"port": 0}]}),
    ("ports[0].port", {"ports": [{"port": 65536}]}),
    ("ports[0].port", {"ports": [{"port": 2222}]}),
    ("ports[0].port", {"ports": [{"port": 2224}]}),
    ("ports[0].port", {"ports": [{"port": "http"}]}),
    ("policy", {"policy": None}),
    ("policy.type", {"policy": {"type": "random", "value": 1}}),
    ("policy.value", {"policy": {"type": "queue"}}),
    ("policy.value", {"policy": {"type": "queue", "value": 0}}),
    ("policy.type", {"type": "async"}),
    ("type", {"type": "batch"}),
    ("image", {"image": "ubuntu:1"}),
    ("image.image", {"image": {"image": ""}}),
    ("image.image", {"image": {"image": "x" * 512}}),
    ("image.authId", {"image": {"image": "x:1", "authId": "y" * 256}}),
    ("image.command", {"image": {"image": "x:1", "command": "y" * 2048}}),
    ("name", {"name": "x" * 221}),
    ("name", {"name": 7}),
    ("appName", {"appName": "Upper"}),
    ("appName", {"appName": "-edge"}),
    ("appName", {"appName": "x" * 47}),
    ("products", {"products": []}),
    ("products", {"products": "SL-serverless-3"}),
    ("rootfsSize", {"rootfsSize": None}),
    ("rootfsSize", {"rootfsSize": 0}),
    ("clusterID", {"clusterID": "x" * 256}),
    ("clusterIDs", {"clusterIDs": [1]}),
    ("volumeMounts[0].type", {"volumeMounts": [{"type": "tape", "mountPath": "/x"}]}),
    ("volumeMounts[0].size", {"volumeMounts": [{"type": "local", "mountPath": "/x"}]}),
    ("volumeMounts[0].mountPath", {"volumeMounts": [{"type": "local", "size": 30, "mountPath": "x"}]}),
    ("volumeMounts[0].mountPath", {"volumeMounts": [{"type": "local", "size": 30, "mountPath": "/a b"}]}),
    ("volumeMounts[0].id", {"volumeMounts": [{"type": "network", "mountPath": "/x"}]}),
    ("envs", {"envs": {"MODEL": "sdxl"}}),
    ("envs[0].key", {"envs": [{"value": "x"}]}),
    ("envs[0].value", {"envs": [{"key": "A", "value": 1}]}),
    ("healthy", {"healthy": None}),
    ("healthy.path", {"healthy": {"path": "health"}}),
]


@pytest.mark.parametrize(("field", "changes"), REFUSED)
def test_a_bad_field_is_named(field: str, changes: dict[str, Any]) -> None:
    """A body with one bad field is refused with VALIDATOR_PARAM, and the message names the field."""
    status, payload = Api.of().post("/endpoint/create", {"endpoint": body(**changes)})
    assert status == 400
    assert payload.keys() == {"code", "reason", "message", "metadata"}
    assert (payload["code"], payload["reason"], payload["metadata"]) == (400, "VALIDATOR_PARAM", {})
    assert payload["message"].startswith(f"invalid {field}: ")


ACCEPTED: list[dict[str, Any]] = [
    {"workerConfig": worker_config(minNum=0)},
    {"workerConfig": worker_config(requestTimeout=3600)},
    {"workerConfig": worker_config(freeTimeout="300", maxConcurrent="4")},
    {"ports": [{"port": "8000"}]},
    {"ports": [{"port": 2225}]},
    {"policy": {"type": "concurrency", "value": "5"}},
    {"policy": {"type": "concurrency", "value": 5}, "type": "async"},
    {"name": "x" * 220},
    {"name": None},
    {"appName": "x" * 46},
    {"products": [{"id": "1"}, {"id": "SL-serverless-9"}]},
    {"rootfsSize": 90},
    {"clusterID": None, "clusterIDs": ["as-sgp-2"]},
    {"clusterID": "nowhere-1"},
    {"envs": None},
    {"volumeMounts": [{"type": "network", "id": "ns-1", "mountPath": "/network"}]},
    {"somethingElse": 1},
]


@pytest.mark.parametrize("changes", ACCEPTED)
def test_what_live_clients_send_is_accepted(changes: dict[str, Any]) -> None:
    """Digit strings, zero workers, long timeouts, omitted optional fields and unknown keys all pass."""
    assert Api.of().try_create(**changes) == (200, "")


def test_numbers_are_kept_as_numbers() -> None:
    """Digit strings in a body are stored as ints, whatever answers make of them."""
    api = Api.of()
    api.create(workerConfig=worker_config(freeTimeout="300"), ports=[{"port": "9000"}])
    [endpoint] = api.world.endpoints
    assert endpoint["workerConfig"]["freeTimeout"] == 300
    assert endpoint["ports"] == [{"port": 9000}]


def test_an_instance_product_is_no_serverless_product() -> None:
    """Product ids of GPU instances are refused with a reason of their own."""
    assert Api.of().try_create(products=[{"id": "4090.16c62g"}]) == (400, "SERVERLESS_PRODUCT_NOT_FOUND")


def test_create_needs_the_wrapper_and_update_must_not_have_it() -> None:
    """Create takes {"endpoint": ...}, update a flat body with the id."""
    api = Api.of()
    assert api.post("/endpoint/create", body())[1]["message"].startswith("invalid endpoint")
    endpoint_id = api.create()
    wrapped = {"endpoint": {"id": endpoint_id, **body()}}
    assert api.post("/endpoint/update", wrapped)[1]["message"].startswith("invalid id")


@pytest.mark.parametrize("data", [b"{", b"[]", b"\xff"])
def test_a_body_that_is_no_object_is_refused(data: bytes) -> None:
    """Anything but a JSON object is refused and does not end the simulator."""
    status, payload = Api.of().send("POST", "/endpoint/create", data=data)
    assert (status, payload["reason"]) == INVALID


@pytest.mark.parametrize("field", ["workerConfig", "ports", "policy", "image"])
def test_update_demands_the_documented_fields(field: str) -> None:
    """An update without one of its required fields is refused and changes nothing."""
    api = Api.of()
    endpoint_id = api.create()
    before = api.world.endpoints
    assert api.update(endpoint_id, name="other", **{field: None}) == INVALID
    assert api.world.endpoints == before
