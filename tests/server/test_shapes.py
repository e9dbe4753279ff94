"""Shapes, statuses and errors of the original service, and the calls of its real clients."""

from __future__ import annotations

import json
from http.client import HTTPConnection
from typing import Any

import pytest

from reconciler.model.status import StorageInfo
from reconciler.server.api.endpoint_objects import claim_object

from .conftest import WRITER, Client, wait_until

ALL = "/api/v1/endpoints"
FIELDS = [
    "name",
    "displayName",
    "description",
    "specName",
    "image",
    "imagePrefix",
    "imageDigest",
    "imageLastChecked",
    "latestImage",
    "replicas",
    "gpuCount",
    "minReplicas",
    "maxReplicas",
    "scaleUpThreshold",
    "scaleDownIdleTime",
    "scaleUpCooldown",
    "scaleDownCooldown",
    "priority",
    "enableDynamicPrio",
    "highLoadThreshold",
    "priorityBoost",
    "lastScaleTime",
    "lastTaskTime",
    "firstPendingTime",
    "env",
    "labels",
    "taskTimeout",
    "enablePtrace",
    "maxPendingTasks",
    "status",
    "readyReplicas",
    "availableReplicas",
    "healthStatus",
    "workerCount",
    "activeWorkerCount",
    "totalTasks",
    "completedTasks",
    "failedTasks",
    "createdAt",
    "updatedAt",
]
"""The fields of an endpoint without those that are left out if empty, in the order of Go's structure."""

WORKER_FIELDS = [
    "id",
    "endpoint",
    "pod_name",
    "status",
    "concurrency",
    "current_jobs",
    "jobs_in_progress",
    "last_heartbeat",
    "registered_at",
    "podPhase",
    "podStatus",
    "podReason",
    "podMessage",
]


def body(name: str, **fields: Any) -> dict[str, Any]:
    return {"endpoint": name, "specName": "novita-5090-single", "image": "ubuntu:22.04", **fields}


@pytest.fixture(scope="module")
def made(shared: Client) -> str:
    """The name of an endpoint that exists."""
    answer = shared.ask("POST", ALL, body("made", env={"A": "<b>&"}), token=WRITER)
    assert answer.status == 200, answer.text
    return "made"


def test_an_endpoint_has_the_fields_in_their_order(shared: Client, made: str) -> None:
    one = shared.get(f"{ALL}/{made}").json
    assert list(one) == FIELDS
    assert (one["replicas"], one["minReplicas"], one["maxReplicas"]) == (1, 1, 1)  # the default of the seed
    assert one["lastTaskTime"] == "0001-01-01T00:00:00Z"
    assert shared.get(ALL).json == [one]
    workers = shared.get(f"{ALL}/{made}/workers").json
    assert [list(worker) for worker in workers] == [WORKER_FIELDS]
    assert shared.get(f"/api/v1/workers/{workers[0]['id']}").json["endpoint"] == made
    assert shared.get(f"{ALL}/none/workers").json == []


def test_text_is_escaped_as_go_does(shared: Client, made: str) -> None:
    answer = shared.get(f"{ALL}/{made}?reveal=env", token=WRITER)
    assert r"\u003cb\u003e\u0026" in answer.text
    assert answer.json["env"] == {"A": "<b>&"}
    preview = shared.ask("POST", f"{ALL}/preview", body("p", image="a/b:1", command="a && b"))
    assert preview.headers["content-type"] == "text/plain; charset=utf-8"
    assert r"a \u0026\u0026 b" in preview.text
    assert preview.text.startswith('{\n  "endpoint": {\n    "name": "p"')


