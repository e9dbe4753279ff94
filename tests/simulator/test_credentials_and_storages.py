"""Registry credentials and network storages over a socket: their listings, limits, lags and use."""

import json
from pathlib import Path
from typing import Any

import pytest

from reconciler.simulator import Fault

from .account import account
from .api import Clock, body

NETWORK = "/network"


def mount(storage_id: str) -> list[dict[str, Any]]:
    return [{"type": "network", "id": storage_id, "mountPath": NETWORK}]


@pytest.mark.parametrize(("field", "longest"), [("name", 255), ("username", 511), ("password", 1024)])
def test_a_credential_has_limits(field: str, longest: int) -> None:
    """The longest text is saved as it is, a longer one refused."""
    with account() as api:
        api.new_auth(**{field: "x" * longest})
        assert api.auths()[0][field] == "x" * longest
        too_long = {"name": "a", "username": "b", "password": "c", field: "x" * (longest + 1)}
        assert api.refused("/repository/auth/save", too_long) == (400, "VALIDATOR_PARAM")


def test_an_unknown_credential_is_refused_if_references_are_checked() -> None:
    """In a create and in an update, and an update to a known one passes."""
    with account(check_references=True) as api:
        endpoint_id = api.new_endpoint()
        bad = {"image": {"image": "a:1", "authId": "nope"}}
        assert api.refused("/endpoint/create", {"endpoint": body(**bad)}) == (400, "RESOURCE_NOT_FOUND")
        update = {"id": endpoint_id, **body(**bad)}
        assert api.refused("/endpoint/update", update) == (400, "RESOURCE_NOT_FOUND")
        update["image"]["authId"] = api.new_auth()
        assert api.post("/endpoint/update", update) == (200, {})


@pytest.mark.parametrize("release", ["delete", "update"])
def test_a_released_credential_and_storage_count_as_used_for_a_while(release: str, tmp_path: Path) -> None:
    """in_use_lag_seconds: after the endpoint is gone or uses others, also across a restart."""
    clock = Clock()
    state = tmp_path / "sim.json"
    with account(state, clock, in_use_lag_seconds=30) as api:
        auth, storage = api.new_auth(), api.new_storage()
        used = {"image": {"image": "a:1", "authId": auth}, "volumeMounts": mount(storage)}
        endpoint_id = api.new_endpoint(**used)
        if release == "delete":
            assert api.post("/endpoint/delete", {"id": endpoint_id})[0] == 200
        else:
            assert api.post("/endpoint/update", {"id": endpoint_id, **body()})[0] == 200
    with account(state, clock, in_use_lag_seconds=30) as api:
        clock.now += 29
        refusals = {
            api.refused("/repository/auth/delete", {"id": auth}),
            api.refused("/networkstorage/delete", {"storageId": storage}),
        }
        assert refusals == {(400, "IMAGE_AUTH_IN_USE"), (400, "NETWORK_STORAGE_IN_USE")}
        clock.now += 1
        assert api.post("/repository/auth/delete", {"id": auth}) == (200, {})
        assert api.post("/networkstorage/delete", {"storageId": storage}) == (200, {})


def test_a_terminating_endpoint_uses_its_references() -> None:
    """Until it cannot be read any more."""
    with account(terminating_seconds=10) as api:
        auth = api.new_auth()
        endpoint_id = api.new_endpoint(image={"image": "a:1", "authId": auth})
        assert api.post("/endpoint/delete", {"id": endpoint_id})[0] == 200
        assert api.refused("/repository/auth/delete", {"id": auth}) == (400, "IMAGE_AUTH_IN_USE")
        api.clock.now += 10
        assert api.post("/repository/auth/delete", {"id": auth}) == (200, {})


def test_new_ones_may_be_listed_late(tmp_path: Path) -> None:
    """reference_lag_seconds: they exist at once and are listed later, also across a restart."""
    clock = Clock()
    state = tmp_path / "sim.json"
    with account(state, clock, reference_lag_seconds=5, auth_save_answer="id", check_references=True) as api:
        auth = api.post("/repository/auth/save", {"name": "a", "username": "b", "password": "c"})[1]["id"]
        storage = api.new_storage()
        api.new_endpoint(image={"image": "a:1", "authId": auth}, volumeMounts=mount(storage))
    with account(state, clock, reference_lag_seconds=5) as api:
        assert (api.auths(), api.storages()) == ([], [])
        clock.now += 5
        assert (len(api.auths()), len(api.storages())) == (1, 1)


