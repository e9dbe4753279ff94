"""One line for each of the three sides of an endpoint; what a test does not mention is the default.

`served` and `updated` are Novita as its documentation and its users describe it, written without the codec,
so that a misunderstanding shows up on one side only.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from reconciler.kinds.endpoint.from_yaml import desired_endpoint
from reconciler.kinds.registry import ENDPOINT
from reconciler.model.plan import Change, Plan
from reconciler.model.resource import Desired, Intent, Inventory, Live, Spec, Tracked
from reconciler.model.secrets import Keyring, Secret, seal
from reconciler.planning.planner import make_plan
from reconciler.planning.selection import EVERYTHING, Selection

KEYRING = Keyring.from_key("sk-test")
OTHER_KEYRING = Keyring.from_key("sk-other")
SPEC = Spec(
    name="novita-5090-single",
    product_id="SL-serverless-3",
    region="us-dallas-nas-2",
    gpu=1,
    rootfs_gb=100,
    cuda_version="any",
)
LARGER = Spec(name="large", product_id="SL-serverless-9", region="us-dallas-nas-2", gpu=2, rootfs_gb=100)
PINNED = Spec(
    name="pinned",
    product_id="SL-serverless-3",
    region="us-dallas-nas-2",
    gpu=1,
    rootfs_gb=100,
    cuda_version="12.4",
)


def endpoint(name: str = "base-test", *, spec: Spec = SPEC, **declared: Any) -> Desired:
    """A declared endpoint; its fields are those of the YAML."""
    item = {"endpoint": name, "image": "ubuntu:22.04", **declared}
    desired, problems = desired_endpoint(item, spec, lambda path: None)
    assert desired is not None, problems
    return desired


def secret(value: str = "hf_123", source: str = "${env:HF_TOKEN}") -> Secret:
    return Secret(value=value, source=source)


def answer(
    name: str = "base-test", object_id: str = "", *, spec: Spec = SPEC, **declared: Any
) -> dict[str, Any]:
    """What GET says of an endpoint that was created from this declaration."""
    request = ENDPOINT.create_request(endpoint(name, spec=spec, **declared))
    return served(json.loads(request.body_bytes()), object_id or f"id-{name}")


def live(name: str = "base-test", object_id: str = "", *, state: str = "serving", **declared: Any) -> Live:
    """A live endpoint that was created from this declaration."""
    return ENDPOINT.parse_one({**answer(name, object_id, **declared), "state": {"state": state}})


def parse_bare() -> Live:
    """A live endpoint of which the answer says no more than ID and name."""
    return ENDPOINT.parse_one({"id": "id-bare", "name": "bare"})


def tracked(
    name: str = "base-test",
    object_id: str = "",
    *,
    keyring: Keyring = KEYRING,
    imperative: bool = False,
    **declared: Any,
) -> Tracked:
    """The record that applying this declaration leaves."""
    return record(endpoint(name, **declared), object_id, keyring=keyring, imperative=imperative)


def record(
    desired: Desired, object_id: str = "", *, keyring: Keyring = KEYRING, imperative: bool = False
) -> Tracked:
    return Tracked(
        name=desired.name,
        id=object_id or f"id-{desired.name}",
        applied=seal(ENDPOINT.emitted(desired.fields, desired.lifecycle.ignore), keyring),
        origin="imperative" if imperative else "declared",
        prevent_destroy=desired.lifecycle.prevent_destroy,
    )


def inventory(*records: Tracked, intents: Iterable[Intent] = ()) -> Inventory:
    return Inventory(records={one.name: one for one in records}, intents={one.name: one for one in intents})


def plan(
    desired: Iterable[Desired] = (),
    records: Iterable[Tracked] = (),
    live: Iterable[Live] = (),
    *,
    selection: Selection = EVERYTHING,
    keyring: Keyring = KEYRING,
) -> Plan:
    return make_plan(tuple(desired), inventory(*records), tuple(live), keyring, selection)


def change(desired: Desired | None, record: Tracked | None, live: Live | None) -> Change:
    """The one change of a plan for one endpoint."""
    made = plan(*([one] if one else [] for one in (desired, record, live)))
    (found,) = made.changes
    return found


def served(body: dict[str, Any], object_id: str) -> dict[str, Any]:
    """A create request as GET answers it afterwards: re-typed, re-ordered and filled in."""
    sent = body["endpoint"]
    worker = sent["workerConfig"]
    return {
        "url": f"https://{object_id}-{sent['appName']}.runsync.novita.dev",
        "state": {"state": "serving", "error": "", "message": ""},
        "healthy": {"failureThreshold": 3, "path": sent["healthy"]["path"], "timeout": 10, "period": 10},
        "envs": [{"value": env["value"], "key": env["key"]} for env in reversed(sent["envs"])],
        "products": [{"name": "RTX 5090", "id": product["id"]} for product in sent["products"]],
        "image": {
            "command": sent["image"].get("command", ""),
            "authId": sent["image"].get("authId", ""),
            "image": sent["image"]["image"],
        },
        "workerConfig": {
            "cudaVersion": worker.get("cudaVersion", ""),
            "requestTimeout": worker["requestTimeout"],
            "gpuNum": worker["gpuNum"],
            "maxConcurrent": str(worker["maxConcurrent"]),
            "freeTimeout": str(worker["freeTimeout"]),
            "maxNum": worker["maxNum"],
            "minNum": worker["minNum"],
        },
        "policy": {"value": str(sent["policy"]["value"]), "type": sent["policy"]["type"]},
        "ports": [{"port": str(port["port"])} for port in sent["ports"]],
        "volumeMounts": [{"id": "vol-1", **mount} for mount in reversed(sent["volumeMounts"])] or None,
        "workers": [{"id": "w-1", "state": {"state": "removed"}, "healthy": False}],
        "rootfsSize": sent["rootfsSize"],
        "clusterID": sent["clusterID"],
        "appName": sent["appName"],
        "name": sent["name"],
        "id": object_id,
        "createdAt": "1750000000",
    }


def updated(before: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    """An update request as GET answers it afterwards: what it says replaces, the fixed rest stays."""
    fixed = {"appName": before["appName"], "products": before["products"], "rootfsSize": before["rootfsSize"]}
    return served({"endpoint": {**body, **fixed}}, before["id"])