@pytest.mark.parametrize(
    ("method", "path", "content", "status", "error"),
    [
        ("GET", f"{ALL}/none", None, 404, "endpoint not found"),
        ("GET", f"{ALL}/none/status", None, 404, "endpoint not found"),
        ("PUT", f"{ALL}/none", {}, 404, "endpoint not found"),
        ("PUT", f"{ALL}/made", {"priority": 1}, 501, "metadata store not available"),
        ("GET", f"{ALL}/made/logs?lines=5", None, 500, "GetAppLogs is not supported by Novita provider"),
        ("GET", f"{ALL}/made/workers/w/describe", None, 500, "DescribePod not supported"),
        ("GET", f"{ALL}/made/workers/w/yaml", None, 500, "GetPodYAML not supported"),
        ("GET", f"{ALL}/made/workers/exec", None, 503, "K8s provider not available"),
        ("GET", "/api/v1/workers/none", None, 404, "worker not found"),
        ("GET", "/api/v1/specs/none", None, 404, "spec none not found"),
        ("POST", "/api/v1/specs", {}, 501, "specs are files here"),
        ("DELETE", f"{ALL}/none", None, 404, "`none`"),
        ("PATCH", f"{ALL}/none/deployment", {"replicas": 2}, 404, "`none`"),
        ("PATCH", f"{ALL}/none/deployment", {}, 404, "endpoint not found"),
        ("POST", f"{ALL}/none/scale", {"replicas": 2}, 404, "`none`"),
        ("POST", f"{ALL}/made/scale", {}, 400, "`replicas` must be"),
        ("POST", f"{ALL}/made/scale", {"replicas": "2"}, 400, "`replicas` must be"),
        ("POST", f"{ALL}/made/scale", {"replicas": -1}, 400, "`replicas` must be"),
        ("POST", ALL, b"", 400, "EOF"),
        ("POST", ALL, b"nonsense", 400, "not JSON"),
        ("POST", ALL, b"[]", 400, "not a JSON object"),
        ("POST", ALL, b"\xff", 400, "not valid UTF-8"),
        ("POST", ALL, b'{"a": "\\ud800"}', 400, "not valid UTF-8"),
        ("POST", ALL, b'{"a": NaN}', 400, "not JSON"),
        ("POST", ALL, b"[" * 100_000, 400, "not JSON"),
        ("POST", ALL, {"specName": "s", "image": "i:1"}, 400, "`endpoint` is required"),
        ("POST", ALL, {"endpoint": "e", "specName": "", "image": "i:1"}, 400, "`specName` is required"),
        ("POST", ALL, {"endpoint": "e", "specName": "s", "image": 5}, 400, "`image` must be text"),
        ("POST", ALL, body("x", replicas="3"), 400, "`replicas` must be a whole number, not"),
        ("POST", ALL, body("x", env={"A": 1}), 400, "`env.A` must be text"),
        ("POST", ALL, body("x", shmSize="1Gi"), 400, "Shared memory size configuration not applicable"),
        ("POST", ALL, body("x", registryCredential={"registry": "r"}), 400, "`registryCredential`"),
        ("POST", ALL, body("x", specName="nope"), 400, "there is no spec `nope`"),
        ("POST", ALL, body("made"), 500, "exists already"),
        ("PATCH", f"{ALL}/made/deployment", {"image": "not an image"}, 400, "image"),
    ],
)  # fmt: skip
def test_errors_have_the_status_and_say_what_to_do(
    shared: Client, made: str, method: str, path: str, content: object, status: int, error: str
) -> None:
    answer = shared.ask(method, path, content, token=WRITER)
    assert answer.status == status, answer.text
    assert error in answer.json["error"]
    assert answer.json["hint"] or status == 500
    assert list(answer.json) == sorted(answer.json)


def test_errors_of_a_change_name_it(shared: Client, made: str) -> None:
    answer = shared.ask("POST", ALL, body("made"), token=WRITER).json
    assert (answer["endpoint"], answer["spec"]) == ("made", "novita-5090-single")
    assert answer["details"] == f"Deployment failed: {answer['error']}"
    answer = shared.ask("PATCH", f"{ALL}/none/deployment", {"replicas": 1}, token=WRITER).json
    assert answer["details"] == f"Update failed: {answer['error']}"


def test_network_storages_are_volume_claims(shared: Client) -> None:
    """The original fields, of which Novita has no namespace and no time; none in this account."""
    assert shared.get("/api/v1/k8s/pvcs").json == []
    assert claim_object(StorageInfo(name="weights", id="st-1", size_gb=200, region="us-1")) == {
        "name": "weights",
        "namespace": "",
        "status": "Bound",
        "volume": "st-1",
        "capacity": "200G",
        "accessModes": "ReadWriteMany",
        "storageClass": "us-1",
        "createdAt": "",
        "mountedBy": [],
    }
    assert claim_object(StorageInfo(name="x", id="st-2", size_gb=None, region=""))["capacity"] == ""


def test_paths_are_those_of_the_original_router(shared: Client) -> None:
    for method, status in (("GET", 301), ("POST", 307)):
        answer = shared.ask(method, f"{ALL}/")
        assert (answer.status, answer.headers["location"]) == (status, ALL)
    for path in (f"{ALL}/a%2Fb", "//evil.example/", f"{ALL}/made/nothing", "/api/v1/nothing/"):
        answer = shared.get(path)
        assert (answer.status, answer.text) == (404, "404 page not found")
    for method, path in (("HEAD", ALL), ("OPTIONS", ALL), ("PATCH", ALL), ("PUT", f"{ALL}/made/status")):
        assert shared.ask(method, path).status == 404


