"""The image prewarm tasks of an account (`/image/prewarm`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from reconciler.model.errors import ApiError
from reconciler.model.prewarm import PrewarmQuota, PrewarmTask, PulledImage
from reconciler.model.request import API_ROOT, Request
from reconciler.model.values import Json
from reconciler.novita import errors
from reconciler.novita.http.client import Client

PAGE_SIZE: Final = 100
"""Tasks (count) of a page. By default an account may have five in all."""

MAX_PAGES: Final = 20
"""Pages (count) after which a listing of tasks does not seem to end."""

_PATH: Final = f"{API_ROOT}/image/prewarm"


class PrewarmTasks:
    """Reads and writes of prewarm tasks. All methods raise the errors of `model.errors`.

    within: the seconds for the attempts of a call together.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    def listing(self, *, within: float, retries: bool = True) -> tuple[PrewarmTask, ...]:
        """Return all tasks of the account, in Novita's order."""
        found: dict[str, PrewarmTask] = {}
        for page in range(1, MAX_PAGES + 1):
            request = Request(method="GET", path=_PATH, query={"page": str(page), "pageSize": str(PAGE_SIZE)})
            answer = self._client.send(request, retries=retries, within=within)
            items = answer.get("data") if isinstance(answer, Mapping) else None
            if not isinstance(answer, Mapping) or ("data" not in answer or not _is_list(items)):
                raise self._unexpected(request, "it has no list of tasks")
            known = len(found)
            tasks = (_task(item) for item in items or ())
            found.update((task.id, task) for task in tasks if task is not None)
            total = answer.get("total")
            if len(found) == known or (isinstance(total, int) and len(found) >= total):
                break
        return tuple(found.values())

    def quota(self, *, within: float) -> PrewarmQuota:
        """Return how many tasks there are and may be."""
        request = Request(method="GET", path=f"{_PATH}/quota")
        answer = self._client.send(request, within=within)
        used, limit = (_count(answer, key) for key in ("total", "limit"))
        if used is None or limit is None:
            raise self._unexpected(request, "it has no number of tasks")
        return PrewarmQuota(used=used, limit=limit)

    def create(self, image: PulledImage, *, within: float) -> str:
        """Begin a task and return its ID. After AnswerLost or ServerError it may exist."""
        body = {"imageUrl": image.image, "clusterId": image.region, "note": image.note}
        if image.auth:
            body["repositoryAuth"] = image.auth
        request = Request(method="POST", path=_PATH, body=body, is_idempotent=False)
        answer = self._client.send(request, within=within)
        task_id = answer.get("id") if isinstance(answer, Mapping) else None
        if not isinstance(task_id, str) or not task_id:
            raise self._unexpected(request, "it holds no ID")
        return task_id

    def delete(self, task_ids: Iterable[str], *, within: float) -> None:
        """Delete tasks."""
        self._client.send(
            Request(method="POST", path=f"{_PATH}/delete", body={"ids": list(task_ids)}), within=within
        )

    def _unexpected(self, request: Request, why: str) -> ApiError:
        return errors.answer_lost(request, why=f"it is not the expected answer, {why}").error()


def _is_list(value: Json) -> bool:
    return value is None or isinstance(value, list)


def _task(item: Json) -> PrewarmTask | None:
    """Return a task; None if its ID, its image or its region cannot be read."""
    if not isinstance(item, Mapping):
        return None
    task_id, image, region = (_text(item, key) for key in ("id", "imageUrl", "clusterId"))
    if not (task_id and image and region):
        return None
    reasons = item.get("reason")
    return PrewarmTask(
        id=task_id,
        image=image,
        region=region,
        state=_text(item, "state").lower(),
        note=_text(item, "note"),
        reasons=tuple(one for one in reasons if isinstance(one, str)) if isinstance(reasons, list) else (),
    )


def _text(item: Mapping[str, Any], key: str) -> str:
    value = item.get(key)
    return value if isinstance(value, str) else ""


def _count(answer: Json, key: str) -> int | None:
    value = answer.get(key) if isinstance(answer, Mapping) else None
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
