"""Image prewarm tasks over a socket: their states over time, the quota, and faster boots."""

from pathlib import Path
from typing import Any

import pytest

from reconciler.simulator import Fault

from .account import Account, account
from .api import Clock, body

IMAGE = "registry.example.com/team/sd:2"
TASK = {"imageUrl": IMAGE, "clusterId": "us-dallas-nas-2", "note": "mark"}


def new_task(api: Account, **changes: Any) -> str:
    status, payload = api.post("/image/prewarm", TASK | changes)
    assert (status, payload.keys()) == (200, {"id"})
    return str(payload["id"])


def tasks(api: Account, **query: Any) -> list[dict[str, Any]]:
    status, payload = api.get("/image/prewarm", **query)
    assert status == 200, payload
    return list(payload["data"])


def test_a_task_passes_through_its_states(tmp_path: Path) -> None:
    """Pending, Running, Succeeded by the clock, also across a restart; all documented keys are there."""
    clock, state = Clock(), tmp_path / "sim.json"
    with account(state, clock, prewarm_seconds=100) as api:
        task_id = new_task(api, productIds=["SL-serverless-3"])
        assert tasks(api) == [
            {
                "id": task_id,
                "imageName": "sd:2",
                "imageUrl": IMAGE,
                "repositoryAuth": "",
                "clusterId": "us-dallas-nas-2",
                "clusterName": "US-Dallas-NAS-02 (Dallas)",
                "products": [{"productId": "SL-serverless-3", "productName": "SL-serverless-3"}],
                "imageSize": "",
                "createTime": "1700000000",
                "completeTime": "",
                "state": "Pending",
                "note": "mark",
                "reason": [],
            }
        ]
        clock.now += 25
        [task] = tasks(api)
        assert (task["state"], task["imageSize"], task["completeTime"]) == ("Running", "12", "")
    with account(state, clock) as api:
        assert tasks(api)[0]["state"] == "Running"
        clock.now += 75
        [task] = tasks(api)
        assert (task["state"], task["completeTime"]) == ("Succeeded", "1700000100")


@pytest.mark.parametrize(
    ("switches", "reason"),
    [
        ({"prewarm_error": "image not found"}, "image not found"),
        ({"image_gb": 101}, "image is larger than 100 GB"),
    ],
)
def test_a_task_fails(switches: dict[str, Any], reason: str) -> None:
    """With its reason, and for good: a later task does not."""
    with account(prewarm_seconds=10, **switches) as api:
        new_task(api)
        assert tasks(api)[0]["reason"] == []
        api.clock.now += 10
        api.sim.world.switch(prewarm_error="", image_gb=12, prewarm_seconds=0)
        new_task(api)
        assert [(one["state"], one["reason"]) for one in tasks(api)] == [
            ("Failed", [reason]),
            ("Succeeded", []),
        ]


@pytest.mark.parametrize(("counts", "total"), [("all", 2), ("unfinished", 1)])
def test_the_number_of_tasks_is_limited(counts: str, total: int) -> None:
    """Finished ones count too unless prewarm_counts says otherwise."""
    with account(prewarm_limit=2, prewarm_counts=counts) as api:
        new_task(api)
        api.sim.world.switch(prewarm_seconds=10)
        new_task(api)
        assert api.get("/image/prewarm/quota")[1] == {"total": total, "limit": 2, "perImageSize": 100}
        expected = (400, "IMAGE_PREWARM_NUM_LIMIT") if counts == "all" else (200, "")
        assert api.refused("/image/prewarm", TASK) == expected


def test_tasks_are_filtered_and_paged() -> None:
    """By state, cluster, and a text in the image or the note; pages count from 1, ten tasks each."""
    with account(prewarm_limit=100) as api:
        new_task(api, clusterId="as-sgp-2")
        new_task(api, imageUrl="other:1", note="")
        api.sim.world.switch(prewarm_seconds=10)
        new_task(api, imageUrl="other:1", note="xmarky")

        def images(**query: Any) -> list[str]:
            return [one["imageUrl"] for one in tasks(api, **query)]

        assert images(state="Pending") == ["other:1"]
        assert images(clusterId="as-sgp-2") == [IMAGE]
        assert images(name="mark") == [IMAGE, "other:1"]
        assert images(name="other") == ["other:1", "other:1"]
        assert api.get("/image/prewarm", state="Done")[0] == 400
        for _ in range(8):
            new_task(api)
        assert [len(tasks(api, page=page)) for page in (1, 2)] == [10, 1]
        assert api.get("/image/prewarm", page=2, pageSize=4)[1]["total"] == 11


def test_a_note_is_edited_and_tasks_deleted() -> None:
    """Several at once; if one does not exist, none is deleted."""
    with account() as api:
        first, second = new_task(api), new_task(api)
        assert api.post("/image/prewarm/edit", {"id": first, "note": "other"}) == (200, {})
        assert [one["note"] for one in tasks(api)] == ["other", "mark"]
        missing = (400, "RESOURCE_NOT_FOUND")
        assert api.refused("/image/prewarm/edit", {"id": "x", "note": ""}) == missing
        assert api.refused("/image/prewarm/delete", {"ids": [first, "x"]}) == missing
        assert len(tasks(api)) == 2
        assert api.post("/image/prewarm/delete", {"ids": [first, second]}) == (200, {})
        assert tasks(api) == []


