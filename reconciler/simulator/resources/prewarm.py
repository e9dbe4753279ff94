"""The image prewarm tasks of an account."""

from collections.abc import Mapping
from typing import Any

from reconciler.simulator.api import Refusal
from reconciler.simulator.profile import Profile
from reconciler.simulator.resources.listed import Item, Listed
from reconciler.simulator.resources.market import CLUSTERS
from reconciler.simulator.validation import (
    Settings,
    choice_of,
    invalid,
    optional_text,
    page_bounds,
    require_cluster,
    text_of,
    texts_of,
)

STATES = ("Pending", "Running", "Succeeded", "Failed")
# The share of the time of a task before it runs.
PENDING_SHARE = 0.25
MISSING = "RESOURCE_NOT_FOUND"
_CLUSTER_NAMES = {cluster["id"]: cluster["name"] for cluster in CLUSTERS}


class Prewarms(Listed):
    """Tasks that fetch an image to the machines of a cluster before a worker needs it.

    The time that a task takes and its error are fixed when it is made.
    """

    def create(self, body: Mapping[str, Any], task_id: str, now: float, profile: Profile) -> dict[str, Any]:
        """Add a task. Raise Refusal if the quota is used up."""
        task: Item = {
            "id": task_id,
            "imageUrl": text_of(body, "imageUrl", max_length=500),
            "clusterId": text_of(body, "clusterId", max_length=255),
            "repositoryAuth": optional_text(body, "repositoryAuth", max_length=255),
            "productIds": texts_of(body, "productIds") if body.get("productIds") is not None else [],
            "note": optional_text(body, "note", max_length=500),
            "seconds": profile.prewarm_seconds,
            "error": profile.prewarm_error,
            "gb": profile.image_gb,
        }
        require_cluster(task["clusterId"], "clusterId", profile)
        if self._counted(now, profile) >= profile.prewarm_limit:
            raise Refusal("IMAGE_PREWARM_NUM_LIMIT", "the number of prewarm tasks is limited")
        if profile.image_gb > profile.prewarm_largest_gb:
            task["error"] = f"image is larger than {profile.prewarm_largest_gb} GB"
        self.add(task, now)
        return {"id": task_id}

    def quota(self, now: float, profile: Profile) -> dict[str, int]:
        """Return the number of tasks, the most there may be, and the largest image in GB."""
        return {
            "total": self._counted(now, profile),
            "limit": profile.prewarm_limit,
            "perImageSize": profile.prewarm_largest_gb,
        }

    def page(self, query: Mapping[str, str], now: float, profile: Profile) -> dict[str, Any]:
        """Return a page of the tasks in a state, in a cluster, and with a text in their image or note."""
        wanted, cluster_id, text = (query.get(name, "") for name in ("state", "clusterId", "name"))
        if wanted:
            choice_of(query, "state", STATES)
        found = [
            task
            for task in self.visible(now, profile.reference_lag_seconds)
            if wanted in ("", self.state(task, now))
            and cluster_id in ("", task["clusterId"])
            and (text in task["imageUrl"] or text in task["note"])
        ]
        start, stop = page_bounds(query, "page", len(found), profile, base=1)
        data = [self._answer(task, now) for task in found[start:stop]]
        return {"data": data, "total": len(found) + profile.total_offset}

    def edit(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Replace the note of a task."""
        task = self.find(text_of(body, "id", max_length=255), MISSING, "prewarm task")
        self.items[task["id"]] = {**task, "note": optional_text(body, "note", max_length=500)}
        return {}

    def delete(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Remove tasks: all of them, or none if one does not exist."""
        ids = texts_of(body, "ids") if body.get("ids") is not None else []
        if not ids:
            raise invalid("ids", "value is required")
        for task in [self.find(task_id, MISSING, "prewarm task") for task_id in dict.fromkeys(ids)]:
            self.remove(task["id"])
        return {}

    def has_warm(self, settings: Settings, now: float) -> bool:
        """Return whether a task has fetched the image of an endpoint to its cluster."""
        cluster_ids = [settings["clusterID"], *settings.get("clusterIDs", ())]
        return any(
            task["imageUrl"] == settings["image"]["image"]
            and task["clusterId"] in cluster_ids
            and self.state(task, now) == "Succeeded"
            for task in self.items.values()
        )

    def state(self, task: Item, now: float) -> str:
        age = now - self.created.get(task["id"], 0.0)
        if age >= task["seconds"]:
            return "Failed" if task["error"] else "Succeeded"
        return "Pending" if age < task["seconds"] * PENDING_SHARE else "Running"

    def _counted(self, now: float, profile: Profile) -> int:
        tasks = self.items.values()
        if profile.prewarm_counts == "all":
            return len(tasks)
        return sum(self.state(task, now) in ("Pending", "Running") for task in tasks)

    def _answer(self, task: Item, now: float) -> dict[str, Any]:
        state = self.state(task, now)
        created = self.created.get(task["id"], 0.0)
        is_over = state in ("Succeeded", "Failed")
        return {
            "id": task["id"],
            "imageName": task["imageUrl"].rpartition("/")[2],
            "imageUrl": task["imageUrl"],
            "repositoryAuth": task["repositoryAuth"],
            "clusterId": task["clusterId"],
            "clusterName": _CLUSTER_NAMES.get(task["clusterId"], task["clusterId"]),
            "products": [{"productId": one, "productName": one} for one in task["productIds"]],
            "imageSize": "" if state == "Pending" else str(task["gb"]),
            "createTime": str(int(created)),
            "completeTime": str(int(created + task["seconds"])) if is_over else "",
            "state": state,
            "note": task["note"],
            "reason": [task["error"]] if state == "Failed" else [],
        }
