"""Clusters, products, registry credentials and network storages."""

from typing import Any

import pytest

from .api import Api, outcome

AUTH_BODY = {"name": "docker.io", "username": "me", "password": "secret"}
STORAGE_BODY = {"clusterId": "us-dallas-nas-2", "storageName": "models", "storageSize": 100}


def storage(api: Api, **changes: Any) -> str:
    status, payload = api.post("/networkstorage/create", STORAGE_BODY | changes)
    assert status == 200
    return str(payload)


def test_clusters_tell_where_network_storage_is() -> None:
    """The list has the documented keys and both kinds of clusters."""
    clusters = Api.of().get("/clusters")[1]["data"]
    assert {cluster["supportNetworkStorage"] for cluster in clusters} == {True, False}
    assert all(cluster["id"] and cluster["name"] and cluster["availableGpuType"] for cluster in clusters)


def test_products_are_those_of_instances() -> None:
    """The public list has instance products, which no endpoint accepts; a name filters it."""
    api = Api.of()
    [product] = api.get("/products")[1]["data"]
    assert api.try_create(products=[{"id": product["id"]}]) == (400, "SERVERLESS_PRODUCT_NOT_FOUND")
    assert api.get("/products", productName="H100")[1] == {"data": []}


def test_a_product_tells_every_price() -> None:
    """By the hour, by the month and on the spot market, with the ways of paying that are offered."""
    [product] = Api.of().get("/products")[1]["data"]
    assert product["price"]
    assert product["spotPrice"]
    assert [one.keys() for one in product["monthlyPrice"]] == [{"price", "month"}]
    assert product["billingMethods"]


def test_credentials_are_listed_in_clear() -> None:
    """Saving answers an empty object, names may repeat, and the list shows the password."""
    api = Api.of()
    for _ in range(2):
        assert api.post("/repository/auth/save", AUTH_BODY) == (200, {})
    listed = api.get("/repository/auths")[1]["data"]
    assert [one["password"] for one in listed] == ["secret", "secret"]
    assert len({one["id"] for one in listed}) == 2


def test_saving_a_credential_may_answer_its_id() -> None:
    """auth_save_answer id: the answer names the new credential."""
    api = Api.of(auth_save_answer="id")
    auth_id = api.post("/repository/auth/save", AUTH_BODY)[1]["id"]
    assert api.get("/repository/auths")[1]["data"][0]["id"] == auth_id


def test_a_credential_in_use_stays() -> None:
    """One that an endpoint uses cannot be deleted; unused it can, and only once."""
    api = Api.of(auth_save_answer="id")
    auth_id = api.post("/repository/auth/save", AUTH_BODY)[1]["id"]
    endpoint_id = api.create(image={"image": "a:1", "authId": auth_id})
    gone = {"id": auth_id}
    assert outcome(api.post("/repository/auth/delete", gone)) == (400, "IMAGE_AUTH_IN_USE")
    api.delete(id=endpoint_id)
    assert api.post("/repository/auth/delete", gone) == (200, {})
    assert outcome(api.post("/repository/auth/delete", gone)) == (400, "RESOURCE_NOT_FOUND")


@pytest.mark.parametrize("field", ["name", "username", "password"])
def test_a_credential_is_complete(field: str) -> None:
    """None of the three may be empty."""
    assert outcome(Api.of().post("/repository/auth/save", AUTH_BODY | {field: ""})) == (
        400,
        "VALIDATOR_PARAM",
    )


def test_a_storage_is_created_listed_and_grown() -> None:
    """Create answers a bare string; the list pages and filters; a storage grows and is renamed."""
    api = Api.of()
    first, second = storage(api), storage(api, storageName="data", clusterId="elsewhere-1")
    answer = api.get("/networkstorages/list", pageSize=10, pageNo=0)[1]
    assert answer["total"] == 2
    assert answer["data"][0] == {
        "storageId": first,
        "storageName": "models",
        "storageSize": 100,
        "clusterId": "us-dallas-nas-2",
        "clusterName": "US-Dallas-NAS-02 (Dallas)",
        "price": "200",
    }
    assert api.get("/networkstorages/list", storageName="data")[1]["data"][0]["storageId"] == second
    assert api.get("/networkstorages/list", storageId=second)[1]["total"] == 1
    grown = {"storageId": first, "storageName": "big", "storageSize": "200"}
    assert api.post("/networkstorage/update", grown) == (200, {})
    [changed] = api.get("/networkstorages/list", storageId=first)[1]["data"]
    assert (changed["storageName"], changed["storageSize"]) == ("big", 200)
    shrunk = grown | {"storageSize": 100}
    assert outcome(api.post("/networkstorage/update", shrunk)) == (400, "VALIDATOR_PARAM")


def test_creating_a_storage_may_answer_an_object() -> None:
    """storage_create_answer object: the id comes in one."""
    api = Api.of(storage_create_answer="object")
    payload = api.post("/networkstorage/create", STORAGE_BODY)[1]
    assert api.get("/networkstorages/list")[1]["data"][0]["storageId"] == payload["id"]


def test_storages_have_a_smallest_size_and_need_a_cluster_that_offers_them() -> None:
    """Below 10 GB is invalid; a cluster without network storage has a reason of its own."""
    api = Api.of()
    small, misplaced = STORAGE_BODY | {"storageSize": 9}, STORAGE_BODY | {"clusterId": "eu-de-1"}
    assert outcome(api.post("/networkstorage/create", small)) == (400, "VALIDATOR_PARAM")
    reason = "CUR_CLUSTER_NETWORK_STORAGE_NOT_SUPPORT"
    assert outcome(api.post("/networkstorage/create", misplaced)) == (400, reason)


def test_a_mounted_storage_stays() -> None:
    """One that an endpoint mounts cannot be deleted; an unknown one is not found."""
    api = Api.of()
    storage_id = storage(api)
    mounts = [{"type": "network", "id": storage_id, "mountPath": "/network"}]
    endpoint_id = api.create(volumeMounts=mounts)
    gone = {"storageId": storage_id}
    assert outcome(api.post("/networkstorage/delete", gone)) == (400, "NETWORK_STORAGE_IN_USE")
    api.delete(id=endpoint_id)
    assert api.post("/networkstorage/delete", gone) == (200, {})
    assert outcome(api.post("/networkstorage/delete", gone)) == (400, "NETWORK_STORAGE_NOT_FOUND")


def test_references_are_checked_on_demand() -> None:
    """check_references refuses credentials and storages that are not there, or are in another cluster."""
    api = Api.of(check_references=True, auth_save_answer="id")
    image = {"image": "a:1", "authId": "nope"}
    assert api.try_create(image=image) == (400, "RESOURCE_NOT_FOUND")
    image["authId"] = api.post("/repository/auth/save", AUTH_BODY)[1]["id"]
    assert api.try_create(image=image) == (200, "")
    mounts: list[dict[str, Any]] = [
        {"type": "local", "size": 30, "mountPath": "/l"},
        {"type": "network", "id": "x", "mountPath": "/n"},
    ]
    assert api.try_create(volumeMounts=mounts) == (400, "NETWORK_STORAGE_NOT_FOUND")
    mounts[1]["id"] = storage(api)
    assert api.try_create(volumeMounts=mounts) == (200, "")
    assert api.try_create(volumeMounts=mounts, clusterID="as-sgp-2") == (400, "VALIDATOR_PARAM")


def test_references_are_trusted_by_default() -> None:
    """Without the check any id passes."""
    assert Api.of().try_create(image={"image": "a:1", "authId": "nope"}) == (200, "")