@pytest.mark.parametrize(
    ("path", "payload"),
    [
        ("/image/prewarm", TASK | {"imageUrl": ""}),
        ("/image/prewarm", TASK | {"imageUrl": "x" * 501}),
        ("/image/prewarm", TASK | {"clusterId": ""}),
        ("/image/prewarm", TASK | {"clusterId": "elsewhere"}),
        ("/image/prewarm", TASK | {"productIds": "SL-serverless-3"}),
        ("/image/prewarm", TASK | {"note": 1}),
        ("/image/prewarm/delete", {}),
        ("/image/prewarm/delete", {"ids": []}),
        ("/image/prewarm/delete", {"ids": [1]}),
        ("/image/prewarm/edit", {"note": "x"}),
    ],
)
def test_invalid_bodies_are_refused(path: str, payload: dict[str, Any]) -> None:
    """As those of endpoints are."""
    with account(known_clusters=("us-dallas-nas-2",)) as api:
        assert api.refused(path, payload) == (400, "VALIDATOR_PARAM")


def test_a_private_image_needs_a_credential_that_exists() -> None:
    """Its ID, if references are checked."""
    with account(check_references=True) as api:
        assert api.refused("/image/prewarm", TASK | {"repositoryAuth": "x"}) == (400, "RESOURCE_NOT_FOUND")
        auth = api.new_auth()
        new_task(api, repositoryAuth=auth)
        assert tasks(api)[0]["repositoryAuth"] == auth


def test_an_overdue_account_warms_nothing() -> None:
    """But its tasks can be seen and deleted."""
    with account() as api:
        task = new_task(api)
        api.sim.world.switch(overdue=True)
        assert api.refused("/image/prewarm", TASK) == (400, "BALANCE_NOT_ENOUGH")
        assert len(tasks(api)) == 1
        assert api.post("/image/prewarm/delete", {"ids": [task]}) == (200, {})


@pytest.mark.parametrize("offered", [True, False])
def test_each_call_has_its_operation(offered: bool) -> None:
    """And each is 404 in an account without the feature."""
    with account(prewarm_offered=offered) as api:
        if offered:
            api.sim.faults.add(Fault(status=404, reason="NOT_FOUND", times=5))
        answers = [
            api.get("/image/prewarm"),
            api.post("/image/prewarm", TASK),
            api.post("/image/prewarm/edit", {"id": "x", "note": ""}),
            api.post("/image/prewarm/delete", {"ids": ["x"]}),
            api.get("/image/prewarm/quota"),
        ]
        assert [(status, payload["reason"]) for status, payload in answers] == [(404, "NOT_FOUND")] * 5
        assert [one.operation for one in api.sim.requests] == [
            "prewarms",
            "prewarm_create",
            "prewarm_edit",
            "prewarm_delete",
            "prewarm_quota",
        ]


@pytest.mark.parametrize(
    ("changes", "is_warm"),
    [
        ({}, True),
        ({"clusterId": "eu-de-1"}, False),
        ({"imageUrl": IMAGE + ".1"}, False),
    ],
)
def test_workers_of_a_warm_image_boot_faster(changes: dict[str, Any], is_warm: bool, tmp_path: Path) -> None:
    """In the cluster of the task, in a rollout and in a create; a cold worker stays cold."""
    clock, state = Clock(), tmp_path / "sim.json"
    with account(state, clock, worker_boot_seconds=100) as api:
        cold = api.new_endpoint(image={"image": IMAGE})
        rolled = api.new_endpoint()
        new_task(api, **changes)
        created = api.new_endpoint(image={"image": IMAGE})
        update = {"id": rolled, **body(image={"image": IMAGE})}
        assert api.post("/endpoint/update", update)[0] == 200
    with account(state, clock, worker_boot_seconds=100) as api:

        def states(endpoint_id: str) -> list[str]:
            return [one["state"]["state"] for one in api.endpoint(endpoint_id)["workers"]]

        clock.now += 10
        new = "running" if is_warm else "pending"
        assert (states(cold), states(created)) == (["pending"], [new])
        # The old worker goes when the new one runs.
        assert states(rolled) == (["removed", "running"] if is_warm else ["pending", "pending"])
        assert api.endpoint(created)["workers"][0]["readyAt"] == ("2023-11-14T22:13:30Z" if is_warm else "")


def test_an_image_is_warm_after_its_task_and_as_long_as_the_task_exists() -> None:
    """Not while it runs, not after a failure, not after a delete."""
    with account(worker_boot_seconds=100, warm_boot_share=0, prewarm_seconds=10) as api:
        task = new_task(api)

        def new_state() -> str:
            endpoint_id = api.new_endpoint(image={"image": IMAGE}, clusterIDs=["us-dallas-nas-2"])
            return str(api.endpoint(endpoint_id)["workers"][0]["state"]["state"])

        assert new_state() == "pending"
        api.clock.now += 10
        assert new_state() == "running"
        api.post("/image/prewarm/delete", {"ids": [task]})
        assert new_state() == "pending"
        api.sim.world.switch(prewarm_error="no space")
        new_task(api)
        api.clock.now += 10
        assert new_state() == "pending"