def test_a_file_from_before_is_read(tmp_path: Path) -> None:
    """Files of earlier versions have no times of credentials and storages."""
    old = {
        "format": 1,
        "inactiveTries": 0,
        "fleet": {"salt": 1, "count": 2, "endpoints": []},
        "auths": [{"id": "a1", "name": "a", "username": "b", "password": "c"}],
        "storages": [{"storageId": "s1", "storageName": "s", "storageSize": 10, "clusterId": "as-sgp-2"}],
    }
    state = tmp_path / "sim.json"
    state.write_text(json.dumps(old))
    with account(state, reference_lag_seconds=5) as api:
        assert (api.auths()[0]["id"], api.storages()[0]["storageId"]) == ("a1", "s1")


def test_pages_of_storages_count_from_1() -> None:
    """Unlike those of endpoints, whatever page_base says; storage_page_base changes it."""
    with account() as api:
        for number in range(3):
            api.new_storage(storageName=f"s{number}")
        pages = [
            [
                one["storageName"]
                for one in api.get("/networkstorages/list", pageNo=page, pageSize=2)[1]["data"]
            ]
            for page in (1, 2, 3)
        ]
        assert pages == [["s0", "s1"], ["s2"], []]
        api.sim.world.switch(storage_page_base=0, total_offset=1)
        second = api.get("/networkstorages/list", pageNo=1, pageSize=2)[1]
        assert (len(second["data"]), second["total"]) == (1, 4)


@pytest.mark.parametrize("name", ["", "with space", "under_score", "a/b", "é", "x" * 256])
def test_a_storage_has_a_rule_for_names(name: str) -> None:
    """Letters, digits and hyphens, in a create and in a rename."""
    with account() as api:
        storage = api.new_storage(storageName="Models-2")
        new = {"clusterId": "us-dallas-nas-2", "storageName": name, "storageSize": 10}
        assert api.refused("/networkstorage/create", new) == (400, "VALIDATOR_PARAM")
        renamed = {"storageId": storage, "storageName": name, "storageSize": 100}
        assert api.refused("/networkstorage/update", renamed) == (400, "VALIDATOR_PARAM")
        assert [one["storageName"] for one in api.storages()] == ["Models-2"]


def test_a_storage_stays_in_its_cluster() -> None:
    """An update cannot move it; an unknown cluster is refused if clusters are known."""
    with account(known_clusters=("us-dallas-nas-2",)) as api:
        storage = api.new_storage()
        moved = {
            "storageId": storage,
            "storageName": "models",
            "storageSize": 100,
            "clusterId": "as-sgp-2",
        }
        assert api.post("/networkstorage/update", moved)[0] == 200
        assert api.storages()[0]["clusterId"] == "us-dallas-nas-2"
        other = {"clusterId": "as-sgp-2", "storageName": "a", "storageSize": 10}
        assert api.refused("/networkstorage/create", other) == (400, "VALIDATOR_PARAM")


@pytest.mark.parametrize(
    ("operation", "path", "payload"),
    [
        ("auths", "/repository/auths", None),
        ("auth_save", "/repository/auth/save", {"name": "a", "username": "b", "password": "c"}),
        ("auth_delete", "/repository/auth/delete", {"id": "x"}),
        ("storages", "/networkstorages/list", None),
        (
            "storage_create",
            "/networkstorage/create",
            {"clusterId": "as-sgp-2", "storageName": "a", "storageSize": 10},
        ),
        (
            "storage_update",
            "/networkstorage/update",
            {"storageId": "x", "storageName": "a", "storageSize": 10},
        ),
        ("storage_delete", "/networkstorage/delete", {"storageId": "x"}),
    ],
)
def test_faults_meet_each_call(operation: str, path: str, payload: dict[str, Any] | None) -> None:
    """Each has an operation of its own, and a fault of it changes nothing in the account."""
    with account() as api:
        api.sim.faults.add(Fault(operation=operation, status=503))
        assert (api.get(path) if payload is None else api.post(path, payload))[0] == 503
        assert (api.auths(), api.storages()) == ([], [])
        assert api.sim.requests[0].operation == operation