def test_the_web_ui_is_answered(shared: Client) -> None:
    """The calls of its api/client.ts, with the fields that its forms send whether they are set or not."""
    form = body(
        "from-ui", replicas=2, gpuCount=1, labels={}, volumeMounts=[], shmSize="", enablePtrace=False,
        validateImage=True, registryCredential=None, env={}, minReplicas=0, maxReplicas=4,
    )  # fmt: skip
    preview = shared.ask("POST", f"{ALL}/preview", form, headers={"Accept": "text/plain"})
    assert json.loads(preview.text)["endpoint"]["workerConfig"]["maxNum"] == 4
    answer = shared.ask("POST", ALL, form)
    assert answer.status == 200
    assert answer.headers["x-reconciler-ignored"] == "gpuCount, labels, validateImage"
    assert isinstance(shared.get(ALL).json, list)
    one = shared.ask("PATCH", f"{ALL}/from-ui/deployment", {"replicas": 3, "image": "", "specName": "s"})
    assert (one.status, one.headers["x-reconciler-ignored"]) == (200, "specName")
    assert shared.get(f"{ALL}/from-ui").json["replicas"] == 3
    specs = shared.get("/api/v1/specs?category=gpu").json
    assert list(specs[0]) == ["name", "displayName", "category", "resourceType", "resources", "platforms"]
    assert shared.get(f"/api/v1/specs/{specs[0]['name']}").json == specs[0]
    assert shared.get("/api/v1/specs?category=cpu").json == []
    assert shared.get("/api/v1/config/default-env").json == {}
    assert shared.ask("POST", f"{ALL}/from-ui/check-image").status == 501
    assert shared.get("/api/v1/specs/capacity").status == 501
    assert shared.ask("DELETE", f"{ALL}/from-ui").json == {
        "message": "Endpoint deleted successfully", "name": "from-ui",
    }  # fmt: skip
    assert shared.get(f"{ALL}/from-ui").status == 404


def test_the_portal_is_answered(shared: Client) -> None:
    """Its Go client: a Bearer header everywhere, a connection that is kept, any status below 400."""
    connection = HTTPConnection("127.0.0.1", shared.port, timeout=30)

    def call(method: str, path: str, content: object = None) -> Any:
        connection.request(
            method,
            path,
            None if content is None else json.dumps(content),
            {"Authorization": f"Bearer {WRITER}", "Content-Type": "application/json"},
        )
        response = connection.getresponse()
        text = response.read()
        assert response.status < 400, text
        return json.loads(text)

    call("POST", ALL, body("portal", env={"K": "v"}))
    call("PATCH", f"{ALL}/portal/deployment", {"replicas": 2, "env": {"K": "w"}})
    assert call("GET", f"{ALL}/portal")["replicas"] == 2
    assert len(call("GET", f"{ALL}/portal/workers")) == 2
    events = call("GET", f"{ALL}/portal/events?limit=5")
    assert {event["endpoint"] for event in events} == {"portal"}
    call("DELETE", f"{ALL}/portal")
    connection.close()


def test_a_guide_s_create_without_replicas_scales_between_its_bounds(shared: Client) -> None:
    """The body of docs/USER_GUIDE.md, and the complete example of the seed."""
    complete = body(
        "complete", replicas=3, taskTimeout=1200, maxPendingTasks=10, minReplicas=1, maxReplicas=10,
        scaleUpThreshold=2, scaleDownIdleTime=300, scaleUpCooldown=30, scaleDownCooldown=60, priority=50,
        enableDynamicPrio=True, highLoadThreshold=10, priorityBoost=20,
    )  # fmt: skip
    assert shared.ask("POST", ALL, complete).status == 200
    one = shared.get(f"{ALL}/complete").json
    assert (one["minReplicas"], one["maxReplicas"], one["taskTimeout"]) == (1, 10, 1200)
    assert shared.ask("PATCH", f"{ALL}/complete/deployment", {}).status == 200
    answer = shared.ask("POST", f"{ALL}/complete/scale", {"replicas": 0})
    assert answer.json == {"endpoint": "complete", "message": "Endpoint scaled successfully"}
    wait_until(lambda: shared.get(f"{ALL}/complete/status?fresh=1").json["totalReplicas"] == 0)
    assert shared.ask("DELETE", f"{ALL}/complete").status == 200
