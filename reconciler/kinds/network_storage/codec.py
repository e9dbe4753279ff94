"""Conversion of Novita's answers about network storages to normal form.

Numbers may be digit strings. A value of an unknown form counts as not reported, and its path is in `unread`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.kinds.answer_reader import AnswerReader, is_id, items_of, number
from reconciler.kinds.network_storage.fields import REGION, SIZE, UNCOMPARED
from reconciler.model import resource
from reconciler.model.resource import Live, Page
from reconciler.model.values import Json


def parse_page(answer: Json) -> Page:
    """Return one page of the listing. Raise ValueError if the answer is no listing."""
    items = items_of(answer, "data")
    storages = tuple(_parse(item, place) for place, item in enumerate(items))
    if items and not any(storage.is_identified for storage in storages):
        raise ValueError("`data` holds no network storage")
    return Page(endpoints=storages, total=number(answer.get("total")))


def parse_one(answer: Json) -> Live:
    """Return one network storage. Raise ValueError if the answer is not one."""
    if not isinstance(answer, Mapping) or "storageId" not in answer:
        raise ValueError("no network storage")
    return _parse(answer, 0)


def find_one(answer: Json, object_id: str) -> Live | None:
    """Return the storage of that ID from a listing that was asked for it alone; None if it does not exist.

    Raise ValueError if the answer has other storages only and is not the whole listing: then Novita did not
    look for the ID, and the storage may be on another page.
    """
    page = parse_page(answer)
    for storage in page.endpoints:
        if storage.id == object_id:
            return storage
    if page.endpoints and len(page.endpoints) < (page.total or len(page.endpoints) + 1):
        raise ValueError(f"it is about other storages than {object_id}")
    return None


def parse_created(answer: Json) -> str | None:
    """Return the ID from a bare JSON string, which Novita documents, or from an object; None without one."""
    if isinstance(answer, Mapping):
        answer = answer.get("storageId") or answer.get("id")
    return answer if is_id(answer) else None


def _parse(answer: Json, place: int) -> Live:
    """Return one item of a listing. `place` is its number in the page, for an item without a readable ID."""
    holder = answer if isinstance(answer, Mapping) else {}
    reader = AnswerReader()
    fields: dict[str, Any] = {}
    if name := reader.name(holder.get("storageName")):
        fields["name"] = name
    if region := reader.text(holder.get("clusterId"), REGION):
        fields["clusterId"] = region
    if (size := reader.number(holder, SIZE)) is not None:
        fields["storageSize"] = size
    object_id = holder.get("storageId")
    if not is_id(object_id):
        object_id = f"unreadable {place}"
        reader.unread.append(("id",))
    return Live(
        id=object_id,
        name=name,
        fields=fields,
        raw={key: holder[key] for key in UNCOMPARED if key in holder},
        unread=tuple(reader.unread),
        kind=resource.STORAGE,
    )
