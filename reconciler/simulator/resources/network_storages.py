"""The network storages of an account."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from reconciler.simulator.api import Refusal
from reconciler.simulator.profile import Profile
from reconciler.simulator.resources.listed import Item, Listed
from reconciler.simulator.resources.market import CLUSTERS
from reconciler.simulator.validation import invalid, number_of, page_bounds, require_cluster, text_of

# Some 0.002 dollars per GB and day, in 1/100000 dollars.
PRICE = "200"
SMALLEST_GB = 10
NAME = re.compile(r"[A-Za-z0-9-]+")
MISSING = "NETWORK_STORAGE_NOT_FOUND"


class NetworkStorages(Listed):
    """Network storages. Each stays in the cluster in which it was created."""

    key = "storageId"

    def page(self, query: Mapping[str, str], now: float, profile: Profile) -> dict[str, Any]:
        """Return a page of those with the requested name and ID; an empty one matches all."""
        name, storage_id = query.get("storageName", ""), query.get("storageId", "")
        found = [
            storage
            for storage in self.visible(now, profile.reference_lag_seconds)
            if name in ("", storage["storageName"]) and storage_id in ("", storage["storageId"])
        ]
        base = profile.storage_page_base
        start, stop = page_bounds(query, "pageNo", len(found), profile, base=base)
        return {"data": found[start:stop], "total": len(found) + profile.total_offset}

    def create(
        self, body: Mapping[str, Any], new_id: Callable[[], str], now: float, profile: Profile
    ) -> str | dict[str, Any]:
        """Add a storage. The answer is a JSON string in the docs, and an object in other sources."""
        cluster_id = text_of(body, "clusterId", max_length=255)
        name, size = _name(body), _size(body)
        cluster = next((one for one in CLUSTERS if one["id"] == cluster_id), None)
        if cluster is not None and not cluster["supportNetworkStorage"]:
            raise Refusal("CUR_CLUSTER_NETWORK_STORAGE_NOT_SUPPORT", f"no network storage in {cluster_id!r}")
        require_cluster(cluster_id, "clusterId", profile)
        storage_id = new_id()
        storage = {
            "storageId": storage_id,
            "storageName": name,
            "storageSize": size,
            "clusterId": cluster_id,
            "clusterName": cluster["name"] if cluster else cluster_id,
            "price": PRICE,
        }
        self.add(storage, now)
        return {"id": storage_id} if profile.storage_create_answer == "object" else storage_id

    def update(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Rename and enlarge a storage in one call. It cannot shrink."""
        storage = self._requested(body)
        name, size = _name(body), _size(body)
        if size < storage["storageSize"]:
            raise invalid("storageSize", "a storage cannot shrink")
        self.items[storage["storageId"]] = {**storage, "storageName": name, "storageSize": size}
        return {}

    def delete(self, body: Mapping[str, Any], in_use: Callable[[str], bool]) -> dict[str, Any]:
        storage_id = self._requested(body)["storageId"]
        if in_use(storage_id):
            raise Refusal("NETWORK_STORAGE_IN_USE", f"storage {storage_id!r} is mounted by an endpoint")
        self.remove(storage_id)
        return {}

    def check(self, settings: Mapping[str, Any]) -> None:
        """Raise Refusal if an endpoint mounts a storage that does not exist or is in another cluster."""
        for mount in settings["volumeMounts"]:
            if mount["type"] == "network":
                storage = self.find(mount["id"], MISSING, "network storage")
                if storage["clusterId"] != settings["clusterID"]:
                    raise invalid("clusterID", "must be the cluster of the network storage")

    def _requested(self, body: Mapping[str, Any]) -> Item:
        return self.find(text_of(body, "storageId", max_length=255), MISSING, "network storage")


def _name(body: Mapping[str, Any]) -> str:
    name = text_of(body, "storageName", max_length=255)
    if not NAME.fullmatch(name):
        raise invalid("storageName", "letters, digits and hyphens only")
    return name


def _size(body: Mapping[str, Any]) -> int:
    return number_of(body.get("storageSize"), "storageSize", minimum=SMALLEST_GB)
