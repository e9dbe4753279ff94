"""The registry credentials and network storages of an account."""

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any

from reconciler.model.lazy_dataclass import dataclass
from reconciler.simulator.api import Refusal
from reconciler.simulator.market import CLUSTERS
from reconciler.simulator.profile import Profile
from reconciler.simulator.validation import invalid, number_of, text_of

# Some 0.002 dollars per GB and day, in 1/100000 dollars.
STORAGE_PRICE = "200"
STORAGE_SMALLEST_GB = 10


@dataclass(slots=True, kw_only=True)
class Catalogue:
    """Registry credentials and network storages by ID, with the keys of the API."""

    auths: dict[str, dict[str, Any]] = field(default_factory=dict)
    storages: dict[str, dict[str, Any]] = field(default_factory=dict)

    def save_auth(
        self, body: Mapping[str, Any], new_id: Callable[[], str], profile: Profile
    ) -> dict[str, Any]:
        """Add a credential. Names need not be unique (docs registry-auth)."""
        auth = {
            "name": text_of(body, "name", max_length=255),
            "username": text_of(body, "username", max_length=511),
            "password": text_of(body, "password", max_length=1024),
        }
        auth_id = new_id()
        self.auths[auth_id] = {"id": auth_id, **auth}
        return {"id": auth_id} if profile.auth_save_answer == "id" else {}

    def delete_auth(self, body: Mapping[str, Any], in_use: Callable[[str], bool]) -> dict[str, Any]:
        auth_id = text_of(body, "id", max_length=255)
        if auth_id not in self.auths:
            raise Refusal("RESOURCE_NOT_FOUND", f"repository auth {auth_id!r} not found")
        if in_use(auth_id):
            raise Refusal("IMAGE_AUTH_IN_USE", f"repository auth {auth_id!r} is used by an endpoint")
        del self.auths[auth_id]
        return {}

    def find_storages(self, query: Mapping[str, str]) -> list[dict[str, Any]]:
        """Return the storages with the requested name and ID; an empty one matches all."""
        name, storage_id = query.get("storageName", ""), query.get("storageId", "")
        return [
            storage
            for storage in self.storages.values()
            if name in ("", storage["storageName"]) and storage_id in ("", storage["storageId"])
        ]

    def create_storage(
        self, body: Mapping[str, Any], new_id: Callable[[], str], profile: Profile
    ) -> str | dict[str, Any]:
        """Add a storage. The answer is a JSON string in the docs, and an object in other sources."""
        cluster_id = text_of(body, "clusterId", max_length=255)
        name = text_of(body, "storageName", max_length=255)
        size = number_of(body.get("storageSize"), "storageSize", minimum=STORAGE_SMALLEST_GB)
        cluster = next((one for one in CLUSTERS if one["id"] == cluster_id), None)
        if cluster is not None and not cluster["supportNetworkStorage"]:
            raise Refusal("CUR_CLUSTER_NETWORK_STORAGE_NOT_SUPPORT", f"no network storage in {cluster_id!r}")
        storage_id = new_id()
        self.storages[storage_id] = {
            "storageId": storage_id,
            "storageName": name,
            "storageSize": size,
            "clusterId": cluster_id,
            "clusterName": cluster["name"] if cluster else cluster_id,
            "price": STORAGE_PRICE,
        }
        return {"id": storage_id} if profile.storage_create_answer == "object" else storage_id

    def update_storage(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Rename or enlarge a storage. It cannot shrink."""
        storage = self._storage(body)
        size = number_of(body.get("storageSize"), "storageSize", minimum=STORAGE_SMALLEST_GB)
        if size < storage["storageSize"]:
            raise invalid("storageSize", "a storage cannot shrink")
        name = text_of(body, "storageName", max_length=255)
        # A new object, because another thread may be writing the old one to disk.
        self.storages[storage["storageId"]] = {**storage, "storageName": name, "storageSize": size}
        return {}

    def delete_storage(self, body: Mapping[str, Any], in_use: Callable[[str], bool]) -> dict[str, Any]:
        storage_id = self._storage(body)["storageId"]
        if in_use(storage_id):
            raise Refusal("NETWORK_STORAGE_IN_USE", f"storage {storage_id!r} is mounted by an endpoint")
        del self.storages[storage_id]
        return {}

    def check(self, settings: Mapping[str, Any]) -> None:
        """Raise Refusal if a credential or a storage does not exist, or is in another cluster."""
        auth_id = settings["image"]["authId"]
        if auth_id and auth_id not in self.auths:
            raise Refusal("RESOURCE_NOT_FOUND", f"repository auth {auth_id!r} not found")
        for mount in settings["volumeMounts"]:
            if mount["type"] == "network":
                storage = self.storages.get(mount["id"])
                if storage is None:
                    raise Refusal("NETWORK_STORAGE_NOT_FOUND", f"network storage {mount['id']!r} not found")
                if storage["clusterId"] != settings["clusterID"]:
                    raise invalid("clusterID", "must be the cluster of the network storage")

    def _storage(self, body: Mapping[str, Any]) -> dict[str, Any]:
        storage_id = text_of(body, "storageId", max_length=255)
        if storage_id not in self.storages:
            raise Refusal("NETWORK_STORAGE_NOT_FOUND", f"network storage {storage_id!r} not found")
        return self.storages[storage_id]
